package tenants_test

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

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
