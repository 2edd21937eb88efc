package translate

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/sidegate/sidegate/pkg/model"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// endpoints are the endpoints of a Service port that may get requests, one
// address each.
type endpoints struct {
	// ports are the numbers that any endpoint of the Service listens on,
	// sorted, whether or not it is ready: a pod that becomes ready must not
	// need a reload.
	ports []int32
	// addresses are sorted and unique.
	addresses map[int32][]netip.Addr
	// hasIPv6 says that addresses are, or would be, those of IPv6.
	hasIPv6 bool
}

func (e endpoints) count() (n int) {
	for _, list := range e.addresses {
		n += len(list)
	}
	return n
}

// endpointsOf chooses endpoints as kube-proxy does: those that are ready, or,
// where none is, those that are on their way out but still serve. Of a pod
// with addresses of both families the one of the Service's first family is
// taken, so that it counts once.
func endpointsOf(service *corev1.Service, list []*discoveryv1.EndpointSlice, portName string) endpoints {
	families := []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6}
	if f := service.Spec.IPFamilies; len(f) > 0 && f[0] == corev1.IPv6Protocol {
		slices.Reverse(families)
	}
	usable := []func(discoveryv1.EndpointConditions) bool{
		func(c discoveryv1.EndpointConditions) bool { return c.Ready == nil || *c.Ready },
		func(c discoveryv1.EndpointConditions) bool {
			return c.Serving != nil && *c.Serving && c.Terminating != nil && *c.Terminating
		},
	}
	out := endpoints{addresses: map[int32][]netip.Addr{}}
	for _, use := range usable {
		for _, family := range families {
			out.collect(list, family, portName, use)
			if len(out.addresses) > 0 {
				out.finish(list, families)
				return out
			}
		}
	}
	out.finish(list, families)
	return out
}

func (e *endpoints) collect(list []*discoveryv1.EndpointSlice, family discoveryv1.AddressType, portName string, use func(discoveryv1.EndpointConditions) bool) {
	for _, slice := range list {
		number, ok := slicePort(slice, portName)
		if !ok || slice.AddressType != family {
			continue
		}
		if !slices.Contains(e.ports, number) && len(slice.Endpoints) > 0 {
			e.ports = append(e.ports, number)
		}
		for _, endpoint := range slice.Endpoints {
			if len(endpoint.Addresses) == 0 || !use(endpoint.Conditions) {
				continue
			}
			// The first address is the endpoint; more are not used by anyone.
			if a, err := netip.ParseAddr(endpoint.Addresses[0]); err == nil {
				e.addresses[number] = append(e.addresses[number], a)
			}
		}
	}
}

func (e *endpoints) finish(list []*discoveryv1.EndpointSlice, families []discoveryv1.AddressType) {
	slices.Sort(e.ports)
	for number, addresses := range e.addresses {
		slices.SortFunc(addresses, netip.Addr.Compare)
		e.addresses[number] = slices.Compact(addresses)
	}
	// Slices come and go less often than endpoints, so it is they that
	// decide whether nginx asks for IPv6.
	has := map[discoveryv1.AddressType]bool{}
	for _, slice := range list {
		has[slice.AddressType] = true
	}
	e.hasIPv6 = has[discoveryv1.AddressTypeIPv6] && (families[0] == discoveryv1.AddressTypeIPv6 || !has[discoveryv1.AddressTypeIPv4])
}

// slicePort returns the number of the port with the name.
func slicePort(slice *discoveryv1.EndpointSlice, name string) (int32, bool) {
	for _, p := range slice.Ports {
		protocol := corev1.ProtocolTCP
		if p.Protocol != nil {
			protocol = *p.Protocol
		}
		var portName string
		if p.Name != nil {
			portName = *p.Name
		}
		// An API server takes any number here.
		if portName == name && p.Port != nil && *p.Port > 0 && *p.Port <= 65535 && protocol == corev1.ProtocolTCP {
			return *p.Port, true
		}
	}
	return 0, false
}

// Record is the answer to nginx's question for a server name.
type Record struct {
	Addrs []netip.Addr
	// Port is where all of them listen.
	Port uint16
	// Marker says that the Service has no endpoint at all: the answer is the
	// address that makes nginx answer 503 and ask again in a second.
	Marker bool
}

// Records are the answers for the server names of an upstream. There are none
// for an upstream that Sidegate's own DNS server is not asked about.
func Records(u *model.Upstream, service *corev1.Service, list []*discoveryv1.EndpointSlice) map[string]Record {
	if u.Outside != nil {
		return nil
	}
	out := map[string]Record{}
	found := found(u, service, list)
	empty := found.count() == 0
	for _, s := range u.Servers {
		if s.Resolve {
			out[string(s.Host)] = Record{Addrs: found.addresses[s.Port], Port: uint16(s.Port), Marker: empty}
		}
	}
	return out
}

// NeedsSync tells whether an endpoint is there that the upstream, as nginx
// has it, cannot take: it listens on another port, or the zone is full.
func NeedsSync(u *model.Upstream, service *corev1.Service, list []*discoveryv1.EndpointSlice) bool {
	if u.Outside != nil {
		return false
	}
	found := found(u, service, list)
	if service != nil && found.count() > Capacity(u.Zone) {
		return true
	}
	for _, port := range found.ports {
		if !slices.ContainsFunc(u.Servers, func(s model.UpstreamServer) bool { return s.Port == port }) {
			return true
		}
	}
	return false
}

func found(u *model.Upstream, service *corev1.Service, list []*discoveryv1.EndpointSlice) endpoints {
	if service == nil || len(u.Servers) == 0 {
		return endpoints{}
	}
	return endpointsOf(service, list, u.Servers[0].PortName)
}

// The zones that upstreams get. A zone of 32k holds 14 endpoints, one of 64k
// 55 and one of 2m all of 1,000 (measured on nginx 1.30.6): some 20 kB are
// nginx's own, and an endpoint takes some 0.8 kB. Memory that holds nothing
// is never touched, so a large zone costs address space only.
const minimumZone model.Size = "256k"

var zones = []struct {
	size     model.Size
	capacity int
}{
	{minimumZone, 250}, {"1m", 1000}, {"4m", 4500}, {"16m", 18000}, {"64m", 72000},
}

// Capacity is the number of endpoints that fit into a zone.
func Capacity(zone model.Size) int {
	for _, z := range zones {
		if z.size == zone {
			return z.capacity
		}
	}
	return 0
}

// zoneFor sizes the zone for n endpoints. The one that nginx has stays as
// long as n fits; a new one has room for twice as many, so that growing does
// not take a reload each time.
func zoneFor(n int, previous *model.Upstream) model.Size {
	if previous != nil && n <= Capacity(previous.Zone) {
		return previous.Zone
	}
	i, _ := slices.BinarySearchFunc(zones, 2*n, func(z struct {
		size     model.Size
		capacity int
	}, want int) int {
		return cmp.Compare(z.capacity, want)
	})
	return zones[min(i, len(zones)-1)].size
}
