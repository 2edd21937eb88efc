package controller

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/quarantine"
	"github.com/sidegate/sidegate/pkg/snapshot"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// admission gives the quarantine's subjects their contents: it makes subjects
// of a snapshot's objects, and a snapshot of the versions that are in.
type admission struct {
	prefixes   []string
	quarantine *quarantine.Quarantine
	// good are the versions that were taken last.
	good map[model.Object]client.Object
}

// objects are those of a snapshot that can be at fault, in the order of
// precedence.
func objects(s *snapshot.Snapshot) []client.Object {
	out := make([]client.Object, 0, len(s.Ingresses)+1)
	if s.ConfigMap != nil {
		out = append(out, s.ConfigMap)
	}
	for _, ing := range s.Ingresses {
		out = append(out, ing)
	}
	return out
}

// nameOf names an Ingress or a ConfigMap.
func nameOf(o client.Object) model.Object {
	kind := "Ingress"
	if _, ok := o.(*corev1.ConfigMap); ok {
		kind = "ConfigMap"
	}
	return model.Object{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}
}

func subjects(s *snapshot.Snapshot) []quarantine.Subject {
	list := objects(s)
	out := make([]quarantine.Subject, len(list))
	for i, o := range list {
		_, common := o.(*corev1.ConfigMap)
		out[i] = quarantine.Subject{Object: nameOf(o), Version: snapshot.Version(o), Common: common, Unchecked: unchecked(o)}
	}
	return out
}

// unchecked tells whether the object has something that only nginx can judge:
// ciphers, text of nginx.conf, or an expression that Go does not understand.
// Those without are tried first; it decides nothing else.
func unchecked(o client.Object) bool {
	ing, ok := o.(*networkingv1.Ingress)
	if !ok {
		return true
	}
	for key := range ing.Annotations {
		if strings.HasSuffix(key, "-snippet") || strings.HasSuffix(key, "-ciphers") {
			return true
		}
	}
	for _, rule := range ing.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for _, p := range rule.HTTP.Paths {
			if !strings.ContainsAny(p.Path, metaCharacters) {
				continue // most are; to parse them costs each run
			}
			// Also without "use-regex": another Ingress of the host can have it.
			if _, err := syntax.Parse(p.Path, syntax.Perl); err != nil {
				return true
			}
		}
	}
	return false
}

// choose makes the snapshot of a selection. A version that is out is replaced
// by the one that was taken last; where there is none, its paths are closed if
// the version was to guard them.
func (a *admission) choose(s *snapshot.Snapshot, in quarantine.Selection) *snapshot.Snapshot {
	out := *s
	out.Ingresses = make([]*networkingv1.Ingress, 0, len(s.Ingresses))
	out.Held = nil
	for _, ing := range s.Ingresses {
		name := nameOf(ing)
		version := in[name]
		if version == snapshot.Version(ing) {
			out.Ingresses = append(out.Ingresses, ing)
			continue
		}
		good, _ := a.good[name].(*networkingv1.Ingress)
		if version == "" || good == nil || snapshot.Version(good) != version {
			if good = closing(a.prefixes, ing); good == nil {
				continue
			}
		}
		out.Ingresses = append(out.Ingresses, good)
		if out.Held == nil {
			out.Held = map[types.NamespacedName]*networkingv1.Ingress{}
		}
		out.Held[client.ObjectKeyFromObject(ing)] = ing
	}
	if cm := s.ConfigMap; cm != nil {
		if version := in[nameOf(cm)]; version != snapshot.Version(cm) {
			out.ConfigMap, _ = a.good[nameOf(cm)].(*corev1.ConfigMap)
			if version == "" {
				out.ConfigMap = nil
			}
		}
	}
	return &out
}

// keep takes note of the versions that were taken.
func (a *admission) keep(s *snapshot.Snapshot, in quarantine.Selection) {
	next := make(map[model.Object]client.Object, len(in))
	for _, o := range objects(s) {
		name := nameOf(o)
		switch version := in[name]; {
		case version == snapshot.Version(o):
			next[name] = o
		case version != "":
			next[name] = a.good[name]
		}
	}
	a.good = next
}

// ingresses are the Ingresses that were taken last: what they name is needed
// for as long as a newer version can be refused.
func (a *admission) ingresses() []*networkingv1.Ingress {
	out := make([]*networkingv1.Ingress, 0, len(a.good))
	for _, o := range a.good {
		if ing, ok := o.(*networkingv1.Ingress); ok {
			out = append(out, ing)
		}
	}
	return out
}

// findings tell the owners of what is refused.
func (a *admission) findings(refusals []quarantine.Refusal, s *snapshot.Snapshot) []model.Finding {
	if len(refusals) == 0 {
		return nil
	}
	ingresses := make(map[model.Object]*networkingv1.Ingress, len(s.Ingresses))
	for _, ing := range s.Ingresses {
		ingresses[nameOf(ing)] = ing
	}
	out := make([]model.Finding, 0, len(refusals))
	for _, r := range refusals {
		instead := "nothing of it is served"
		switch {
		case r.Good != "":
			instead = "its last good version stays"
		case r.Common:
			instead = "the defaults are in force"
		case closing(a.prefixes, ingresses[r.Object]) != nil:
			instead = "nothing of it is served, and the paths that it was to guard answer 503"
		}
		out = append(out, model.Finding{
			Object: r.Object, Severity: model.Error, Reason: model.ReasonQuarantined,
			Message: fmt.Sprintf("its configuration is refused: %s; %s; it is tried again from time to time, and when it changes",
				bounded(r.Fault.String()), instead),
		})
	}
	return out
}

// closing is an Ingress that claims the paths of one that is out, so that they
// answer 503 where the Ingress was to guard them; another Ingress of the host
// could lead to the same backend. nil means that it guards nothing. What it
// claims cannot be refused: of a path that may be a regular expression it is
// the part in front of the first character that has a meaning in one.
func closing(prefixes []string, ing *networkingv1.Ingress) *networkingv1.Ingress {
	if len(annotations.Guards(prefixes, ing)) == 0 {
		return nil
	}
	out := &networkingv1.Ingress{ObjectMeta: *ing.ObjectMeta.DeepCopy()}
	// Another object than the one whose version is remembered by these.
	out.Annotations, out.UID, out.ResourceVersion = nil, "", ""
	for _, rule := range ing.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		closed := networkingv1.IngressRule{Host: rule.Host}
		closed.HTTP = &networkingv1.HTTPIngressRuleValue{}
		for _, p := range rule.HTTP.Paths {
			if i := strings.IndexAny(p.Path, metaCharacters); i >= 0 {
				if p.Path = p.Path[:i]; p.Path == "/" || p.Path == "" {
					continue // it would close the host for others
				}
				p.PathType = new(networkingv1.PathTypeImplementationSpecific)
			}
			if !slices.ContainsFunc(closed.HTTP.Paths, func(o networkingv1.HTTPIngressPath) bool { return o.Path == p.Path }) {
				closed.HTTP.Paths = append(closed.HTTP.Paths, p)
			}
		}
		if len(closed.HTTP.Paths) > 0 {
			out.Spec.Rules = append(out.Spec.Rules, closed)
		}
	}
	return out
}

// metaCharacters have a meaning in regular expressions.
const metaCharacters = `\^$.|?*+()[]{}`
