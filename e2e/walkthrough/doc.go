// Package walkthrough plays what the first user of Sidegate does, step by step,
// with the manifests of examples/walkthrough, and says of each answer whether
// it is what it should be. It is the acceptance test of the whole, and what
// `make demo` shows.
//
// The steps are functions over an Env: a client of an API server, the addresses
// of an entry point, and a way to install the controller and to change what it
// was installed with. They know nothing of how those came to be, so that they
// can be played on any cluster: in the demo the controller is a process that is
// started anew, on a real one (e2e/cluster) it is a release of helm's.
package walkthrough
