package snapshot

import (
	"fmt"
	"runtime"
	"testing"
)

const many = 10000

// manyIngresses is a cluster of many Ingresses, each with a Service of its own;
// a tenth have a certificate. Nobody names half of the Services, and most of
// the Secrets.
func manyIngresses(b *testing.B) *Source {
	c := newCluster(b)
	for i := range many {
		name, secret := fmt.Sprintf("a%d", i), ""
		if i%10 == 0 {
			secret = name
		}
		c.put(newIngress(name, name, secret), newService(name), newSlice(name, name), newService("x"+name), newSlice("x"+name, "x"+name))
		if i%2 == 0 {
			c.put(newSecret(name, name))
		}
	}
	s := c.source()
	eventually(b, s, "all", func(out *Snapshot) bool {
		return len(out.Ingresses) == many && len(out.Secrets) == many/10 && len(out.Services) >= many && len(out.EndpointSlices) >= many
	})
	return s
}

// BenchmarkSnapshot is what a run costs when nothing has changed.
func BenchmarkSnapshot(b *testing.B) {
	s := manyIngresses(b)
	runtime.GC()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Snapshot(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVersion asks for the versions of all Ingresses, none of which has
// changed.
func BenchmarkVersion(b *testing.B) {
	s := manyIngresses(b)
	out, err := s.Snapshot(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, ing := range out.Ingresses {
			Version(ing)
		}
	}
}
