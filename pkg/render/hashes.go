package render

import "github.com/sidegate/sidegate/pkg/layout"

// hashes are the sizes of nginx's hash tables. nginx refuses a configuration
// with a name that does not fit into a bucket, and does not say whose name it
// is, so buckets are as large as the longest name takes. All sizes double: one
// more Ingress rarely changes what is common to all servers.
type hashes struct {
	ServerNames, ServerNamesBucket   int
	Map, MapBucket                   int
	Variables, VariablesBucket       int
	ProxyHeaders, ProxyHeadersBucket int
}

// The names that are there without any Ingress, generously.
const (
	ownVariables    = 256
	ownProxyHeaders = 32
)

func hashesOf(c *layout.Config) hashes {
	host, certificate, header := 0, 0, 0
	variables, headers := ownVariables, ownProxyHeaders
	for i := range c.Servers {
		host = max(host, len(c.Servers[i].Name))
		for j := range c.Servers[i].Locations {
			auth := c.Servers[i].Locations[j].Auth
			if auth == nil {
				continue
			}
			// A variable for the question's target, two for each header.
			variables += 1 + 2*len(auth.ResponseHeaders)
			headers = max(headers, ownProxyHeaders+len(auth.ResponseHeaders))
			for _, h := range auth.ResponseHeaders {
				header = max(header, len(h.Name))
			}
		}
	}
	for i := range c.Certificates {
		certificate = max(certificate, len(c.Certificates[i].Host))
	}
	return hashes{
		ServerNames: hashSize(len(c.Servers)), ServerNamesBucket: bucketSize(256, host),
		Map: hashSize(len(c.Certificates)), MapBucket: bucketSize(256, certificate),
		Variables: doubled(2048, 4*variables), VariablesBucket: bucketSize(256, len("auth_")+header),
		ProxyHeaders: doubled(1024, 4*headers), ProxyHeadersBucket: bucketSize(128, header),
	}
}

// hashSize is the limit of nginx's hash tables for n names. Above 10000 nginx
// begins its search for a size 1000 below the limit when there are less than
// 100 buckets a name, which keeps the search short.
func hashSize(n int) int { return doubled(16384, 4*n) }

// bucketSize is a bucket that holds a name of n bytes: a pointer and two bytes
// stand in front of the name, which is filled up to whole words, and a pointer
// ends the bucket.
func bucketSize(least, n int) int {
	const word = 8
	return doubled(least, word+(n+2+word-1)/word*word+word)
}

func doubled(size, want int) int {
	for size < want {
		size *= 2
	}
	return size
}
