// Package behaviour holds the fixtures of what users rely on: manifests in, and
// below them requests and the answers to expect. Each is one file of testdata
// and runs through the whole pipeline, a stock nginx and real backends.
//
// A fixture is a txtar archive. Its comment says what it is about. It holds:
//
//	manifests.yaml   what is in the cluster besides testdata/common.yaml
//	options          flags of the controller, one a line (may be missing)
//	requests         see below
//	findings         "SEVERITY OBJECT REASON FIELD", all there are, sorted;
//	                 `go test ./e2e/behaviour -update` writes them
//
// Requests are parted by blank lines. Each is a line with the method and the
// URL, headers to send, "> " lines of a body, and lines of what to expect:
//
//	# A comment.
//	GET https://foo.bar.com/app?x=1
//	Accept: text/html
//	< 200                     the status
//	< Location: ~^https://    a header of the answer
//	< body: ~not found        the body
//	< cert: foo.bar.com       the common name of the certificate
//	< proto: HTTP/2.0         the protocol
//	< within: 2s              how long it may take
//	= X-Real-IP: 198.18.0.1   a header of the request as the backend got it
//	= path: /v2/users         its path; so do method, host, query, body,
//	                          and ip and port, those of the backend
//	= pod: pod1               which backend it was; "same" and "other" compare
//	                          it with that of the request before
//
// A value is what it must be exactly, "-" that there must be none, and after
// "~" a regular expression. Before the method may stand "PROXY ADDRESS", to
// send the request with a header of the PROXY protocol, "RAW" with a request
// line to send as it is, and "20x" to send it that many times. With RAW the
// header "Host: -" makes it HTTP/1.0, without a host, and "request-target: X"
// is what stands in the request line instead of the path. The header
// "Cookie: kept" sends the cookies that the fixture's answers have set.
// ${pod1} to ${pod3}, ${pod1v6} and ${dead}, at which nothing listens, are
// addresses, and ${dead-md5} is nginx's cookie for the last one.
package behaviour
