package kit

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// clusterZone ends the names that ServeDNS knows.
const clusterZone = ".svc.cluster.local."

// dnsTTL is in seconds: as short as CoreDNS answers for a Service at the least.
const dnsTTL = 5

// ServeDNS stands in for a cluster's name server on port 53 of ip (DNSIP, as a
// rule), until ctx ends; it returns when it answers. SERVICE.NAMESPACE.svc.
// cluster.local is the addresses of the Service's ready pods, also where a
// cluster would answer the Service's own address, since there is no kube-proxy;
// the name of a Service of type ExternalName is a CNAME. It asks the API each
// time, and answers SERVFAIL when that is away.
func ServeDNS(ctx context.Context, reader client.Reader, ip netip.Addr) error {
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		w.WriteMsg(answer(ctx, reader, query)) //nolint:errcheck // whoever asked asks again
	})
	address := netip.AddrPortFrom(ip, 53).String()
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		return fmt.Errorf("a name server for the cluster: %w", err)
	}
	streams, err := net.Listen("tcp", address)
	if err != nil {
		packets.Close()
		return fmt.Errorf("a name server for the cluster: %w", err)
	}
	for _, server := range []*dns.Server{
		{PacketConn: packets, Handler: handler},
		{Listener: streams, Handler: handler},
	} {
		go server.ActivateAndServe()                                   //nolint:errcheck // it ends when ctx does
		context.AfterFunc(ctx, func() { server.ShutdownContext(ctx) }) //nolint:errcheck // what was asked last may go unanswered
	}
	return nil
}

func answer(ctx context.Context, reader client.Reader, query *dns.Msg) *dns.Msg {
	reply := new(dns.Msg).SetReply(query)
	if len(query.Question) != 1 {
		return reply.SetRcode(query, dns.RcodeFormatError)
	}
	// Ends a chase after names that stand for each other, too.
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	records, err := resolve(ctx, reader, query.Question[0].Name, query.Question[0].Qtype)
	switch {
	case apierrors.IsNotFound(err):
		return reply.SetRcode(query, dns.RcodeNameError)
	case err != nil:
		return reply.SetRcode(query, dns.RcodeServerFailure)
	}
	reply.Answer = records
	return reply
}

// resolve returns the records of a name, with those of the name that it stands
// for, as a stub resolver wants them.
func resolve(ctx context.Context, reader client.Reader, name string, kind uint16) ([]dns.RR, error) {
	prefix, ok := strings.CutSuffix(strings.ToLower(name), clusterZone)
	key := types.NamespacedName{}
	key.Name, key.Namespace, _ = strings.Cut(prefix, ".")
	if !ok || key.Namespace == "" || strings.Contains(key.Namespace, ".") {
		return nil, apierrors.NewNotFound(corev1.Resource("services"), name)
	}
	var service corev1.Service
	if err := reader.Get(ctx, key, &service); err != nil {
		return nil, err
	}
	header := dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: dnsTTL}
	if service.Spec.Type != corev1.ServiceTypeExternalName {
		return pods(ctx, reader, key, header)
	}
	target := dns.Fqdn(service.Spec.ExternalName)
	header.Rrtype = dns.TypeCNAME
	records, err := resolve(ctx, reader, target, kind)
	return append([]dns.RR{&dns.CNAME{Hdr: header, Target: target}}, records...), err
}

// pods returns the addresses of the ready pods of a Service.
func pods(ctx context.Context, reader client.Reader, key types.NamespacedName, header dns.RR_Header) ([]dns.RR, error) {
	var slices discoveryv1.EndpointSliceList
	err := reader.List(ctx, &slices, client.InNamespace(key.Namespace), client.MatchingLabels{discoveryv1.LabelServiceName: key.Name})
	if err != nil {
		return nil, err
	}
	var records []dns.RR
	for _, slice := range slices.Items {
		for _, endpoint := range slice.Endpoints {
			if !ptr.Deref(endpoint.Conditions.Ready, true) {
				continue
			}
			ip := net.ParseIP(endpoint.Addresses[0])
			switch {
			case slice.AddressType == discoveryv1.AddressTypeIPv4 && header.Rrtype == dns.TypeA:
				records = append(records, &dns.A{Hdr: header, A: ip})
			case slice.AddressType == discoveryv1.AddressTypeIPv6 && header.Rrtype == dns.TypeAAAA:
				records = append(records, &dns.AAAA{Hdr: header, AAAA: ip})
			}
		}
	}
	return records, nil
}
