package discovery

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// world is a name server that answers with what the test says at the time.
type world struct {
	mu      sync.Mutex
	names   map[string][]string
	asked   []string
	address string
}

func startWorld(t *testing.T, names map[string][]string) *world {
	t.Helper()
	w := &world{names: names}
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.address = packets.LocalAddr().String()
	listener, err := net.Listen("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: w}, {Listener: listener, Handler: w}} {
		started, done := make(chan struct{}), make(chan error, 1)
		server.NotifyStartedFunc = func() { close(started) }
		go func() { done <- server.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { _ = server.Shutdown(); <-done })
	}
	return w
}

func (w *world) set(name string, records ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.names[name] = records
}

func (w *world) ServeDNS(out dns.ResponseWriter, q *dns.Msg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := new(dns.Msg).SetReply(q)
	question := q.Question[0]
	name := strings.ToLower(question.Name)
	w.asked = append(w.asked, name)
	records, ok := w.names[name]
	switch {
	case !ok:
		m.Rcode = dns.RcodeNameError
	case len(records) > 0 && records[0] == "broken":
		m.Rcode = dns.RcodeServerFailure
	}
	for _, r := range records {
		rr, err := dns.NewRR(r)
		if err == nil && rr != nil && (rr.Header().Rrtype == question.Qtype || rr.Header().Rrtype == dns.TypeCNAME) {
			m.Answer = append(m.Answer, rr)
		}
	}
	if _, udp := out.RemoteAddr().(*net.UDPAddr); udp {
		m.Truncate(dns.MinMsgSize)
	}
	_ = out.WriteMsg(m)
}

// public allows 10.0.0.0/8 and 2001:db8::/32, but for one port.
func public(a netip.AddrPort) bool {
	return a.Port() != 9 && (netip.MustParsePrefix("10.0.0.0/8").Contains(a.Addr()) || netip.MustParsePrefix("2001:db8::/32").Contains(a.Addr()))
}

func startOutside(t *testing.T, w *world, names map[string]Outside) (*Table, string) {
	t.Helper()
	table := NewTable(public)
	s, address := start(t, table)
	s.Lookup = NewLookup(dns.ClientConfig{Servers: []string{w.address}, Search: []string{"ns.svc.cluster.local", "svc.cluster.local"}, Ndots: 1}, public)
	table.SetOutside(names)
	return table, address
}

func addresses(m *dns.Msg) string {
	var out []string
	for _, rr := range m.Answer {
		switch rr := rr.(type) {
		case *dns.A:
			out = append(out, rr.A.String())
		case *dns.AAAA:
			out = append(out, rr.AAAA.String())
		}
	}
	return strings.Join(out, " ")
}

func TestNamesNeverLeadToForbiddenAddresses(t *testing.T) {
	var many []string
	for range 100 {
		many = append(many, "many.test. 60 IN A 10.0.0.7")
	}
	w := startWorld(t, map[string][]string{
		"good.test.":                      {"good.test. 60 IN A 10.0.0.1", "good.test. 60 IN AAAA 2001:db8::1"},
		"mixed.test.":                     {"mixed.test. 60 IN A 127.0.0.1", "mixed.test. 60 IN A 10.0.0.2", "mixed.test. 60 IN A 169.254.169.254"},
		"evil.test.":                      {"evil.test. 60 IN A 127.0.0.1", "evil.test. 60 IN AAAA ::1"},
		"mapped.test.":                    {"mapped.test. 60 IN AAAA ::ffff:127.0.0.1"},
		"alias.test.":                     {"alias.test. 60 IN CNAME x.test.", "x.test. 60 IN A 127.0.0.1", "x.test. 60 IN A 10.0.0.3"},
		"auth.svc.cluster.local.":         {"auth.svc.cluster.local. 60 IN A 10.0.0.4"},
		"auth.":                           {"auth. 60 IN A 10.0.0.5"},
		"auth.ns.svc.cluster.local.":      {},
		"short.ns.svc.cluster.local.":     {"short.ns.svc.cluster.local. 60 IN A 10.0.0.6"},
		"broken.test.":                    {"broken"},
		"many.test.":                      many,
		"good.test.ns.svc.cluster.local.": {"good.test.ns.svc.cluster.local. 60 IN A 10.9.9.9"},
	})
	outside := map[string]Outside{"auth-dot.sgx": {"auth.", 80}, "good-nine.sgx": {"good.test", 9}}
	for _, name := range []string{"good.test", "mixed.test", "evil.test", "mapped.test", "alias.test", "short", "broken.test", "many.test", "missing.test"} {
		outside[name+".80.sgx"] = Outside{name, 80}
	}
	_, address := startOutside(t, w, outside)
	tests := []struct {
		name  string
		kind  uint16
		rcode int
		want  string
	}{
		{"good.test.80.sgx.", dns.TypeA, dns.RcodeSuccess, "10.0.0.1"},
		{"GOOD.test.80.sgx.", dns.TypeAAAA, dns.RcodeSuccess, "2001:db8::1"},
		{"mixed.test.80.sgx.", dns.TypeA, dns.RcodeSuccess, "10.0.0.2"},
		{"evil.test.80.sgx.", dns.TypeA, dns.RcodeSuccess, "255.255.255.255"},
		{"evil.test.80.sgx.", dns.TypeAAAA, dns.RcodeSuccess, ""},
		{"mapped.test.80.sgx.", dns.TypeAAAA, dns.RcodeSuccess, ""},
		{"alias.test.80.sgx.", dns.TypeA, dns.RcodeSuccess, "10.0.0.3"},
		{"auth-dot.sgx.", dns.TypeA, dns.RcodeSuccess, "10.0.0.5"},
		{"short.80.sgx.", dns.TypeA, dns.RcodeSuccess, "10.0.0.6"},
		{"missing.test.80.sgx.", dns.TypeA, dns.RcodeNameError, ""},
		{"broken.test.80.sgx.", dns.TypeA, dns.RcodeServerFailure, ""},
		{"good-nine.sgx.", dns.TypeA, dns.RcodeSuccess, "255.255.255.255"},
		{"good.test.80.sgx.", dns.TypeTXT, dns.RcodeSuccess, ""},
	}
	for _, tt := range tests {
		m := ask(t, "udp", address, tt.name, tt.kind)
		if got := addresses(m); m.Rcode != tt.rcode || got != tt.want {
			t.Errorf("%s %s: %s %q, want %s %q", tt.name, dns.TypeToString[tt.kind], dns.RcodeToString[m.Rcode], got, dns.RcodeToString[tt.rcode], tt.want)
		}
		for _, rr := range m.Answer {
			if ttl := rr.Header().Ttl; ttl < 1 || ttl > 60 {
				t.Errorf("%s: TTL %d", tt.name, ttl)
			}
		}
	}
	if m := ask(t, "tcp", address, "many.test.80.sgx.", dns.TypeA); len(m.Answer) != 100 {
		t.Errorf("%d of 100 addresses, which take TCP", len(m.Answer))
	}
}

// A name that is of no Ingress is not looked up, whoever asks.
func TestOnlyConfiguredNamesAreLookedUp(t *testing.T) {
	w := startWorld(t, map[string][]string{"good.test.": {"good.test. 60 IN A 10.0.0.1"}})
	table, address := startOutside(t, w, map[string]Outside{"good.test.80.sgx": {"good.test", 80}})
	for _, name := range []string{"good.test.", "good.test.81.sgx.", "secret.test.80.sgx.", "sgx."} {
		if m := ask(t, "udp", address, name, dns.TypeA); m.Rcode != dns.RcodeServerFailure {
			t.Errorf("%s: %s", name, dns.RcodeToString[m.Rcode])
		}
	}
	table.SetOutside(nil)
	if m := ask(t, "udp", address, "good.test.80.sgx.", dns.TypeA); m.Rcode != dns.RcodeServerFailure {
		t.Errorf("after it has gone: %s", dns.RcodeToString[m.Rcode])
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.asked) > 0 {
		t.Errorf("asked for %v", w.asked)
	}
}

// What a name leads to is looked at each time that it changes.
func TestNamesAreCheckedAgain(t *testing.T) {
	w := startWorld(t, map[string][]string{"turn.test.": {"turn.test. 0 IN A 10.0.0.1"}})
	_, address := startOutside(t, w, map[string]Outside{"turn.test.80.sgx": {"turn.test", 80}})
	becomes := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			got := addresses(ask(t, "udp", address, "turn.test.80.sgx.", dns.TypeA))
			if got == want {
				return
			}
			if strings.Contains(got, "127.") || time.Now().After(deadline) {
				t.Fatalf("the answer is %q, want %q", got, want)
			}
		}
	}
	becomes("10.0.0.1")
	w.set("turn.test.", "turn.test. 0 IN A 127.0.0.1")
	becomes("255.255.255.255")
	w.set("turn.test.", "turn.test. 0 IN A 10.0.0.2")
	becomes("10.0.0.2")
	// A name server that fails does not take away what it said before.
	w.set("turn.test.", "broken")
	time.Sleep(1100 * time.Millisecond)
	becomes("10.0.0.2")
}

func TestForbiddenEndpointsAreLeftOut(t *testing.T) {
	table := NewTable(public)
	_, address := start(t, table)
	table.Set(map[string]Record{
		"80.mixed.sg": {Addrs: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("127.0.0.1")}, Port: 80},
		"80.evil.sg":  {Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Port: 80},
		"9.own.sg":    {Addrs: []netip.Addr{netip.MustParseAddr("10.0.0.1")}, Port: 9},
	})
	table.MarkSynced()
	for name, want := range map[string]string{"80.mixed.sg.": "10.0.0.1", "80.evil.sg.": "255.255.255.255", "9.own.sg.": "255.255.255.255"} {
		if got := addresses(ask(t, "udp", address, name, dns.TypeA)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
