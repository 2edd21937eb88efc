package controller

import (
	"fmt"
	"testing"

	"github.com/sidegate/sidegate/pkg/discovery"
	"github.com/sidegate/sidegate/pkg/model"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

func manyUpstreams(n int) *model.Config {
	c := &model.Config{}
	for i := range n {
		name := fmt.Sprintf("s%05d", i)
		c.Upstreams = append(c.Upstreams, model.Upstream{
			Name: model.Ident(name), Backend: model.Backend{Namespace: "default", Service: name, Port: "80"}, Zone: "256k",
			Servers: []model.UpstreamServer{{Host: model.Ident("8080." + name + ".default.sg"), Port: 8080, Resolve: true}},
		})
	}
	return c
}

func endpointsAt(address string) []*discoveryv1.EndpointSlice {
	return []*discoveryv1.EndpointSlice{{
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To(""), Port: ptr.To[int32](8080)}},
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)}}},
	}}
}

func BenchmarkEndpoints(b *testing.B) {
	p := &Pipeline{Table: discovery.NewTable(nil)}
	p.state.Store(&State{Live: &Generation{Config: manyUpstreams(10000)}})
	key := types.NamespacedName{Namespace: "default", Name: "s05000"}
	slices := endpointsAt("10.0.0.1")
	b.ReportAllocs()
	for b.Loop() {
		p.Endpoints(key, &corev1.Service{}, slices)
	}
}

// While a generation is tried, or has failed, endpoints of the live one
// follow, and so do those of the one that was tried.
func TestEndpointsFollowLiveAndAttempted(t *testing.T) {
	p := &Pipeline{Table: discovery.NewTable(nil)}
	live, attempted := manyUpstreams(2), manyUpstreams(3)
	live.Upstreams = live.Upstreams[:1]            // s00000
	attempted.Upstreams = attempted.Upstreams[1:2] // s00001
	p.state.Store(&State{Live: &Generation{Config: live}})
	p.endpoints.attempted = attempted
	for _, name := range []string{"s00000", "s00001", "s00002"} {
		p.Endpoints(types.NamespacedName{Namespace: "default", Name: name}, &corev1.Service{}, endpointsAt("10.0.0.1"))
	}
	var got []string
	for _, s := range p.Table.States() {
		got = append(got, s.Name)
	}
	if want := "[8080.s00000.default.sg 8080.s00001.default.sg]"; fmt.Sprint(got) != want {
		t.Errorf("discovery knows %v, want %s", got, want)
	}
	if p.state.Store(&State{Live: &Generation{Config: attempted}}); len(p.backends()) != 1 || len(p.endpoints.indexes) != 1 {
		t.Error("the index of a configuration that is gone is kept")
	}
}
