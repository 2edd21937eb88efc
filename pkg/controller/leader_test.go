package controller

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/pkg/metrics"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// newLeader is one whose API is the handler; removed counts what it did last.
func newLeader(t *testing.T, api http.Handler) (l *leader, removed *atomic.Int32) {
	t.Helper()
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}})
	if err != nil {
		t.Fatal(err)
	}
	removed = &atomic.Int32{}
	return &leader{
		ElectionConfig: ElectionConfig{Disable: true, ID: "leader", TTL: 4 * time.Second, Namespace: "ns", Pod: "own"},
		log:            testr.New(t), api: client, metrics: metrics.New(prometheus.NewRegistry(), metrics.Identity{}, "", metrics.Sources{}),
		grace: 500 * time.Millisecond,
		last:  func(context.Context) { removed.Add(1) },
	}, removed
}

func podOf(name, phase string, deleted bool) corev1.Pod {
	p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, Labels: map[string]string{"app": "sidegate", "pod-template-hash": name}}}
	p.Status.Phase = corev1.PodPhase(phase)
	if deleted {
		p.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	}
	return p
}

// An answer that does not come, or is an error, is not that nobody runs.
func TestOthersRun(t *testing.T) {
	list := func(pods ...corev1.Pod) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			if got := r.URL.Query().Get("labelSelector"); got != "app=sidegate" {
				t.Errorf("the pods with the labels %q are listed", got)
			}
			_ = json.NewEncoder(w).Encode(corev1.PodList{Items: pods})
		}
	}
	own := func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(podOf("own", "Running", true))
	}
	refuse := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", code) }
	}
	for name, tt := range map[string]struct {
		own, list   http.HandlerFunc
		others, bad bool
	}{
		"alone":                          {own, list(podOf("own", "Running", true)), false, false},
		"beside one that runs":           {own, list(podOf("own", "Running", true), podOf("b", "Running", false)), true, false},
		"beside ones that end":           {own, list(podOf("b", "Running", true), podOf("c", "Succeeded", false)), false, false},
		"its own pod is not there":       {refuse(404), list(), false, true},
		"its own pod may not be read":    {refuse(403), list(), false, true},
		"the API fails":                  {own, refuse(500), false, true},
		"its pods may not be listed":     {own, refuse(403), false, true},
		"its own pod has no labels":      {func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(corev1.Pod{}) }, list(), false, true},
		"the API answers what is no pod": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, list(), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			answer := func(f http.HandlerFunc) http.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					f(w, r)
				}
			}
			mux.HandleFunc("/api/v1/namespaces/ns/pods/own", answer(tt.own))
			mux.HandleFunc("/api/v1/namespaces/ns/pods", answer(tt.list))
			l, removed := newLeader(t, mux)
			others, err := l.othersRun(t.Context())
			if others != tt.others || (err != nil) != tt.bad {
				t.Errorf("others run: %t, %v", others, err)
			}
			last := l.finish(t.Context())
			if want := !tt.others && !tt.bad; last != want || (removed.Load() == 1) != want {
				t.Errorf("it is the last one: %t, and it removed %d times", last, removed.Load())
			}
		})
	}
	l, removed := newLeader(t, http.NotFoundHandler())
	l.Pod = ""
	if !l.finish(t.Context()) || removed.Load() != 1 {
		t.Error("outside of a pod there are others")
	}
}

// With an API that answers nothing the end is over within the grace period, and
// nothing is removed, with an election and without.
func TestEndFitsTheGracePeriod(t *testing.T) {
	for _, disable := range []bool{true, false} {
		gone := make(chan struct{})
		var hangs atomic.Bool
		lease := newLeases()
		l, removed := newLeader(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if hangs.Load() {
				<-gone
				return
			}
			lease.ServeHTTP(w, r)
		}))
		t.Cleanup(func() { close(gone) })
		l.Disable = disable
		led := make(chan struct{})
		l.duties = []func(context.Context){func(ctx context.Context) { close(led); <-ctx.Done() }}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = l.Start(ctx) }()
		<-led
		if !l.Leads() {
			t.Error("it does not lead")
		}
		hangs.Store(true)
		cancel()
		select {
		case <-done:
		case <-time.After(30 * time.Second): // the client itself would wait for longer
			t.Fatal("it does not end")
		}
		if removed.Load() != 0 {
			t.Error("it removes what others may serve")
		}
		if l.Leads() {
			t.Error("it still leads")
		}
	}
}

// The lease is held while the last one removes addresses, and is gone then.
func TestLeaseIsHeldToTheEnd(t *testing.T) {
	leases := newLeases()
	mux := http.NewServeMux()
	mux.Handle("/apis/coordination.k8s.io/", leases)
	l, _ := newLeader(t, mux)
	l.Disable, l.Pod, l.grace = false, "", 30*time.Second
	led := make(chan struct{})
	l.duties = []func(context.Context){func(ctx context.Context) { close(led); <-ctx.Done() }}
	l.last = func(context.Context) {
		if held := leases.holder(); held != "sidegate" {
			t.Errorf("the lease is held by %q while addresses are removed", held)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Start(ctx) }()
	<-led
	cancel()
	<-done
	if held := leases.holder(); !strings.HasPrefix(held, "none") {
		t.Errorf("the lease is left behind, held by %q", held)
	}
}
