// Package metrics is what Sidegate tells Prometheus. Where ingress-nginx had a
// metric, ours has its name and labels, so that dashboards and alerts go on
// working; the rest begins with sidegate_.
//
// The package is told what happened and imports only model and nginx of ours.
package metrics
