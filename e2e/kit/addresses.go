package kit

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// What e2e/install/netns.sh makes local, and how it is shared out.
var (
	// NodeIP is the address of the namespace itself; what is sent from in there
	// comes from it.
	NodeIP = netip.MustParseAddr("198.18.0.1")
	// NodeIPv6 is its IPv6 address.
	NodeIPv6 = netip.MustParseAddr("fd00:5a:6::1")
	// PodRange is where pods get their addresses.
	PodRange = netip.MustParsePrefix("198.18.0.0/16")
	// ServiceRange and ServiceRangeIPv6 are where Services get theirs. They are
	// local too and nothing listens there: what is sent to the address of a
	// Service is refused, so it cannot be mistaken for an answer of its pods.
	ServiceRange     = netip.MustParsePrefix("198.19.0.0/16")
	ServiceRangeIPv6 = netip.MustParsePrefix("fd00:5a:7::/112")
	// DNSIP is the name server that /etc/resolv.conf names in the namespace; see
	// ServeDNS.
	DNSIP = netip.MustParseAddr("198.19.0.10")
)

// CheckNetns returns an error when 198.18.0.0/15 is not local.
func CheckNetns() error {
	for _, ip := range []netip.Addr{NodeIP, PodRange.Addr().Next(), ServiceRange.Addr().Next()} {
		l, err := net.Listen("tcp", netip.AddrPortFrom(ip, 0).String())
		if err != nil {
			return fmt.Errorf("198.18.0.0/15 is not local here (%w): run this within e2e/install/netns.sh, as `make e2e` does", err)
		}
		l.Close()
	}
	return nil
}

// RequireNetns fails the test when it does not run in the network namespace
// that pods with addresses of their own need.
func RequireNetns(tb testing.TB) {
	tb.Helper()
	if err := CheckNetns(); err != nil {
		tb.Fatal(err)
	}
}

// Block is a range of 1,024 addresses of PodRange that this process has to
// itself, with as many IPv6 addresses beside them.
type Block struct {
	prefix netip.Prefix
	held   net.Listener // a port of the first address, which marks the block as taken

	mu   sync.Mutex
	next netip.Addr
	used map[netip.Addr]bool
}

const (
	blockBits = 22
	blockPort = 1 // no pod listens there
)

// ReserveBlock takes the first block that no other process of the namespace
// has. It is free again when it is closed or the process ends.
func ReserveBlock() (*Block, error) {
	if err := CheckNetns(); err != nil {
		return nil, err
	}
	prefix := netip.PrefixFrom(PodRange.Addr(), blockBits)
	for PodRange.Contains(prefix.Addr()) {
		prefix = netip.PrefixFrom(after(prefix), blockBits) // not the first one: NodeIP is in it
		l, err := net.Listen("tcp", netip.AddrPortFrom(prefix.Addr(), blockPort).String())
		if err != nil {
			continue
		}
		return &Block{prefix: prefix, held: l, next: prefix.Addr(), used: map[netip.Addr]bool{}}, nil
	}
	return nil, errors.New("every block of " + PodRange.String() + " is taken")
}

// Close gives the block back.
func (b *Block) Close() error { return b.held.Close() }

// Prefix is the block's range.
func (b *Block) Prefix() netip.Prefix { return b.prefix }

// Take returns an address that is in nobody's hands. It goes round the block,
// so that an address which has just been released is the last to be used again:
// a proxy that still sends to it is refused, and does not hit a stranger.
func (b *Block) Take() (netip.Addr, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range 1 << (32 - blockBits) {
		b.next = b.next.Next()
		if !b.prefix.Contains(b.next) {
			b.next = b.prefix.Addr().Next()
		}
		if !b.used[b.next] {
			b.used[b.next] = true
			return b.next, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("all addresses of %s are in use", b.prefix)
}

// Release gives an address back.
func (b *Block) Release(ip netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.used, ip)
}

// IPv6 is the address that goes with an IPv4 address of the namespace: the same
// last four bytes.
func IPv6(ip netip.Addr) netip.Addr {
	six, four := NodeIPv6.As16(), ip.As4()
	copy(six[12:], four[:])
	return netip.AddrFrom16(six)
}

// after is the first address behind the prefix.
func after(p netip.Prefix) netip.Addr {
	a := p.Addr().As4()
	n := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	n += 1 << (32 - p.Bits())
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}
