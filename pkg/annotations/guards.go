package annotations

import (
	networkingv1 "k8s.io/api/networking/v1"
)

// Guard is an annotation that keeps requests out.
type Guard struct {
	// Key is the annotation as the Ingress has it, with its prefix.
	Key   string
	Value string
	// Scope says whether its location or the whole host is guarded.
	Scope Scope
}

// Guards are the annotations of the Ingress that keep requests out, by the
// names of their rows, whatever prefix or alias they come under. Those whose
// value keeps nothing out are not among them.
func Guards(prefixes []string, ing *networkingv1.Ingress) map[string]Guard {
	out := map[string]Guard{}
	for key, row := range chosen(prefixes, ing.Annotations) {
		if value := ing.Annotations[key]; row != nil && row.keepsOut(value) {
			out[row.Name] = Guard{Key: key, Value: value, Scope: row.Scope}
		}
	}
	return out
}

// Opens names a guard that newest has and served has not, or has with another
// value. It returns nil where served lets nobody in whom newest keeps out.
func Opens(prefixes []string, served, newest *networkingv1.Ingress) *Guard {
	had := Guards(prefixes, served)
	var found *Guard
	for name, guard := range Guards(prefixes, newest) {
		if had[name].Value == guard.Value && had[name].Key != "" {
			continue
		}
		if found == nil || guard.before(*found) {
			found = &guard
		}
	}
	return found
}

// before puts guards of whole hosts first, and makes the choice depend on
// nothing else than what there is.
func (g Guard) before(other Guard) bool {
	if (g.Scope == ScopeServer) != (other.Scope == ScopeServer) {
		return g.Scope == ScopeServer
	}
	return g.Key < other.Key
}
