package main

import (
	"net"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
	"github.com/sidegate/sidegate/pkg/translate"
)

// targets says where requests may be sent: not to what listens in this pod.
func (o *options) targets() translate.Targets {
	t := translate.Targets{AllowLoopback: o.allowLoopback}
	for _, port := range []int{o.httpPort, o.httpsPort, o.healthPort} {
		t.Ports = append(t.Ports, uint16(port))
	}
	if a, err := netip.ParseAddrPort(o.debugEndpoint.address); err == nil {
		t.Ports = append(t.Ports, a.Port())
	}
	if a, err := o.discovery(); err == nil {
		for i := range o.discoveryListeners {
			t.Ports = append(t.Ports, a.Port()+uint16(i))
		}
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return t // without them the loops of a pod to itself are ended by their count
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok {
			if address, ok := netip.AddrFromSlice(n.IP); ok {
				t.Own = append(t.Own, address.Unmap())
			}
		}
	}
	return t
}

// nameServers are those of the flag, or of the machine, and the search list.
func (o *options) nameServers() (servers, search []string) {
	config, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil {
		return o.clusterDNS, nil
	}
	if len(o.clusterDNS) > 0 {
		return o.clusterDNS, config.Search
	}
	for _, s := range config.Servers {
		if strings.Contains(s, ":") {
			s = "[" + s + "]"
		}
		servers = append(servers, s)
	}
	return servers, config.Search
}
