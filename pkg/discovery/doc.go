// Package discovery answers nginx's look-ups of upstream servers.
//
// It exists because nginx re-resolves the names of an upstream every second
// when the answers' TTL is zero: a DNS server on loopback that knows the
// endpoints makes a reload unnecessary when pods come and go. What nginx does
// with an answer decides what is answered:
//
//   - An empty answer and NXDOMAIN drop all endpoints, and nginx asks again
//     only after ten seconds. SERVFAIL keeps the endpoints. So it is SERVFAIL
//     until the cluster is known, and for names that are not known: the live
//     configuration may still have them.
//   - A Service without endpoints is answered with NoEndpoint, an address to
//     which a connection fails at once, so that the first endpoint is picked
//     up within a second.
//   - One UDP socket of nginx holds some 250 answers, and a lost one is asked
//     for again after seconds. So the server listens on many ports, among
//     which nginx spreads its questions.
//
// The package knows names and addresses, nothing of Kubernetes, and imports
// nothing of ours.
package discovery
