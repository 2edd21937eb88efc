// Package charts tests the Helm chart in sidegate/: what it makes of values, by
// golden files and tables; that the result is valid, by the schemas of Kubernetes
// and by a real API server; and that the values of an ingress-nginx release work.
//
// It has no code of its own: the chart is data. What installing it does on a real
// cluster is tested in e2e.
package charts

//go:generate go run ./valuesdoc -output ../docs/values.md
