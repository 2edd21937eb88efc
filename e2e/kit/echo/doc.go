// Package echo is the application behind the proxy in tests and in the demo: an
// HTTP server that answers with the request as it arrived, and a 404 page in
// the manner of a default backend.
//
// It behaves as a well-kept application does when it is told to stop: it fails
// its readiness, goes on serving for a moment while the proxies in front take
// notice, finishes what it has begun, and ends. A test that loses a request
// therefore accuses the proxy, not the application.
//
// It imports the standard library only, so that a process a pod stays cheap.
package echo
