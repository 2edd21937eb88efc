package kit

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// ServeNames is the world's name server, at DNSIP, until the test ends.
func ServeNames(t *testing.T, names map[string]netip.Addr) {
	t.Helper()
	started := make(chan struct{})
	server := &dns.Server{
		Addr: netip.AddrPortFrom(DNSIP, 53).String(), Net: "udp",
		NotifyStartedFunc: func() { close(started) },
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
			m := new(dns.Msg).SetReply(query)
			q := query.Question[0]
			if ip, ok := names[strings.ToLower(q.Name)]; !ok {
				m.Rcode = dns.RcodeNameError
			} else if q.Qtype == dns.TypeA {
				m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 5}, A: ip.AsSlice()}}
			}
			_ = w.WriteMsg(m) // whoever asked asks again
		}),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case <-started:
	case err := <-failed:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(server.Shutdown(), <-failed); err != nil { // until then it holds its address
			t.Error(err)
		}
	})
}
