package snapshot

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Snapshot is the state of the cluster at one moment, as far as it matters.
// Neither it nor any object in it may be changed: the objects are shared with
// the caches they came from.
type Snapshot struct {
	// Time is when the copy was made. Certificates are judged by it.
	Time time.Time
	// Ingresses are those of our classes, the oldest first: of two that
	// claim the same, the first one wins.
	Ingresses []*networkingv1.Ingress
	// Held are the newest versions of Ingresses whose last good version stands in Ingresses; nil means none.
	Held map[types.NamespacedName]*networkingv1.Ingress
	// Services are those that an Ingress or a flag names, and perhaps more.
	Services map[types.NamespacedName]*corev1.Service
	// EndpointSlices are listed by the name of their Service, sorted by name.
	EndpointSlices map[types.NamespacedName][]*discoveryv1.EndpointSlice
	// Secrets are those that an Ingress or a flag refers to.
	Secrets map[types.NamespacedName]*corev1.Secret
	// ConfigMap holds the global settings; nil where there is none.
	ConfigMap *corev1.ConfigMap
}

// SortIngresses puts Ingresses in the order of precedence: by age, then by
// namespace and name.
func SortIngresses(list []*networkingv1.Ingress) {
	slices.SortFunc(list, comparePrecedence)
}

func comparePrecedence(a, b *networkingv1.Ingress) int {
	return cmp.Or(
		a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(a.Name, b.Name),
	)
}

// AddSlice files a slice under its Service.
func (s *Snapshot) AddSlice(slice *discoveryv1.EndpointSlice) {
	name := slice.Labels[discoveryv1.LabelServiceName]
	if name == "" {
		return
	}
	key := types.NamespacedName{Namespace: slice.Namespace, Name: name}
	s.EndpointSlices[key] = append(s.EndpointSlices[key], slice)
}

func (s *Snapshot) sortSlices() {
	for _, list := range s.EndpointSlices {
		slices.SortFunc(list, func(a, b *discoveryv1.EndpointSlice) int { return cmp.Compare(a.Name, b.Name) })
	}
}

// With returns a copy of the snapshot in which change decides about each
// Ingress: another version of it, or nil for none.
func (s *Snapshot) With(change func(*networkingv1.Ingress) *networkingv1.Ingress) *Snapshot {
	out := *s
	out.Ingresses = nil
	for _, ing := range s.Ingresses {
		if ing = change(ing); ing != nil {
			out.Ingresses = append(out.Ingresses, ing)
		}
	}
	return &out
}
