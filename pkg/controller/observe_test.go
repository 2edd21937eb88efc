package controller

import (
	"maps"
	"net/netip"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sidegate/sidegate/pkg/metrics"
	"github.com/sidegate/sidegate/pkg/model"
)

func TestOrphans(t *testing.T) {
	location := func(ingress string, upstream model.Ident, noService bool) model.Location {
		l := model.Location{Claim: model.Claim{Object: model.Object{Namespace: "default", Name: ingress}}, Action: &model.Pass{Upstream: upstream}}
		if noService {
			l.Action = &model.Closed{NoService: true}
		}
		return l
	}
	upstream := func(name model.Ident, host model.Ident, outside ...model.Outside) model.Upstream {
		u := model.Upstream{Name: name, Zone: "256k", Servers: []model.UpstreamServer{{Host: host, Resolve: true}}}
		for _, o := range outside {
			u.Outside = &o
		}
		return u
	}
	c := &model.Config{
		Upstreams: []model.Upstream{upstream("empty", "empty.sg"), upstream("full", "full.sg"), upstream("outside", "example.com.80.sgx", model.Outside{Name: "example.com"})},
		Servers: []model.Server{{Locations: []model.Location{
			location("good", "full", false), location("waits", "empty", false), location("missing", "", true), location("outside", "outside", false),
			{Action: &model.Pass{Upstream: "empty"}}, // the default backend's, of no Ingress
		}}},
	}
	endpoints := map[string][]netip.Addr{"full.sg": make([]netip.Addr, 125), "empty.sg": nil}
	want := map[metrics.Orphan]bool{
		{Namespace: "default", Ingress: "waits", Type: metrics.NoEndpoint}:  true,
		{Namespace: "default", Ingress: "missing", Type: metrics.NoService}: true,
	}
	if got := orphans(c, endpoints); !maps.Equal(got, want) {
		t.Errorf("the orphans are %v, want %v", got, want)
	}
	if got := fullest(c, endpoints); got != 0.5 {
		t.Errorf("the fullest zone is full by %v, want 0.5", got)
	}
}

// What the running nginx tells gets to the metrics, and readiness waits for it.
func TestReadyAndObserve(t *testing.T) {
	r := newRig(t, "")
	gatherer := r.Registry.(prometheus.Gatherer)
	if r.Ready(nil) == nil || r.Started(nil) == nil {
		t.Error("ready before anything was made")
	}
	r.put("app", ingress("app", "app.example.com", ""))
	r.run()
	if err := r.Started(nil); err != nil {
		t.Error(err)
	}
	eventually(t, "ready", func() bool { return r.Ready(nil) == nil })
	for name, want := range map[string]int{
		"nginx_ingress_controller_nginx_process_num_procs": 1,
		"nginx_ingress_controller_orphan_ingress":          1, // its Service does not exist
	} {
		if n, err := testutil.GatherAndCount(gatherer, name); err != nil || n != want {
			t.Errorf("%s has %d samples, want %d (%v)", name, n, want, err)
		}
	}
	eventually(t, "the running nginx's version", func() bool {
		n, err := testutil.GatherAndCount(gatherer, "sidegate_nginx_info")
		return err == nil && n == 2
	})
}

// eventually waits until the check is true.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !check(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}
