package translate

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"github.com/sidegate/sidegate/pkg/model"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// sendToBackend sends the requests of a path to the endpoints of its Service.
// A path whose Service cannot be used answers 503.
func sendToBackend(b *build, p *path, d *draft) {
	s := p.backend.Service
	if d.answer != nil {
		// What answers by itself needs no Service that exists.
		if s != nil && validServiceName(backendOf(p, s)) {
			d.backend = new(backendOf(p, s))
		}
		return
	}
	if s == nil {
		what := "nothing"
		if r := p.backend.Resource; r != nil {
			what = r.Kind + " " + r.Name
		}
		d.close("the backend is not a Service")
		b.report(p.ingress.object, model.Error, model.ReasonBackendUnsupported, p.field, what,
			"the backend must be a Service; the path answers 503")
		return
	}
	backend := backendOf(p, s)
	upstream, reason, message := b.upstream(backend)
	if upstream == nil {
		d.close(message)
		d.closed.NoService = reason == model.ReasonServiceNotFound
		b.report(p.ingress.object, model.Warning, reason, p.field, backend.String(), "%s; the path answers 503", message)
		return
	}
	d.sendTo(upstream)
}

// sendTo sends requests to the upstream. One that is outside may lead to nginx by
// ways that no check of addresses sees: a Service, a load balancer, another
// replica.
func (d *draft) sendTo(u *model.Upstream) {
	d.backend, d.upstream, d.loop = &u.Backend, u, u.Outside != nil
}

func backendOf(p *path, s *networkingv1.IngressServiceBackend) model.Backend {
	return model.Backend{Namespace: p.ingress.Namespace, Service: s.Name, Port: portText(s.Port)}
}

// sendToDefaultBackend does the same for the Service that a flag names. It
// returns false where there is none.
func (b *build) sendToDefaultBackend(d *draft) bool {
	ref := b.options.DefaultBackend
	if ref.Name == "" {
		return false
	}
	service, ok := b.Snapshot.Services[ref]
	if !ok || len(service.Spec.Ports) == 0 {
		b.report(model.Object{Kind: "Service", Namespace: ref.Namespace, Name: ref.Name}, model.Error, model.ReasonServiceNotFound, "", "",
			"--default-backend-service names a Service that does not exist or has no port; nginx itself answers 404 instead")
		return false
	}
	backend := model.Backend{Namespace: ref.Namespace, Service: ref.Name, Port: strconv.Itoa(int(service.Spec.Ports[0].Port))}
	upstream, _, message := b.upstream(backend)
	if upstream == nil {
		b.report(model.Object{Kind: "Service", Namespace: ref.Namespace, Name: ref.Name}, model.Error, model.ReasonBackendUnsupported, "", "",
			"%s; nginx itself answers 404 instead", message)
		return false
	}
	d.sendTo(upstream)
	return true
}

func portText(p networkingv1.ServiceBackendPort) string {
	if p.Name != "" {
		return p.Name
	}
	return strconv.Itoa(int(p.Number))
}

// upstream returns a new upstream of a Service port, without settings and without
// a name, or why there can be none.
func (b *build) upstream(backend model.Backend) (u *model.Upstream, reason, message string) {
	if !validServiceName(backend) {
		return nil, model.ReasonInvalidValue, "the Service's name or port is not one that Kubernetes allows"
	}
	if known, ok := b.backends[backend]; ok {
		return new(*known), "", ""
	}
	service, ok := b.Snapshot.Services[types.NamespacedName{Namespace: backend.Namespace, Name: backend.Service}]
	if !ok {
		return nil, model.ReasonServiceNotFound, "the Service does not exist"
	}
	u = &model.Upstream{Backend: backend, Keepalive: b.settings.UpstreamKeepalive}
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		reason, message = b.fillExternal(u, service)
	} else {
		reason, message = b.fillEndpoints(u, service)
	}
	if message != "" {
		return nil, reason, message
	}
	b.backends[backend] = u
	return new(*u), "", ""
}

func validServiceName(backend model.Backend) bool {
	for _, part := range []string{backend.Namespace, backend.Service, backend.Port} {
		if !dnsLabel(part) {
			return false
		}
	}
	return true
}

// dnsLabel tells whether s can be a part of our names, which join parts by
// dots and slashes.
func dnsLabel(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 63
}

// upstreamName is HASH.NAMESPACE.SERVICE.PORT. None of the parts can hold a
// dot, so two Services never share a name. The hash stands in front because
// nginx looks names of upstreams and zones up one by one: names that differ
// in their first letters make that a third faster with 3,000 of them.
func upstreamName(hash string, backend model.Backend) model.Ident {
	return model.Ident(hash + "." + backend.Namespace + "." + backend.Service + "." + backend.Port)
}

// route tells the variables of the configuration about the backend. The
// Ingress's name may be empty.
func route(backend model.Backend, ingress, hash string) *model.Route {
	return &model.Route{
		Path:    backend.Namespace + "/" + ingress + "/" + backend.Service + "/" + backend.Port + "/" + hash,
		LogName: backend.Namespace + "-" + backend.Service + "-" + backend.Port,
	}
}

// plainHash is the hash of an upstream that has no settings of its own.
func plainHash(backend model.Backend) string { return digest(backend)[:4] }

// fillEndpoints gives the upstream a server line for every port that its
// endpoints listen on.
func (b *build) fillEndpoints(u *model.Upstream, service *corev1.Service) (reason, message string) {
	port, ok := servicePort(service, u.Backend.Port)
	if !ok {
		return model.ReasonPortNotFound, "the Service has no port " + u.Backend.Port
	}
	if port.Name != "" && !dnsLabel(port.Name) {
		return model.ReasonInvalidValue, "the name of the Service's port is not one that Kubernetes allows"
	}
	list := b.Snapshot.EndpointSlices[types.NamespacedName{Namespace: u.Backend.Namespace, Name: u.Backend.Service}]
	found := endpointsOf(service, list, port.Name)
	b.reportForbidden(u, found)
	ports := found.ports
	if len(ports) == 0 {
		ports = b.knownPorts(u.Backend, port)
	}
	for _, number := range ports {
		u.Servers = append(u.Servers, model.UpstreamServer{
			Host: serverHost(u.Backend, port.Name, number), Port: number, PortName: port.Name, Resolve: true,
		})
	}
	b.endpoints[u.Backend] = found.count()
	b.resolvesIPv6 = b.resolvesIPv6 || found.hasIPv6
	return "", ""
}

// reportForbidden tells the owner of a Service which of its endpoints nginx does
// not get. It is discovery that leaves them out.
func (b *build) reportForbidden(u *model.Upstream, found endpoints) {
	for _, port := range slices.Sorted(maps.Keys(found.addresses)) {
		for _, a := range found.addresses[port] {
			if what := b.options.Targets.refusal(netip.AddrPortFrom(a, uint16(port))); what != "" {
				b.report(model.Object{Kind: "Service", Namespace: u.Backend.Namespace, Name: u.Backend.Service}, model.Warning,
					model.ReasonForbiddenTarget, "", netip.AddrPortFrom(a, uint16(port)).String(),
					"an EndpointSlice names %s, to which nothing is sent", what)
				return // one is enough to know where to look
			}
		}
	}
}

// knownPorts are the ports of a Service without endpoints: those that nginx
// has for it now, so that an empty Service is no reason for a reload, or else
// the one that the Service says, or its own.
func (b *build) knownPorts(backend model.Backend, port corev1.ServicePort) []int32 {
	if previous := b.previousOf(backend); previous != nil {
		var out []int32
		for _, s := range previous.Servers {
			if s.PortName == port.Name && s.Resolve && previous.Outside == nil {
				out = append(out, s.Port)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	if port.TargetPort.Type == intstr.Int && port.TargetPort.IntVal > 0 {
		return []int32{port.TargetPort.IntVal}
	}
	return []int32{port.Port}
}

// previousOf is an upstream that nginx has of the Service port, with whatever
// settings; nil is: none.
func (b *build) previousOf(backend model.Backend) *model.Upstream {
	if b.Previous == nil {
		return nil
	}
	if b.previous == nil {
		b.previous = make(map[model.Backend]*model.Upstream, len(b.Previous.Upstreams))
		for i := range b.Previous.Upstreams {
			u := &b.Previous.Upstreams[i]
			b.previous[u.Backend] = u
		}
	}
	return b.previous[backend]
}

// previousUpstream is the upstream as nginx has it now; nil is: not at all.
func (b *build) previousUpstream(name model.Ident) *model.Upstream {
	if b.Previous == nil {
		return nil
	}
	return b.Previous.Upstream(name)
}

// serverHost names the endpoints of a Service port that listen on one number.
func serverHost(backend model.Backend, portName string, number int32) model.Ident {
	name := strconv.Itoa(int(number))
	if portName != "" {
		name += "." + portName
	}
	return model.Ident(name + "." + backend.Service + "." + backend.Namespace + ".sg")
}

// servicePort finds the port that an Ingress means: by its number, its name,
// or the number or name that the pods have.
func servicePort(service *corev1.Service, want string) (corev1.ServicePort, bool) {
	for _, means := range []func(corev1.ServicePort) string{
		func(p corev1.ServicePort) string { return strconv.Itoa(int(p.Port)) },
		func(p corev1.ServicePort) string { return p.Name },
		func(p corev1.ServicePort) string { return p.TargetPort.String() },
	} {
		for _, p := range service.Spec.Ports {
			if means(p) == want && (p.Protocol == "" || p.Protocol == corev1.ProtocolTCP) {
				return p, true
			}
		}
	}
	// A headless Service need not say its ports.
	if n, err := strconv.Atoi(want); err == nil && service.Spec.ClusterIP == corev1.ClusterIPNone && len(service.Spec.Ports) == 0 {
		return corev1.ServicePort{Port: int32(n), TargetPort: intstr.FromInt32(int32(n))}, true
	}
	return corev1.ServicePort{}, false
}

// fillExternal gives the upstream the name that an ExternalName Service
// stands for.
func (b *build) fillExternal(u *model.Upstream, service *corev1.Service) (reason, message string) {
	if b.options.DisableExternalName {
		return model.ReasonBackendUnsupported, "the Service is of type ExternalName, which --disable-svc-external-name forbids"
	}
	number, err := strconv.Atoi(u.Backend.Port)
	if err != nil {
		port, ok := servicePort(service, u.Backend.Port)
		if !ok {
			return model.ReasonPortNotFound, "the Service has no port " + u.Backend.Port
		}
		number = int(port.Port)
		if port.TargetPort.Type == intstr.Int && port.TargetPort.IntVal > 0 {
			number = int(port.TargetPort.IntVal)
		}
	}
	if number < 1 || number > 65535 {
		return model.ReasonPortNotFound, "the port must be from 1 to 65535"
	}
	server := model.UpstreamServer{Port: int32(number)}
	u.Zone = minimumZone
	if address, err := netip.ParseAddr(service.Spec.ExternalName); err == nil && address.Is4() {
		if what := b.options.Targets.refusal(netip.AddrPortFrom(address, uint16(number))); what != "" {
			return model.ReasonForbiddenTarget, "the Service's externalName is " + what + ", to which nothing is sent"
		}
		server.Host = model.Ident(address.String())
		u.Servers = []model.UpstreamServer{server}
		return "", ""
	}
	outside, err := outsideName(service.Spec.ExternalName, uint16(number))
	if err != nil {
		return model.ReasonInvalidValue, "the Service's externalName " + err.Error()
	}
	if len(b.options.ClusterResolvers) == 0 {
		return model.ReasonBackendUnsupported, "no name server is known that could look up an ExternalName"
	}
	server.Host, server.Resolve = outside.Asked, true
	u.Servers = []model.UpstreamServer{server}
	u.Outside = outside
	return "", ""
}
