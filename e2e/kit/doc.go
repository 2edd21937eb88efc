// Package kit finds and starts the real parts that tests and the demo run
// against: a stock nginx (Nginx), a Kubernetes control plane (Start), pods that
// are processes or goroutines with addresses of their own (StartKubelet), the
// cluster's names (ServeDNS) and the project's own binaries (Binary).
//
// It exists so that no test knows where a binary was installed, and so that no
// test needs a fake of any of them. What needs addresses runs in the network
// namespace that e2e/install/netns.sh makes: see RequireNetns.
//
// It must not be imported by anything under pkg/ or cmd/ except from _test.go
// files, and it must not import anything of pkg/: it knows Kubernetes and
// nginx, not Sidegate.
package kit
