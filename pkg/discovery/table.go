package discovery

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// NoEndpoint is the answer for a Service without endpoints. Nothing can
// listen on the broadcast address, whatever the port: connect() fails at once
// with "network is unreachable", where an address on loopback could be one on
// which something listens, nginx itself for one.
var NoEndpoint = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// Record is what is known of a name.
type Record struct {
	// Addrs are the addresses, sorted and unique.
	Addrs []netip.Addr
	// Port is where all of them listen.
	Port uint16
	// Marker says that there is no endpoint anywhere, and that NoEndpoint is
	// the answer. Without it, no address is an empty answer.
	Marker bool
}

func (r Record) equal(o Record) bool { return r.Marker == o.Marker && slices.Equal(r.Addrs, o.Addrs) }

// entry is a name's record and when it was last told. The pointer stays the
// same for as long as the name is known.
type entry struct {
	record atomic.Pointer[Record]
	// told is the time of the last answer, in nanoseconds since 1970.
	told atomic.Int64
}

// Table holds the records. It is safe for concurrent use.
type Table struct {
	mu      sync.RWMutex
	entries map[string]*entry
	synced  atomic.Bool
	outside atomic.Pointer[map[string]Outside]
	allowed func(netip.AddrPort) bool
}

// NewTable returns an empty table, of which every answer is SERVFAIL. Addresses
// that are not allowed are never answered; nil allows all.
func NewTable(allowed func(netip.AddrPort) bool) *Table {
	if allowed == nil {
		allowed = func(netip.AddrPort) bool { return true }
	}
	return &Table{entries: map[string]*entry{}, allowed: allowed}
}

// filter leaves out the addresses that are not allowed. Where none remains the
// name is answered as if there were no endpoint.
func (t *Table) filter(r Record) Record {
	i := slices.IndexFunc(r.Addrs, func(a netip.Addr) bool { return !t.allowed(netip.AddrPortFrom(a, r.Port)) })
	if i < 0 {
		return r
	}
	r.Addrs = slices.DeleteFunc(slices.Clone(r.Addrs), func(a netip.Addr) bool { return !t.allowed(netip.AddrPortFrom(a, r.Port)) })
	r.Marker = r.Marker || len(r.Addrs) == 0
	return r
}

// MarkSynced says that the table holds the cluster's state.
func (t *Table) MarkSynced() { t.synced.Store(true) }

// Set puts records under their names, and leaves other names as they are. It
// returns how many records it changed.
func (t *Table) Set(records map[string]Record) (changed int) {
	for name, r := range records {
		name, r = strings.ToLower(name), t.filter(r)
		t.mu.RLock()
		e, ok := t.entries[name]
		t.mu.RUnlock()
		if !ok {
			t.mu.Lock()
			if e, ok = t.entries[name]; !ok {
				e = &entry{}
				t.entries[name] = e
			}
			t.mu.Unlock()
		}
		if old := e.record.Load(); old == nil || !old.equal(r) {
			e.record.Store(&r)
			changed++
		}
	}
	return changed
}

// Keep forgets all names but those for which used answers true.
func (t *Table) Keep(used func(name string) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.entries, func(name string, _ *entry) bool { return !used(name) })
}

// lookup returns the entry of a name in lower case, without the final dot.
func (t *Table) lookup(name string) (*entry, *Record) {
	if !t.synced.Load() {
		return nil, nil
	}
	t.mu.RLock()
	e := t.entries[name]
	t.mu.RUnlock()
	if e == nil {
		return nil, nil
	}
	return e, e.record.Load()
}

// Untold counts the names that have not been told since the time.
func (t *Table) Untold(names []string, since time.Time) (n int) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, name := range names {
		if e := t.entries[strings.ToLower(name)]; e == nil || e.told.Load() < since.UnixNano() {
			n++
		}
	}
	return n
}

// State is a record for a reader.
type State struct {
	Name      string       `json:"name"`
	Addresses []netip.Addr `json:"addresses"`
	// Empty says that the Service has no endpoint at all.
	Empty bool `json:"empty,omitempty"`
	// LastAnswer is when nginx was last told; zero is never.
	LastAnswer time.Time `json:"lastAnswer,omitzero"`
}

// States lists the table, sorted by name.
func (t *Table) States() []State {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := make([]State, 0, len(t.entries))
	for _, name := range slices.Sorted(maps.Keys(t.entries)) {
		e := t.entries[name]
		s := State{Name: name, Addresses: []netip.Addr{}}
		if r := e.record.Load(); r != nil {
			s.Addresses, s.Empty = append(s.Addresses, r.Addrs...), r.Marker
		}
		if told := e.told.Load(); told != 0 {
			s.LastAnswer = time.Unix(0, told)
		}
		out = append(out, s)
	}
	return out
}
