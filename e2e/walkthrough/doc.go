// Package walkthrough plays what the first user of Sidegate does, step by step,
// with the manifests of examples/walkthrough, and says of each answer whether
// it is what it should be. It is the acceptance test of the whole, and what
// `make demo` shows.
//
// The steps are functions over an Env: a client of an API server, the addresses
// of an entry point, and a way to start the controller with other flags. They
// know nothing of how those came to be, so that they can be played on any
// cluster with this controller in it.
package walkthrough
