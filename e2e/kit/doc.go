// Package kit finds and starts the real parts that tests run against: a stock
// nginx, a Kubernetes control plane, echo backends.
//
// It exists so that no test knows where a binary was installed. It must not be
// imported by anything under pkg/ or cmd/ except from _test.go files.
package kit
