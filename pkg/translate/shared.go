package translate

import (
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
	networkingv1 "k8s.io/api/networking/v1"
)

// owned tells whether the host belongs to another namespace, which it does
// under --strict-host-ownership alone, and says so. It belongs to the namespace
// of its oldest Ingress.
func (b *build) owned(h *host, ing *ingress, field string) bool {
	if !b.options.StrictHostOwnership || len(h.ingresses) == 0 || h.ingresses[0].Namespace == ing.Namespace {
		return false
	}
	b.report(ing.object, model.Error, model.ReasonHostOwned, field, h.name,
		"the host belongs to the namespace %s, whose %s is older, and --strict-host-ownership lets no other namespace use it; the rule is ignored",
		h.ingresses[0].Namespace, h.ingresses[0].object)
	return true
}

// shared tells whether Ingresses of several namespaces name the host.
func (h *host) shared() bool {
	for _, ing := range h.ingresses {
		if ing.Namespace != h.ingresses[0].Namespace {
			return true
		}
	}
	return false
}

// reportSharing tells the owners of a host that namespaces share where one takes
// requests which the path of an older one of another namespace could serve. That
// is what Ingresses mean (the longest path wins), so it is done, but not without
// a word to both. The paths are in their final order.
func (b *build) reportSharing(h *host) {
	if !h.shared() {
		return
	}
	rank := map[*ingress]int{}
	for i, ing := range h.ingresses {
		rank[ing] = i
	}
	type pair struct{ older, younger *ingress }
	known := map[pair]bool{}
	report := func(older, younger *path) {
		key := pair{older.ingress, younger.ingress}
		if older.ingress.Namespace == younger.ingress.Namespace || rank[younger.ingress] < rank[older.ingress] || known[key] {
			return
		}
		known[key] = true
		severity, how := model.Info, "is the closer match"
		if h.regex {
			severity, how = model.Warning, "is a longer regular expression, which is tried first"
		}
		b.report(older.ingress.object, severity, model.ReasonHostShared, older.field+".path", older.text,
			"the path %s of %s, another namespace's and younger, %s: on host %s it may get requests of this one", model.Clip(younger.text), younger.ingress.object, how, h.name)
		b.report(younger.ingress.object, severity, model.ReasonHostShared, younger.field+".path", younger.text,
			"%s of another namespace is older and has the path %s of host %s; this one %s and may get its requests", older.ingress.object, model.Clip(older.text), h.name, how)
	}
	if h.regex {
		b.reportRegexSharing(h, report)
		return
	}
	// In their order, what a path begins with stands before it, and all that does
	// is still open.
	var open []*path
	for from := 0; from < len(h.paths); {
		text, to := h.paths[from].text, from
		for len(open) > 0 && !strings.HasPrefix(text, open[len(open)-1].text) {
			open = open[:len(open)-1]
		}
		for ; to < len(h.paths) && h.paths[to].text == text; to++ {
			if h.paths[to].kind != networkingv1.PathTypeExact {
				open = append(open, h.paths[to])
			}
		}
		for _, younger := range h.paths[from:to] {
			for _, older := range open {
				if older != younger && older.covers(younger.text) {
					report(older, younger)
				}
			}
		}
		from = to
	}
}

// covers tells whether a prefix path that is no regular expression would serve
// requests for text.
func (p *path) covers(text string) bool {
	if p.kind == networkingv1.PathTypePrefix && p.text != text {
		return strings.HasPrefix(text, strings.TrimSuffix(p.text, "/")+"/")
	}
	return true
}

func (b *build) reportRegexSharing(h *host, report func(older, younger *path)) {
	// first has the first path of each Ingress in the order of trial.
	first := map[*ingress]*path{}
	var seen []*path
	for _, older := range h.paths {
		for _, younger := range seen {
			report(older, younger)
		}
		if first[older.ingress] == nil {
			first[older.ingress] = older
			seen = append(seen, older)
		}
	}
}

// reportRegex tells the Ingresses of a host with regular expressions whose paths
// are none by themselves, and who made them so.
func (b *build) reportRegex(h *host, p, cause *path) {
	if !h.regex || wantsRegex(p) || cause == nil || p.plain == p.expression {
		return
	}
	severity, whose := model.Info, ""
	if cause.ingress.Namespace != p.ingress.Namespace {
		severity, whose = model.Warning, " of another namespace"
	}
	b.report(p.ingress.object, severity, model.ReasonRegexOnHost, p.field+".path", p.text,
		"use-regex or rewrite-target of %s%s makes every path of host %s a case-insensitive regular expression, this one too", cause.ingress.object, whose, h.name)
}

// appRoot is that of the first Ingress of the host that has one and may: not
// where requests for "/" belong to an older Ingress of another namespace.
func (b *build) appRoot(h *host) *model.AppRoot {
	var found *model.AppRoot
	for i, ing := range h.ingresses {
		target := ing.set.Rewrite.AppRoot
		if target == nil {
			continue
		}
		if found != nil {
			b.report(ing.object, model.Warning, model.ReasonHostPathTaken, "metadata.annotations", string(*target),
				"%s has an app-root for host %s and comes first; this one is ignored", found.Ingress, h.name)
			continue
		}
		if p := b.rootOf(h, h.ingresses[:i], ing.Namespace); p != nil {
			b.report(ing.object, model.Error, model.ReasonHostPathTaken, "metadata.annotations", string(*target),
				"app-root would take / of host %s from %s, which is older and of another namespace; it is ignored there", h.name, p.ingress.object)
			b.report(p.ingress.object, model.Info, model.ReasonHostShared, p.field, p.text,
				"%s of another namespace shares host %s; its app-root, which would have taken /, is ignored", ing.object, h.name)
			continue
		}
		found = &model.AppRoot{Target: *target, Ingress: ing.object}
	}
	if h.closed != "" {
		return nil
	}
	return found
}

// rootOf finds a path of the Ingresses that serves "/" and is not of the
// namespace.
func (b *build) rootOf(h *host, ingresses []*ingress, namespace string) *path {
	older := map[*ingress]bool{}
	for _, ing := range ingresses {
		older[ing] = ing.Namespace != namespace
	}
	for _, p := range h.paths {
		if older[p.ingress] && b.servesRoot(p) {
			return p
		}
	}
	if h.fallback != nil && older[h.fallback.ingress] {
		return h.fallback
	}
	return nil
}

// servesRoot tells whether a request for "/" may be the path's.
func (b *build) servesRoot(p *path) bool {
	if !p.host.regex {
		return p.text == "/"
	}
	return b.memo.matchesRoot(p.expression)
}
