package status

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// Addresses are what Ingresses report, sorted.
type Addresses []networkingv1.IngressLoadBalancerIngress

// Fixed are addresses that somebody named.
func Fixed(names []string) (out Addresses) {
	for _, n := range names {
		out = append(out, entry(n))
	}
	return out.sorted()
}

// OfService are the ways to a Service, by its type. None means that it has no
// address now, not that it has none for good.
func OfService(s *corev1.Service) (out Addresses) {
	switch s.Spec.Type {
	case corev1.ServiceTypeExternalName:
		out = append(out, entry(s.Spec.ExternalName))
	case corev1.ServiceTypeLoadBalancer:
		for _, i := range s.Status.LoadBalancer.Ingress {
			// A balancer that has both keeps both.
			out = append(out, networkingv1.IngressLoadBalancerIngress{IP: i.IP, Hostname: i.Hostname})
		}
		out = append(out, Fixed(s.Spec.ExternalIPs)...)
	default:
		out = Fixed(s.Spec.ExternalIPs)
		if len(out) == 0 && s.Spec.ClusterIP != corev1.ClusterIPNone {
			out = append(out, entry(s.Spec.ClusterIP))
		}
	}
	return out.sorted()
}

// entry is an address or a name.
func entry(name string) networkingv1.IngressLoadBalancerIngress {
	if _, err := netip.ParseAddr(name); err == nil {
		return networkingv1.IngressLoadBalancerIngress{IP: name}
	}
	return networkingv1.IngressLoadBalancerIngress{Hostname: name}
}

// sorted leaves out what is empty or there twice.
func (a Addresses) sorted() Addresses {
	a = slices.DeleteFunc(a, func(i networkingv1.IngressLoadBalancerIngress) bool { return i.IP == "" && i.Hostname == "" })
	slices.SortFunc(a, func(x, y networkingv1.IngressLoadBalancerIngress) int {
		return cmp.Or(cmp.Compare(x.IP, y.IP), cmp.Compare(x.Hostname, y.Hostname))
	})
	return slices.CompactFunc(a, same)
}

// same leaves out ports, which we do not write.
func same(x, y networkingv1.IngressLoadBalancerIngress) bool {
	return x.IP == y.IP && x.Hostname == y.Hostname
}

// shown tells whether an Ingress reports just these.
func (a Addresses) shown(ing *networkingv1.Ingress) bool {
	return slices.EqualFunc(a, ing.Status.LoadBalancer.Ingress, same)
}
