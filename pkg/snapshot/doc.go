// Package snapshot reads the cluster. It is the only package that does: what
// it hands on is an immutable copy of what matters, so that all later steps
// are functions of a value.
//
// A Snapshot can come from an API server's caches or from a directory of
// manifests; nothing further down can tell which. The package decides which
// Ingresses are ours and nothing else. It imports none of our packages.
package snapshot
