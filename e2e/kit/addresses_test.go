package kit_test

import (
	"net"
	"testing"

	"github.com/sidegate/sidegate/e2e/kit"
)

func TestBlocksAreNotShared(t *testing.T) {
	kit.RequireNetns(t)
	a := reserve(t)
	b := reserve(t)
	if a.Prefix().Overlaps(b.Prefix()) {
		t.Errorf("blocks %s and %s overlap", a.Prefix(), b.Prefix())
	}
	if a.Prefix().Contains(kit.NodeIP) {
		t.Errorf("block %s holds the node's address", a.Prefix())
	}
}

func TestBlockGoesRound(t *testing.T) {
	kit.RequireNetns(t)
	block := reserve(t)
	first, err := block.Take()
	if err != nil {
		t.Fatal(err)
	}
	block.Release(first)
	n := 1
	for {
		ip, err := block.Take()
		if err != nil {
			t.Fatal(err)
		}
		if !block.Prefix().Contains(ip) {
			t.Fatalf("%s is not of %s", ip, block.Prefix())
		}
		if ip == first {
			break
		}
		n++
	}
	if n != 1023 {
		t.Errorf("a released address came back after %d others, want all 1023", n)
	}
	if ip, err := block.Take(); err == nil {
		t.Errorf("a block that is used up gave %s", ip)
	}
}

// Both addresses of a pod can be listened on without being configured.
func TestAddressesAreLocal(t *testing.T) {
	kit.RequireNetns(t)
	ip, err := reserve(t).Take()
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{ip.String(), kit.IPv6(ip).String()} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "8080"))
		if err != nil {
			t.Error(err)
			continue
		}
		l.Close()
	}
}

func reserve(t *testing.T) *kit.Block {
	t.Helper()
	b, err := kit.ReserveBlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}
