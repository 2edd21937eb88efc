// Bench measures the product on real parts: a kube-apiserver with etcd, the
// controller, a stock nginx that it attaches to, and backends with addresses of
// their own. It writes docs/benchmarks: a table, and every sample.
//
// It exists so that what the project says about its speed and size is measured,
// with its targets beside it, by a command that anybody can run again. It says
// where a target is missed, and by how much; a missed target is no failure of
// the command, but a measurement that could not be made is.
//
// Each measurement is a file of its own, and can be run alone (-only). All of
// them run in the network namespace that e2e/install/netns.sh makes. It must
// not import anything of pkg/: it sees what a user sees. The plot is made of
// results.json by the program in plot/, a module of its own, because the
// library for it needs much that the product must not depend on.
package main
