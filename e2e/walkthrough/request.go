package walkthrough

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/sidegate/sidegate/pkg/echo"
)

// request is one request to the entry point, on a connection of its own.
type request struct {
	https   bool
	host    string
	path    string
	headers map[string]string
	cookie  string
	// proxyFrom is the address of a client that a PROXY protocol header in front
	// of the request tells of; there is none when it is invalid.
	proxyFrom netip.Addr
}

func (q request) url() string {
	if q.https {
		return "https://" + q.host + q.path
	}
	return "http://" + q.host + q.path
}

// String is the request as a reader may repeat it.
func (q request) String() string {
	var b strings.Builder
	if q.proxyFrom.IsValid() {
		fmt.Fprintf(&b, "PROXY TCP4 %s … + ", q.proxyFrom)
	}
	fmt.Fprintf(&b, "GET %s", q.url())
	names := make([]string, 0, len(q.headers))
	for name := range q.headers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, " [%s: %s]", name, q.headers[name])
	}
	if q.cookie != "" {
		fmt.Fprintf(&b, " [Cookie: %s]", q.cookie)
	}
	return b.String()
}

// answer is what came back.
type answer struct {
	status int
	proto  string
	header http.Header
	body   string
	echo   *echo.Response    // the body, when the echo application wrote it
	cert   *x509.Certificate // of the server, on https
	err    error
}

// String is the answer in a line.
func (a answer) String() string {
	if a.err != nil {
		return a.err.Error()
	}
	parts := []string{fmt.Sprint(a.status)}
	if to := a.header.Get("Location"); to != "" {
		parts = append(parts, "Location: "+to)
	}
	if cookie := a.header.Get("Set-Cookie"); cookie != "" {
		parts = append(parts, "Set-Cookie: "+cookie)
	}
	switch {
	case a.echo != nil:
		parts = append(parts, fmt.Sprintf("from pod %s at %s:%d, which saw %s %s", a.echo.Pod, a.echo.IP, a.echo.Port, a.echo.Method, a.echo.Path))
	case a.status < 300 || a.status >= 400:
		parts = append(parts, fmt.Sprintf("%q", firstLine(a.body)))
	}
	return strings.Join(parts, ", ")
}

func firstLine(s string) string {
	line, rest, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if rest != "" || len(line) > 80 {
		return line[:min(len(line), 80)] + "…"
	}
	return line
}

// setCookie is the value of a cookie that the answer sets, or empty.
func (a answer) setCookie(name string) string {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// requestTimeout is how long one answer may take.
const requestTimeout = 10 * time.Second

func (r *run) send(q request) answer {
	ctx, cancel := context.WithTimeout(r.ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, q.url(), nil)
	if err != nil {
		return answer{err: err}
	}
	for name, value := range q.headers {
		req.Header.Set(name, value)
	}
	if q.cookie != "" {
		req.Header.Set("Cookie", q.cookie)
	}
	transport := r.transport(q.proxyFrom)
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req) // a redirect is an answer, not to be followed
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{err: err}
	}
	a := answer{status: resp.StatusCode, proto: resp.Proto, header: resp.Header, body: string(body)}
	if resp.TLS != nil {
		a.cert = resp.TLS.PeerCertificates[0]
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		var seen echo.Response
		if err := json.Unmarshal(bytes.TrimSpace(body), &seen); err == nil {
			a.echo = &seen
		}
	}
	return a
}

// transport connects to the entry point whatever the URL's host is.
func (r *run) transport(proxyFrom netip.Addr) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			entry := r.HTTP
			if strings.HasSuffix(address, ":443") {
				entry = r.HTTPS
			}
			conn, err := (&net.Dialer{}).DialContext(ctx, network, entry)
			if err != nil || !proxyFrom.IsValid() {
				return conn, err
			}
			from := net.TCPAddrFromAddrPort(netip.AddrPortFrom(proxyFrom, 40000))
			header := proxyproto.HeaderProxyFromAddrs(1, from, conn.RemoteAddr())
			if _, err := header.WriteTo(conn); err != nil {
				conn.Close()
				return nil, err
			}
			return conn, nil
		},
		// The certificates of the walkthrough are nobody's; the step that is about
		// them compares them.
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 100,
	}
}

// ask fetches a page of the controller itself.
func (r *run) ask(where func(context.Context) (string, error), path string) (string, error) {
	ctx, cancel := context.WithTimeout(r.ctx, requestTimeout)
	defer cancel()
	address, err := where(ctx)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s%s: %s: %s", address, path, resp.Status, firstLine(string(body)))
	}
	return string(body), nil
}

// pod is the name of the pod that answered, or empty.
func (a answer) pod() string {
	if a.echo == nil {
		return ""
	}
	return cmp.Or(a.echo.Pod, "?")
}
