// Package echo is an application behind the proxy: an HTTP server that answers
// with the request as it arrived, and a 404 page in the manner of a default
// backend. It runs in the pods of the tests and of the demo on a cluster, and
// `sidegate serve --echo` answers with it for Services that have no pods.
//
// It behaves as a well-kept application does when it is told to stop: it fails
// its readiness, goes on serving for a moment while the proxies in front take
// notice, finishes what it has begun, and ends. A test that loses a request
// therefore accuses the proxy, not the application.
//
// It imports the standard library only, so that a process a pod stays cheap.
package echo
