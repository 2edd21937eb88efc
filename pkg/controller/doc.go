// Package controller wires the steps together: it watches, decides when to
// act, hands one value from step to step, and reports.
//
// The Pipeline is the one way from a snapshot to a confirmed generation; it is
// the same for a cluster and for a directory of manifests. Endpoints take a
// way of their own (endpoints.go), past everything that can wait for a reload.
// What the Pipeline has done is published as a State that the side doors
// (debug, metrics, health) read.
//
// It may import all of our packages. Nothing but cmd imports it.
package controller
