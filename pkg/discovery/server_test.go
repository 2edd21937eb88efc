package discovery

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// start runs a server on free ports and returns its first address.
func start(t *testing.T, table *Table) (*Server, string) {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		base := netip.MustParseAddrPort(l.Addr().String())
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		s := NewServer(table, base, 3)
		ctx, cancel := context.WithCancel(context.Background())
		ready, ended := make(chan struct{}), make(chan error, 1)
		go func() { ended <- s.Run(ctx, func() { close(ready) }) }()
		select {
		case <-ready:
			t.Cleanup(func() { cancel(); <-ended })
			return s, s.Addresses()[2]
		case <-ended:
			cancel() // a port was taken in between
		}
	}
	t.Fatal("no three free ports")
	return nil, ""
}

func ask(t *testing.T, network, address, name string, kind uint16) *dns.Msg {
	t.Helper()
	q := new(dns.Msg)
	q.SetQuestion(name, kind)
	c := dns.Client{Net: network, Timeout: 5 * time.Second}
	m, _, err := c.Exchange(q, address)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAnswers(t *testing.T) {
	table := NewTable(nil)
	_, address := start(t, table)
	four, six := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")
	table.Set(map[string]Record{
		"four.sg": {Addrs: []netip.Addr{four}}, "six.sg": {Addrs: []netip.Addr{six}},
		"none.sg": {Marker: true}, "elsewhere.sg": {},
	})
	if m := ask(t, "udp", address, "four.sg.", dns.TypeA); m.Rcode != dns.RcodeServerFailure {
		t.Errorf("before the table is complete: %s", dns.RcodeToString[m.Rcode])
	}
	table.MarkSynced()
	tests := []struct {
		name  string
		kind  uint16
		rcode int
		want  string
	}{
		{"four.sg.", dns.TypeA, dns.RcodeSuccess, "10.0.0.1"},
		{"FOUR.sg.", dns.TypeA, dns.RcodeSuccess, "10.0.0.1"},
		{"four.sg.", dns.TypeAAAA, dns.RcodeSuccess, ""},
		{"six.sg.", dns.TypeAAAA, dns.RcodeSuccess, "2001:db8::1"},
		{"none.sg.", dns.TypeA, dns.RcodeSuccess, "255.255.255.255"},
		{"none.sg.", dns.TypeAAAA, dns.RcodeSuccess, ""},
		{"elsewhere.sg.", dns.TypeA, dns.RcodeSuccess, ""},
		{"four.sg.", dns.TypeTXT, dns.RcodeSuccess, ""},
		{"unknown.sg.", dns.TypeA, dns.RcodeServerFailure, ""},
	}
	for _, tt := range tests {
		for _, network := range []string{"udp", "tcp"} {
			m := ask(t, network, address, tt.name, tt.kind)
			got := ""
			for _, rr := range m.Answer {
				switch rr := rr.(type) {
				case *dns.A:
					got += rr.A.String()
				case *dns.AAAA:
					got += rr.AAAA.String()
				}
				if rr.Header().Ttl != 0 {
					t.Errorf("%s: TTL %d would keep nginx from asking again", tt.name, rr.Header().Ttl)
				}
			}
			if m.Rcode != tt.rcode || got != tt.want {
				t.Errorf("%s %s over %s: %s %q, want %s %q", tt.name, dns.TypeToString[tt.kind], network,
					dns.RcodeToString[m.Rcode], got, dns.RcodeToString[tt.rcode], tt.want)
			}
		}
	}
}

// An answer that does not fit into a packet is cut, and whole over TCP.
func TestManyEndpoints(t *testing.T) {
	table := NewTable(nil)
	_, address := start(t, table)
	var many []netip.Addr
	for i := range 3000 {
		many = append(many, netip.AddrFrom4([4]byte{10, 0, byte(i / 250), byte(i % 250)}))
	}
	table.Set(map[string]Record{"many.sg": {Addrs: many}})
	table.MarkSynced()
	if m := ask(t, "udp", address, "many.sg.", dns.TypeA); !m.Truncated {
		t.Error("the answer in a packet does not say that it is cut")
	}
	if m := ask(t, "tcp", address, "many.sg.", dns.TypeA); len(m.Answer) != len(many) {
		t.Errorf("%d addresses over TCP, want %d", len(m.Answer), len(many))
	}
}

func TestUntoldAndKeep(t *testing.T) {
	table := NewTable(nil)
	_, address := start(t, table)
	table.MarkSynced()
	names := []string{"a.sg", "b.sg"}
	table.Set(map[string]Record{"a.sg": {Marker: true}, "b.sg": {Marker: true}})
	since := time.Now()
	if n := table.Untold(names, since); n != 2 {
		t.Errorf("%d names untold, want 2", n)
	}
	ask(t, "udp", address, "a.sg.", dns.TypeA)
	for deadline := time.Now().Add(10 * time.Second); table.Untold(names, since) != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the name that was asked for still counts as untold")
		}
	}
	table.Keep(func(name string) bool { return name == "b.sg" })
	if states := table.States(); len(states) != 1 || states[0].Name != "b.sg" || !states[0].Empty {
		t.Errorf("kept %v", states)
	}
}

func TestTakenAddressIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	err = NewServer(NewTable(nil), netip.MustParseAddrPort(l.Addr().String()), 1).Run(context.Background(), func() {})
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("the error %v does not name %s", err, l.Addr())
	}
}
