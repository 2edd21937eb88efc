package controller

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/sidegate/sidegate/pkg/sidedoor"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
)

// newHealth answers for health and metrics on one port. Where that is taken,
// the kubelet's probes fail, so the pod takes no new connections from a Service
// and its controller is started anew. nginx serves on, and so does what the
// controller does for it; both would end with the process.
func newHealth(c ClusterConfig, core *Core) *sidedoor.Door {
	check := func(f func(*http.Request) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if err := f(r); err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			fmt.Fprintln(w, "ok")
		}
	}
	mux := http.NewServeMux()
	// One collector that fails does not hide the others.
	mux.Handle("/metrics", promhttp.HandlerFor(ctrlmetrics.Registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	for path, f := range map[string]func(*http.Request) error{
		c.HealthPath: func(*http.Request) error { return nil },
		"/readyz":    core.Ready,
		"/startupz":  core.Started,
	} {
		mux.HandleFunc(path, check(f))
	}
	return &sidedoor.Door{
		Name: "health", Log: c.Log.WithName("health"), Listen: sidedoor.TCP(c.HealthAddress), Handler: mux, Up: core.Pipeline.Metrics.Listener,
	}
}
