package explain_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sidegate/sidegate/pkg/explain"
	"github.com/sidegate/sidegate/pkg/model"
)

// got is what nginx did.
type got struct {
	status   int
	location string
	backend  *seen
	names    []string
}

// ask sends the URL's request as it stands, without a client's own ideas.
func (e *entry) ask(t *testing.T, url string, header http.Header) got {
	t.Helper()
	scheme, rest, _ := strings.Cut(url, "://")
	authority, target := rest, "/"
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, target = rest[:i], "/"+strings.TrimPrefix(rest[i:], "/")
	}
	address := e.http
	if scheme == "https" {
		address = e.https
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	var out got
	if scheme == "https" {
		name := strings.ToLower(authority)
		if h, _, err := net.SplitHostPort(authority); err == nil {
			name = h
		}
		if _, err := netip.ParseAddr(name); err == nil {
			name = ""
		}
		c := tls.Client(conn, &tls.Config{ServerName: name, InsecureSkipVerify: true}) //nolint:gosec // the certificate is what is looked at
		if err := c.Handshake(); err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		out.names = c.ConnectionState().PeerCertificates[0].DNSNames
		conn = c
	}
	host := authority
	if h := header.Get("Host"); h != "" {
		host = h
	}
	text := "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n"
	for name := range header {
		if name != "Host" {
			text += name + ": " + header.Get(name) + "\r\n"
		}
	}
	if _, err := io.WriteString(conn, text+"\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	defer func() { _ = response.Body.Close() }()
	out.status, out.location = response.StatusCode, response.Header.Get("Location")
	if response.Header.Get("Content-Type") == "application/json" {
		out.backend = &seen{}
		if err := json.NewDecoder(response.Body).Decode(out.backend); err != nil {
			t.Fatalf("%s: %v", url, err)
		}
	}
	return out
}

// compare puts the request to nginx and to Explain.
func (e *entry) compare(t *testing.T, url string, header http.Header) *explain.Explanation {
	t.Helper()
	in := e.input(url)
	in.Header = header
	x, err := explain.Explain(in)
	if err != nil {
		t.Errorf("%s: %v", url, err)
		return nil
	}
	if len(x.Unsure) > 0 {
		t.Errorf("%s: unsure: %q", url, x.Unsure)
	}
	g := e.ask(t, url, header)
	var want, have string
	if g.backend != nil {
		want = fmt.Sprintf("Service %s asked for %s of host %s", g.backend.Service, g.backend.URI, g.backend.Host)
	} else {
		want = fmt.Sprintf("%d to %q", g.status, g.location)
	}
	if x.Upstream != nil && x.Answer.By == explain.ByBackend {
		have = fmt.Sprintf("Service %s asked for %s of host %s", x.Upstream.Backend.Service, x.Upstream.URI, x.Upstream.Host)
	} else {
		have = fmt.Sprintf("%d to %q", x.Answer.Status, x.Answer.Location)
	}
	// A Location that is an address of nginx's own holds the port it listens on.
	if have != want {
		t.Errorf("%s:\n  nginx:   %s\n  explain: %s", url, want, have)
	}
	if x.Certificate != nil && !slices.Equal(x.Certificate.Names, g.names) {
		t.Errorf("%s: nginx shows a certificate for %v, explain says %v", url, g.names, x.Certificate.Names)
	}
	return x
}

var urls = []string{
	// Hosts.
	"http://plain.example.com/", "http://PLAIN.Example.COM/", "http://plain.example.com./", "http://plain.example.com:8080/",
	"http://plain.example.com.:80/foo", "http://plain.example.com../", "http://plain..example.com/", "http://other.example.com/",
	"http://a.b.example.com/", "http://x.deep.example.com/sub", "http://x.deep.example.com/", "http://deep.example.com/sub",
	"http://.example.com/", "http://example.com/", "http://_/any", "http://nobody/", "http://nobody/any/thing", "http://nobody/any",
	"http://127.0.0.1/any", "http://[::1]/any", "http://[::1]:80/any", "http://plain.example.com:x/", "http://plain.example.com:99999/",
	"http://plain.example.com:/", "http://plain_example.com/", "http://a%41.example.com/", "http://plain.example.com|/", "http://é.example.com/",
	"http://nobody/healthz", "http://plain.example.com/healthz",
	// Exact, Prefix and ImplementationSpecific.
	"http://plain.example.com", "http://plain.example.com?x=1", "http://plain.example.com/foo", "http://plain.example.com/foo/",
	"http://plain.example.com/foobar", "http://plain.example.com/Foo", "http://plain.example.com/foo/bar", "http://plain.example.com/foo/barbar",
	"http://plain.example.com/foo/bar/baz?a=b&c=d", "http://plain.example.com/exact", "http://plain.example.com/exact/",
	"http://plain.example.com/exact/more", "http://plain.example.com/slash", "http://plain.example.com/slash?q=1", "http://plain.example.com:8080/slash",
	"http://plain.example.com/slash/x", "http://plain.example.com/only", "http://plain.example.com/only/", "http://plain.example.com/only/x",
	"http://plain.example.com/loose", "http://plain.example.com/looser", "http://plain.example.com/loose/x", "http://plain.example.com/empty",
	"http://plain.example.com/empty/x", "http://plain.example.com/missing", "http://plain.example.com/with%20blank", "http://plain.example.com/%C3%9Cber/x",
	"http://plain.example.com/Über", "http://plain.example.com/über",
	// What nginx makes of a path.
	"http://plain.example.com/%66oo", "http://plain.example.com/foo%2Fbar", "http://plain.example.com/foo%2fbar%2f", "http://plain.example.com//foo",
	"http://plain.example.com/foo//bar", "http://plain.example.com///", "http://plain.example.com/a/../foo", "http://plain.example.com/foo/../exact",
	"http://plain.example.com/foo/.", "http://plain.example.com/foo/..", "http://plain.example.com/foo/bar/../", "http://plain.example.com/./foo",
	"http://plain.example.com/..", "http://plain.example.com/../foo", "http://plain.example.com/a/../../foo", "http://plain.example.com/%2e%2e/foo",
	"http://plain.example.com/a/%2e%2e/foo", "http://plain.example.com/a%2f..%2ffoo", "http://plain.example.com/foo/...", "http://plain.example.com/foo/..b",
	"http://plain.example.com/foo/.b", "http://plain.example.com/foo..", "http://plain.example.com/foo%3F", "http://plain.example.com/foo%3Fx/../bar",
	"http://plain.example.com/foo%23", "http://plain.example.com/foo%25", "http://plain.example.com/foo%252F", "http://plain.example.com/foo%",
	"http://plain.example.com/foo%2", "http://plain.example.com/foo%zz", "http://plain.example.com/foo%00", "http://plain.example.com/foo%0A",
	"http://plain.example.com/foo%FF", "http://plain.example.com/foo+bar", "http://plain.example.com/foo/bar+baz", "http://plain.example.com/foo?a=/../b%2F",
	"http://plain.example.com/foo?%zz", "http://plain.example.com/foo??", "http://plain.example.com/foo;x=1", "http://plain.example.com/foo\\bar",
	"http://plain.example.com/foo/%2E", "http://plain.example.com/foo/bar%2F%2E%2E%2F%2E%2E", "http://plain.example.com/foo\"<>^`{|}",
	// Regular expressions.
	"http://regex.example.com/v1", "http://regex.example.com/V12/users/7", "http://regex.example.com/v1/Users", "http://regex.example.com/v/users",
	"http://regex.example.com/v12x", "http://regex.example.com/end", "http://regex.example.com/end/", "http://regex.example.com/END", "http://regex.example.com/",
	"http://regex.example.com/x", "http://regex.example.com/%C3%A9", "http://regex.example.com/%C3%A9%A9", "http://regex.example.com/é", "http://regex.example.com/%C3%89",
	"http://regex.example.com/%E9", "http://regex.example.com/%E2%84%AA", "http://regex.example.com/v1%2Fusers", "http://regex.example.com/a/../v1",
	// Rewrites.
	"http://rewrite.example.com/api", "http://rewrite.example.com/api/", "http://rewrite.example.com/api/x/y?z=1", "http://rewrite.example.com/API/x",
	"http://rewrite.example.com/apix", "http://rewrite.example.com/api/a%20b", "http://rewrite.example.com/api/a%2Fb", "http://rewrite.example.com/api/a+b",
	"http://rewrite.example.com/api//x", "http://rewrite.example.com/api/%3F%23%25", "http://rewrite.example.com/api/é", "http://rewrite.example.com/api/%C3%A9",
	"http://rewrite.example.com/api/<x>\"{}|^`", "http://rewrite.example.com/ui/x", "http://rewrite.example.com/ui?", "http://rewrite.example.com/q/word",
	"http://rewrite.example.com/q/word/page2?x=1", "http://rewrite.example.com/q/a%26b%3Bc", "http://rewrite.example.com/q/a&b;c", "http://rewrite.example.com/q/a+b",
	"http://rewrite.example.com/q/%2B%20%41", "http://rewrite.example.com/q/", "http://rewrite.example.com/drop/x?y=1", "http://rewrite.example.com/away/a/b?c=d",
	"http://rewrite.example.com/away/a%20b%26c%3Fd+e", "http://rewrite.example.com/away/", "http://rewrite.example.com/bare", "http://rewrite.example.com/bare/x",
	"http://rewrite.example.com/nothing",
	// TLS.
	"http://secure.example.com/", "http://secure.example.com/shop", "http://secure.example.com/shop/?a=b", "http://secure.example.com:8080/shop/",
	"http://secure.example.com/x?a=b/", "https://secure.example.com/", "https://secure.example.com/shop", "https://secure.example.com/x",
	"https://SECURE.example.com:8443/shop", "https://secure.example.com/%2e/", "https://a.secure.example.com/", "https://a.b.secure.example.com/x",
	"https://plain.example.com/foo", "https://nobody/any", "https://127.0.0.1/any", "http://a.secure.example.com/.well-known/acme-challenge/token",
	"http://a.secure.example.com/.well-known/acme-challenge", "http://a.secure.example.com/other", "https://a.secure.example.com/.well-known/acme-challenge",
	// The rest.
	"http://sticky.example.com/x", "http://closed.example.com/", "http://closed.example.com/x", "http://guarded.example.com/x",
}

// Explain says what nginx does.
func TestAgreesWithNginx(t *testing.T) {
	e := startEntry(t, nil)
	for _, url := range urls {
		e.compare(t, url, nil)
	}
	t.Run("internal locations", func(t *testing.T) {
		for _, s := range e.Pipeline.State().Config().Servers {
			for _, l := range s.Locations {
				if model.GateOf[model.ExternalAuth](l.Gates) != nil {
					e.compare(t, "http://"+s.Name+"/_sidegate/auth/"+string(l.ID), nil)
				}
			}
		}
	})
	t.Run("the Host header of another host", func(t *testing.T) {
		e.compare(t, "https://secure.example.com/foo", http.Header{"Host": {"Plain.example.com:1"}})
		e.compare(t, "http://plain.example.com/", http.Header{"Host": {"secure.example.com"}})
	})
	t.Run("any path", func(t *testing.T) { e.compareAny(t) })
	t.Run("text", func(t *testing.T) { checkExplanations(t, e) })
}

// compareAny asks for paths put together at random, always the same.
func (e *entry) compareAny(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"/", "/", "//", ".", "..", "/./", "/../", "%2F", "%2e", "%2E%2e", "%25", "%3F", "%23", "%", "+", "?", "&", "foo", "bar",
		"exact", "slash", "only", "api", "v1", "users", "end", "é", "%C3%A9", "%41", "%20", "%0a", ";", "$", "a", "q/", "away/", "\"", "|"}
	hosts := []string{"plain", "regex", "rewrite", "x", "x.deep"}
	for range 2000 {
		path := "/"
		for range random.IntN(7) {
			path += pieces[random.IntN(len(pieces))]
		}
		// Where the path ends with a newline Explain says that it is unsure.
		if strings.HasSuffix(strings.ToLower(strings.SplitN(path, "?", 2)[0]), "%0a") {
			continue
		}
		e.compare(t, "http://"+hosts[random.IntN(len(hosts))]+".example.com"+path, nil)
	}
}

// With trusted proxies it is their word that counts.
func TestAgreesWithNginxBehindProxies(t *testing.T) {
	e := startEntry(t, map[string]string{"use-forwarded-headers": "true", "proxy-real-ip-cidr": "127.0.0.0/8", "preserve-trailing-slash": "true"})
	for _, header := range []http.Header{
		nil,
		{"X-Forwarded-Proto": {"https"}},
		{"X-Forwarded-Proto": {"HTTPS, http"}},
		{"X-Forwarded-Proto": {"http"}},
		{"X-Forwarded-Proto": {"httpsx"}},
		{"X-Forwarded-Host": {"public.example.org:8443, inner"}},
		{"X-Forwarded-Host": {"public.example.org:8443"}, "X-Forwarded-Proto": {"https"}},
		{"X-Forwarded-Host": {","}},
	} {
		for _, url := range []string{"http://secure.example.com/shop/", "https://secure.example.com/shop/", "http://secure.example.com/", "https://secure.example.com/", "http://plain.example.com/slash", "http://plain.example.com/foo"} {
			e.compare(t, url, header)
		}
	}
}

// Everything is redirected, whoever answers.
func TestAgreesWithNginxWithForcedHTTPS(t *testing.T) {
	e := startEntry(t, map[string]string{"force-ssl-redirect": "true", "http-redirect-code": "301"})
	for _, url := range []string{"http://nobody/", "http://nobody/healthz", "http://plain.example.com/foo", "http://plain.example.com/slash",
		"http://closed.example.com/", "http://secure.example.com/", "http://rewrite.example.com/away/x", "https://nobody/", "https://rewrite.example.com/api/x"} {
		e.compare(t, url, nil)
	}
}
