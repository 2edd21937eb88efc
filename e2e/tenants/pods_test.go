package tenants_test

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/pkg/echo"
)

// pod is a backend that remembers what it was asked.
type pod struct {
	echo echo.Server
	mu   sync.Mutex
	seen []*http.Request
}

func startPod(t *testing.T, name string, address netip.AddrPort) *pod {
	t.Helper()
	l, err := net.Listen("tcp", address.String())
	if err != nil {
		t.Fatal(err)
	}
	p := &pod{echo: echo.Server{Pod: name}}
	server := &http.Server{Handler: p}
	go func() { _ = server.Serve(l) }() // it ends with the test
	t.Cleanup(func() { _ = server.Close() })
	return p
}

func (p *pod) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.seen = append(p.seen, r)
	p.mu.Unlock()
	p.echo.ServeHTTP(w, r)
}

// asked returns what the pod was asked since the last call.
func (p *pod) asked() []*http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := p.seen
	p.seen = nil
	return seen
}

// serveNames is the world's name server: names that lead to where nothing may
// be sent.
func serveNames(t *testing.T) {
	t.Helper()
	names := map[string]string{
		"loopback.outside.test.": "127.0.0.1", "metadata.outside.test.": "169.254.169.254", "gateway.outside.test.": kit.NodeIP.String(),
		"balancer.outside.test.": "198.18.200.7",
	}
	started := make(chan struct{})
	server := &dns.Server{
		Addr: netip.AddrPortFrom(kit.DNSIP, 53).String(), Net: "udp",
		NotifyStartedFunc: func() { close(started) },
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
			m := new(dns.Msg).SetReply(query)
			q := query.Question[0]
			if ip, ok := names[strings.ToLower(q.Name)]; !ok {
				m.Rcode = dns.RcodeNameError
			} else if q.Qtype == dns.TypeA {
				m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 5}, A: net.ParseIP(ip)}}
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
	t.Cleanup(func() { _ = server.Shutdown() })
}

// startBalancer starts one that passes connections on to the gateway, as the one
// of a cloud does.
func startBalancer(t *testing.T, rounds *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", balancer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			rounds.Add(1)
			go pass(from)
		}
	}()
}

func pass(from net.Conn) {
	defer func() { _ = from.Close() }()
	to, err := net.Dial("tcp", "198.18.0.1:80")
	if err != nil {
		return // whoever asked sees that nobody answers
	}
	defer func() { _ = to.Close() }()
	go func() { _, _ = io.Copy(to, from) }()
	_, _ = io.Copy(from, to)
}
