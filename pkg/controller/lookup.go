package controller

import (
	"net/netip"

	"github.com/miekg/dns"
	"github.com/sidegate/sidegate/pkg/discovery"
)

// newLookup asks the cluster's name servers for the names that nginx may be sent
// to besides endpoints.
func newLookup(c Config) *discovery.Lookup {
	l := discovery.NewLookup(dns.ClientConfig{
		Servers: c.Translate.ClusterResolvers, Search: c.Translate.Search, Ndots: 1, // as it is first, where it has a dot
	}, c.Translate.Targets.Allowed)
	l.Refused = func(name string, address netip.AddrPort) {
		c.Log.Info("a name leads to an address that nothing is sent to", "name", name, "address", address.String())
	}
	return l
}
