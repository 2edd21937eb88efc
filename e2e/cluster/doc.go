// Package cluster holds the tests on a real cluster, with kubelets, containerd
// and kube-proxy: that the pod of the chart runs as it is meant to, and what
// comes of it when pods, containers, nodes and releases come and go.
//
// `make e2e-cluster` starts the cluster (up.sh says what it consists of) and
// runs the tests inside, where they stand beside the nodes as a client on the
// same network does: what they send goes through a node port. Without that
// cluster they are skipped. What can be tried without a kubelet belongs into
// e2e/behaviour, e2e/faults or the tests of a package.
//
// Each test installs releases of its own, in namespaces of its own, and removes
// them. Nothing here looks into a pod by a way that only this cluster has,
// except to kill a process of it from its node.
package cluster
