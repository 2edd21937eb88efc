package discovery

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/singleflight"
)

// Outside is a name that is looked up elsewhere: that of an ExternalName Service
// or of an authentication service.
type Outside struct {
	// Name is completed by the search list unless it ends in a dot.
	Name string
	// Port is where nginx connects to.
	Port uint16
}

// SetOutside replaces the names that are looked up elsewhere, by what nginx asks
// for. No other name is: this is not a resolver for everybody in the pod.
func (t *Table) SetOutside(names map[string]Outside) { t.outside.Store(&names) }

func (t *Table) outsideOf(name string) (Outside, bool) {
	names := t.outside.Load()
	if names == nil {
		return Outside{}, false
	}
	o, ok := (*names)[name]
	return o, ok
}

const (
	// exchangeTimeout is how long a name server may take. nginx waits for two
	// seconds; what comes later is there when it asks again.
	exchangeTimeout = time.Second
	// shortest keeps nginx from asking all the time; longest lets a change be
	// seen within a time that one would wait.
	shortest, longest = time.Second, 5 * time.Minute
	// failed is how long a failure is an answer.
	failed = time.Second
	// stale is how long an answer outlives its time where no name server answers.
	stale = 10 * time.Minute
)

// Lookup asks the name servers of the cluster. It never answers with an address
// that is not allowed, whatever a name leads to and whenever it changes.
type Lookup struct {
	config  dns.ClientConfig
	allowed func(netip.AddrPort) bool
	// Refused is called when an answer begins to hold addresses that are not
	// allowed; it must not block.
	Refused func(name string, address netip.AddrPort)

	flights singleflight.Group
	mu      sync.Mutex
	answers map[lookupKey]answer
}

type lookupKey struct {
	Outside
	kind uint16
}

// answer is what is answered for a name.
type answer struct {
	rcode     int
	addresses []netip.Addr
	until     time.Time
	// refused is an address that was left out.
	refused netip.Addr
}

// ttl is the rest of an answer's life in seconds, at least 1.
func (a answer) ttl(now time.Time) uint32 { return uint32(max(1, a.until.Sub(now)/time.Second)) }

// NewLookup returns a Lookup with the name servers, search list and ndots of
// config. Servers are addresses, with a port or without.
func NewLookup(config dns.ClientConfig, allowed func(netip.AddrPort) bool) *Lookup {
	servers := make([]string, 0, len(config.Servers))
	for _, s := range config.Servers {
		if _, _, err := net.SplitHostPort(s); err != nil {
			s = net.JoinHostPort(strings.Trim(s, "[]"), "53")
		}
		servers = append(servers, s)
	}
	config.Servers = servers
	return &Lookup{config: config, allowed: allowed, answers: map[lookupKey]answer{}}
}

// find returns the answer for a name, from memory while it lasts.
func (l *Lookup) find(o Outside, kind uint16) answer {
	key := lookupKey{o, kind}
	l.mu.Lock()
	old, known := l.answers[key]
	l.mu.Unlock()
	if known && time.Now().Before(old.until) {
		return old
	}
	v, _, _ := l.flights.Do(fmt.Sprintf("%s:%d %d", o.Name, o.Port, kind), func() (any, error) {
		a := l.ask(key)
		if a.rcode == dns.RcodeServerFailure && known && old.rcode == dns.RcodeSuccess && time.Since(old.until) < stale {
			a = old
			a.until = time.Now().Add(failed) // of this copy: the memory keeps when it ended
			return a, nil
		}
		if l.Refused != nil && a.refused.IsValid() && a.refused != old.refused {
			l.Refused(o.Name, netip.AddrPortFrom(a.refused, o.Port))
		}
		l.mu.Lock()
		l.answers[key] = a
		l.forget()
		l.mu.Unlock()
		return a, nil
	})
	return v.(answer)
}

// forget drops what has been of no use for long.
func (l *Lookup) forget() {
	for k, a := range l.answers {
		if time.Since(a.until) > stale {
			delete(l.answers, k)
		}
	}
}

// ask goes through the search list. A name that exists ends it.
func (l *Lookup) ask(key lookupKey) answer {
	worst := answer{rcode: dns.RcodeNameError, until: time.Now().Add(5 * failed)}
	for _, name := range l.config.NameList(key.Name) {
		m := l.exchange(name, key.kind)
		switch {
		case m == nil:
			return answer{rcode: dns.RcodeServerFailure, until: time.Now().Add(failed)}
		case m.Rcode == dns.RcodeNameError:
			continue
		}
		return l.read(m, key)
	}
	return worst
}

// exchange asks one name server after the other; nil is that none answers.
func (l *Lookup) exchange(name string, kind uint16) *dns.Msg {
	q := new(dns.Msg)
	q.SetQuestion(name, kind)
	q.SetEdns0(1232, false)
	for _, server := range l.config.Servers {
		for _, network := range []string{"udp", "tcp"} {
			ctx, cancel := context.WithTimeout(context.Background(), exchangeTimeout)
			c := dns.Client{Net: network, Timeout: exchangeTimeout}
			m, _, err := c.ExchangeContext(ctx, q, server)
			cancel()
			if err != nil || m.Truncated && network == "udp" {
				if err == nil {
					continue // over TCP
				}
				break
			}
			if m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError {
				return m
			}
			break
		}
	}
	return nil
}

// read takes the addresses of an answer. Where all are forbidden it is the one
// to which a connection fails at once, so that nginx asks again soon.
func (l *Lookup) read(m *dns.Msg, key lookupKey) answer {
	a, life := answer{}, longest
	for _, rr := range m.Answer {
		var address netip.Addr
		var ok bool
		switch rr := rr.(type) {
		case *dns.A:
			address, ok = netip.AddrFromSlice(rr.A)
		case *dns.AAAA:
			address, ok = netip.AddrFromSlice(rr.AAAA)
		}
		life = min(life, time.Duration(rr.Header().Ttl)*time.Second)
		if !ok {
			continue
		}
		if key.kind == dns.TypeA {
			address = address.Unmap()
		}
		if l.allowed(netip.AddrPortFrom(address, key.Port)) {
			a.addresses = append(a.addresses, address)
		} else {
			a.refused = address
		}
	}
	if len(m.Answer) == 0 {
		life = 5 * failed
	}
	if len(a.addresses) == 0 && a.refused.IsValid() && key.kind == dns.TypeA {
		a.addresses = []netip.Addr{NoEndpoint}
	}
	a.until = time.Now().Add(max(shortest, life))
	return a
}
