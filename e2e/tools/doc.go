// Package tools is a module of its own that builds the parts of Kubernetes
// which the tests and the demo run against, from the Go modules Kubernetes
// itself is released as: no image, no download from anywhere but the module
// proxy.
//
// It is a separate module because k8s.io/kubernetes brings in several hundred
// packages that the controller must not depend on. k8s.io/kubernetes is not
// meant to be imported: its go.mod requires the staging modules at v0.0.0, so
// every one of them is replaced here by the release that belongs to it. To move
// to another release, change all versions at once (v1.X.Y and v0.X.Y) and run
// go mod tidy: an untidied go.mod makes the build compile everything again.
package tools
