package translate

import (
	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
	"k8s.io/apimachinery/pkg/types"
)

// guardHeld closes an Ingress whose newest version is held back and guards what
// the last good version, which is served instead, leaves open.
func (b *build) guardHeld(ing *ingress) {
	newest := b.Snapshot.Held[types.NamespacedName{Namespace: ing.Namespace, Name: ing.Name}]
	if newest == nil {
		return
	}
	guard := annotations.Opens(b.options.AnnotationPrefixes, ing.Ingress, newest)
	if guard == nil {
		return
	}
	reason := "its newest version, which cannot be served, guards it by " + guard.Key
	ing.closed = reason
	what := "its locations answer"
	if guard.Scope == annotations.ScopeServer {
		ing.closedHost, what = reason, "its hosts answer"
	}
	b.report(ing.object, model.Error, model.ReasonLocationClosed, annotations.Field(guard.Key), guard.Value,
		"the last good version of the Ingress is served and lacks this guard of the newest one; %s 503 and are not open", what)
}

// closeHosts closes the hosts that an annotation was to guard as a whole. A
// namespace can close a host of its own and its own locations of another's,
// but not what another namespace serves: that never asked for the guard.
func closeHosts(b *build) {
	for _, h := range b.hosts {
		for _, ing := range h.ingresses {
			reason := ing.closedHost
			if reason == "" {
				reason = h.unread[ing]
			}
			if reason == "" {
				continue
			}
			reason += " (" + ing.object.String() + ")"
			if ing.Namespace == h.ingresses[0].Namespace {
				h.closed = reason
				break
			}
			if h.closedTo == nil {
				h.closedTo = map[string]string{}
			}
			h.closedTo[ing.Namespace] = reason
		}
	}
}

// closeUnguarded closes a location that an annotation, or a key of the
// ConfigMap, was to guard which cannot be used.
func closeUnguarded(b *build, p *path, d *draft) {
	for _, reason := range []string{p.ingress.closed, p.host.closed, p.host.closedTo[p.ingress.Namespace], b.unguarded()} {
		if reason != "" {
			d.close(reason)
		}
	}
}

// unguarded says which key of the ConfigMap was to keep requests out and cannot
// be used, or is empty.
func (b *build) unguarded() string {
	if b.settings.Unguarded == "" {
		return ""
	}
	return "the key " + b.settings.Unguarded + " of the ConfigMap cannot be used"
}
