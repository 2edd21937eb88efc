package translate

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
	networkingv1 "k8s.io/api/networking/v1"
)

// claimPaths finds out which Ingress has which path of which host. Of two
// that claim the same, the one with precedence has it, and the other one is
// told.
func claimPaths(b *build) {
	b.host(model.CatchAll)
	for _, ing := range b.ingresses {
		if ing.set.Canary.Enabled {
			// As a main Ingress it would take the paths of the one it is for.
			b.report(ing.object, model.Warning, model.ReasonNotImplemented, "", "",
				"canaries get no requests yet: all go to the Ingress that has the paths without one")
			continue
		}
		b.claimRules(ing)
		b.claimDefault(ing)
	}
	for _, h := range b.hosts {
		h.regex = slices.ContainsFunc(h.paths, wantsRegex)
	}
	for _, h := range b.hosts {
		b.settleClaims(h)
		b.reportSharing(h)
	}
}

// ownPath is where Sidegate's own locations are, in every server.
const ownPath = "/_sidegate"

// healthPath is what nginx itself answers in the catch-all server.
const healthPath = "/healthz"

func (b *build) host(name string) *host {
	h, ok := b.hosts[name]
	if !ok {
		h = &host{name: name}
		b.hosts[name] = h
	}
	return h
}

func (h *host) add(ing *ingress) {
	if n := len(h.ingresses); n == 0 || h.ingresses[n-1] != ing {
		h.ingresses = append(h.ingresses, ing)
	}
}

// claimRules claims what the rules of the Ingress say.
func (b *build) claimRules(ing *ingress) {
	for i, rule := range ing.Spec.Rules {
		field := fmt.Sprintf("spec.rules[%d]", i)
		name := rule.Host
		if name == "" {
			if b.options.DisableCatchAll {
				b.report(ing.object, model.Error, model.ReasonCatchAllDisabled, field+".host", "",
					"a rule without a host would serve every host, which --disable-catch-all forbids; the rule is ignored")
				continue
			}
			name = model.CatchAll
		} else if _, err := model.NewHost(name); err != nil {
			b.report(ing.object, model.Error, model.ReasonInvalidValue, field+".host", name, "%v; the rule is ignored", err)
			continue
		}
		h := b.host(name)
		if b.owned(h, ing, field+".host") {
			continue
		}
		h.add(ing)
		if ing.Spec.DefaultBackend != nil && h.fallback == nil && name != model.CatchAll {
			h.fallback = &path{ingress: ing, host: h, text: "/", kind: networkingv1.PathTypePrefix,
				backend: *ing.Spec.DefaultBackend, field: "spec.defaultBackend", expression: "^/"}
		}
		if rule.HTTP == nil {
			continue
		}
		for j, p := range rule.HTTP.Paths {
			b.claimPath(ing, h, p, fmt.Sprintf("%s.http.paths[%d]", field, j))
		}
	}
}

func (b *build) claimPath(ing *ingress, h *host, p networkingv1.HTTPIngressPath, field string) {
	text, kind := p.Path, networkingv1.PathTypeImplementationSpecific
	if text == "" {
		text = "/"
	}
	if p.PathType != nil {
		kind = *p.PathType
	}
	claimed := &path{ingress: ing, host: h, text: text, kind: kind, backend: p.Backend, field: field}
	switch kind {
	case networkingv1.PathTypeExact, networkingv1.PathTypePrefix, networkingv1.PathTypeImplementationSpecific:
	default:
		b.report(ing.object, model.Error, model.ReasonInvalidValue, field+".pathType", string(kind),
			"must be Exact, Prefix or ImplementationSpecific; the path is ignored%s", b.unread(claimed))
		return
	}
	if _, err := model.NewPath(text); err != nil {
		b.report(ing.object, model.Error, model.ReasonInvalidValue, field+".path", text, "%v; the path is ignored%s", err, b.unread(claimed))
		return
	}
	if len(text) >= len(ownPath) && strings.EqualFold(text[:len(ownPath)], ownPath) {
		b.report(ing.object, model.Error, model.ReasonReservedPath, field+".path", text,
			"must not begin with %s, where Sidegate's own locations are; the path is ignored%s", ownPath, b.unread(claimed))
		return
	}
	h.paths = append(h.paths, claimed)
}

// claimDefault claims the catch-all server for an Ingress that has a default
// backend and no rules.
func (b *build) claimDefault(ing *ingress) {
	if ing.Spec.DefaultBackend == nil || len(ing.Spec.Rules) > 0 {
		return
	}
	if b.options.DisableCatchAll {
		b.report(ing.object, model.Error, model.ReasonCatchAllDisabled, "spec.defaultBackend", "",
			"a default backend without rules would serve every host, which --disable-catch-all forbids; it is ignored")
		return
	}
	h := b.host(model.CatchAll)
	if b.owned(h, ing, "spec.defaultBackend") {
		return
	}
	h.add(ing)
	h.paths = append(h.paths, &path{ingress: ing, host: h, text: "/", kind: networkingv1.PathTypePrefix,
		backend: *ing.Spec.DefaultBackend, field: "spec.defaultBackend"})
}

// settleClaims gives each path of the host its matches. A path that is left
// with none has lost, and its Ingress is told to whom.
func (b *build) settleClaims(h *host) {
	taken := map[model.Match]*path{}
	if h.name == model.CatchAll {
		// nginx itself answers load balancers that ask for its health.
		taken[model.Match{Kind: model.MatchExact, Path: healthPath}] = nil
	}
	exact := map[string]bool{}
	if !h.regex {
		for _, p := range h.paths {
			if p.kind == networkingv1.PathTypeExact {
				exact[p.text] = true
			}
		}
	}
	var won []*path
	var cause *path
	if h.regex {
		cause = h.paths[slices.IndexFunc(h.paths, wantsRegex)]
	}
	for _, p := range h.paths {
		if h.regex && !b.readExpression(p) {
			continue
		}
		var winner *path
		for _, m := range p.wants(exact) {
			if other, ok := taken[m]; ok {
				winner = other
				continue
			}
			taken[m] = p
			p.matches = append(p.matches, m)
		}
		switch {
		case len(p.matches) > 0:
			won = append(won, p)
			if winner != nil && winner.ingress != p.ingress {
				b.report(p.ingress.object, model.Warning, model.ReasonHostPathTaken, p.field+".path", p.text,
					"%s has the path %s of host %s and is older: of this one, only what that leaves is served, and its annotations have no part in the rest", winner.ingress.object, winner.text, h.name)
			}
		case winner == nil:
			b.report(p.ingress.object, model.Error, model.ReasonHostPathTaken, p.field+".path", p.text,
				"nginx itself answers this path where no host is named, for the health checks of load balancers; this one is not served")
		case winner.ingress == p.ingress:
			b.report(p.ingress.object, model.Warning, model.ReasonDuplicatePath, p.field+".path", p.text,
				"the Ingress has this path of host %s before, as %s; this one is ignored", h.name, winner.field)
		default:
			winner.rivals = append(winner.rivals, model.Rival{Object: p.ingress.object, Field: p.field + ".path"})
			b.report(p.ingress.object, model.Error, model.ReasonHostPathTaken, p.field+".path", p.text,
				"%s has this path of host %s and is older; this one is not served", winner.ingress.object, h.name)
		}
		b.reportRegex(h, p, cause)
	}
	h.paths = won
	if h.regex {
		// Regular expressions are tried in order: the longest text first,
		// and among equals the last in the alphabet.
		slices.SortStableFunc(h.paths, func(x, y *path) int {
			if len(x.text) != len(y.text) {
				return len(y.text) - len(x.text)
			}
			return strings.Compare(y.text, x.text)
		})
		h.shareSteps()
		return
	}
	slices.SortStableFunc(h.paths, func(x, y *path) int { return strings.Compare(x.text, y.text) })
}

// shareSteps tells each expression of the host that may be costly how many of its
// namespace share what they may cost: nobody else's are fewer steps for it.
func (h *host) shareSteps() {
	costly := map[string][]*model.Match{}
	for _, p := range h.paths {
		for i := range p.matches {
			if m := &p.matches[i]; !cheap(m.Regex) {
				costly[p.ingress.Namespace] = append(costly[p.ingress.Namespace], m)
			}
		}
	}
	for _, list := range costly {
		for _, m := range list {
			m.Shared = len(list)
		}
	}
}

// readExpression reads a path that is a regular expression. Where that is not
// what its own Ingress says it goes on to match itself as well, letter by letter:
// or another Ingress of the host, of whatever namespace, could take its requests
// away by making expressions of all paths, and open what it guards.
func (b *build) readExpression(p *path) bool {
	expression, err := model.NewRegex("^" + p.text)
	if !wantsRegex(p) && (err != nil || !b.memo.matchesItself(p.text, expression)) {
		plain, plainErr := model.NewRegex("^" + regexp.QuoteMeta(p.text))
		if plainErr == nil {
			p.plain = plain
		}
		if err != nil && plainErr == nil {
			b.report(p.ingress.object, model.Warning, model.ReasonRegexOnHost, p.field+".path", p.text,
				"%v, as all paths of host %s are; it is taken letter by letter", err, p.host.name)
			p.expression = plain
			return true
		}
	}
	if err != nil {
		b.report(p.ingress.object, model.Error, model.ReasonInvalidValue, p.field+".path", p.text, "%v; the path is ignored%s", err, b.unread(p))
		return false
	}
	p.expression = expression
	if string(expression) != "^"+p.text {
		b.report(p.ingress.object, model.Info, model.ReasonApproximated, p.field+".path", p.text,
			"the names of groups are left out: nginx would make variables of them for all hosts; their numbers stay")
	}
	if wantsRegex(p) && b.backtracks(p.ingress, expression) {
		b.report(p.ingress.object, model.Warning, model.ReasonCostlyExpression, p.field+".path", p.text,
			"there are paths that this expression can be matched with in very many ways (a repetition inside of a repetition, or two that begin alike); for those nginx gives up and answers 500")
	}
	return true
}

// unread is about a path that there can be no location for. Where its Ingress
// guards what it serves, requests for it must not get to another path of the
// host, and nobody can tell which they are. It returns what there is to say.
func (b *build) unread(p *path) string {
	guards := annotations.Guards(b.options.AnnotationPrefixes, p.ingress.Ingress)
	if len(guards) == 0 {
		return ""
	}
	name := slices.Min(slices.Collect(maps.Keys(guards)))
	if p.host.unread == nil {
		p.host.unread = map[*ingress]string{}
	}
	p.host.unread[p.ingress] = "the path " + model.Clip(p.text) + ", which " + name + " is to guard, cannot be served"
	return " and, because " + name + " is to guard it, the host answers 503"
}

// wants lists the location lines that the path stands for. exact holds the
// paths of the host that have an Exact claim.
func (p *path) wants(exact map[string]bool) []model.Match {
	if p.host.regex {
		out := []model.Match{{Kind: model.MatchRegex, Regex: p.expression}}
		if p.plain != "" && p.plain != p.expression {
			out = append(out, model.Match{Kind: model.MatchRegex, Regex: p.plain})
		}
		return out
	}
	switch {
	case p.kind == networkingv1.PathTypeExact:
		return []model.Match{{Kind: model.MatchExact, Path: model.Path(p.text)}}
	case p.kind != networkingv1.PathTypePrefix || strings.HasSuffix(p.text, "/"):
		return []model.Match{{Kind: model.MatchPrefix, Path: model.Path(p.text)}}
	case exact[p.text]:
		return []model.Match{{Kind: model.MatchPrefix, Path: model.Path(p.text + "/")}}
	}
	return []model.Match{
		{Kind: model.MatchExact, Path: model.Path(p.text)},
		{Kind: model.MatchPrefix, Path: model.Path(p.text + "/")},
	}
}

// wantsRegex tells whether the path makes its host's paths expressions.
func wantsRegex(p *path) bool {
	r := p.ingress.set.Rewrite
	return r.UseRegex != nil && *r.UseRegex || rewrites(p)
}

// rewrites tells whether the path's URI is rewritten: a target that is the
// path itself changes nothing.
func rewrites(p *path) bool {
	target := p.ingress.set.Rewrite.Target
	return target != nil && string(*target) != p.text
}
