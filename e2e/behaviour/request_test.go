package behaviour

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pires/go-proxyproto"
	"github.com/sidegate/sidegate/pkg/echo"
)

// client sends a fixture's requests, one after the other.
type client struct {
	jar *cookiejar.Jar
	// pod is the backend that answered last.
	pod string
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
	seen *echo.Response // nil where no backend of ours answered
	took time.Duration
}

// play sends a request as often as it says, and returns what was not as
// expected.
func (c *client) play(x exchange) error {
	for range x.times {
		start := time.Now()
		a, err := c.send(x)
		if err != nil {
			return err
		}
		a.took = time.Since(start)
		wrong := c.judge(x, a)
		if a.seen != nil {
			c.pod = a.seen.Pod
		}
		if len(wrong) > 0 {
			return fmt.Errorf("%s\nthe answer was %s", strings.Join(wrong, "\n"), a.Status)
		}
	}
	return nil
}

// judge lists what is not as expected.
func (c *client) judge(x exchange, a *answer) (wrong []string) {
	note := func(e expectation, got string) {
		if w := e.check(got); w != "" {
			wrong = append(wrong, w)
		}
	}
	if a.StatusCode != x.status {
		wrong = append(wrong, fmt.Sprintf("the status is %d, want %d", a.StatusCode, x.status))
	}
	for _, e := range x.answer {
		if e.name != "within" {
			note(e, a.value(e.name))
		} else if limit, err := time.ParseDuration(e.want); err != nil || a.took > limit {
			wrong = append(wrong, fmt.Sprintf("the answer took %v, want %s at most", a.took, e.want))
		}
	}
	for _, e := range x.backend {
		switch {
		case a.seen == nil:
			wrong = append(wrong, "no backend has seen the request")
			return wrong
		case e.name == "pod" && e.want == "same":
			note(expectation{e.name, c.pod}, a.seen.Pod)
		case e.name == "pod" && e.want == "other":
			if a.seen.Pod == c.pod {
				wrong = append(wrong, "the pod is "+c.pod+" again")
			}
		default:
			note(e, seen(a.seen, e.name))
		}
	}
	return wrong
}

// value is what the answer says of a name.
func (a *answer) value(name string) string {
	switch name {
	case "body":
		return strings.TrimSpace(a.body)
	case "proto":
		return a.Proto
	case "cert":
		if a.TLS == nil {
			return ""
		}
		return a.TLS.PeerCertificates[0].Subject.CommonName
	}
	return strings.Join(a.Header.Values(name), ", ")
}

// seen is what the backend says of a name.
func seen(r *echo.Response, name string) string {
	switch name {
	case "pod":
		return r.Pod
	case "method":
		return r.Method
	case "host":
		return r.Host
	case "path":
		return r.Path
	case "ip":
		return r.IP
	case "port":
		return strconv.Itoa(r.Port)
	case "query":
		return r.Query
	case "body":
		return r.Body
	}
	return strings.Join(r.Headers.Values(name), ", ")
}

const requestTimeout = 10 * time.Second

func (c *client) send(x exchange) (*answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	u, err := url.Parse(x.url)
	if err != nil {
		return nil, err
	}
	if x.raw {
		return c.sendRaw(ctx, x, u)
	}
	request, err := http.NewRequestWithContext(ctx, x.method, x.url, strings.NewReader(x.body))
	if err != nil {
		return nil, err
	}
	for _, h := range x.headers {
		switch {
		case strings.EqualFold(h[0], "Host"):
			request.Host = h[1]
		case h[0] == "Cookie" && h[1] == "kept":
			for _, cookie := range c.jar.Cookies(u) {
				request.AddCookie(cookie)
			}
		default:
			request.Header.Add(h[0], h[1])
		}
	}
	transport := &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, u, x.proxy) },
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // which certificate it is, the fixture says
		ForceAttemptHTTP2: true,
	}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request) // a redirect is an answer
	if err != nil {
		return nil, err
	}
	c.jar.SetCookies(u, response.Cookies())
	return read(response)
}

// sendRaw sends the request's line as it is written.
func (c *client) sendRaw(ctx context.Context, x exchange, u *url.URL) (_ *answer, err error) {
	conn, err := dial(ctx, u, x.proxy)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	_, target, _ := strings.Cut(strings.TrimPrefix(x.url, "http://"), "/")
	var b strings.Builder
	version, headers := "1.1", x.headers
	switch i := slices.IndexFunc(headers, func(h [2]string) bool { return h[0] == "Host" }); {
	case i < 0:
		headers = append(slices.Clone(headers), [2]string{"Host", u.Host})
	case headers[i][1] == "-":
		version, headers = "1.0", slices.Delete(slices.Clone(headers), i, i+1)
	}
	target = "/" + target
	if i := slices.IndexFunc(headers, func(h [2]string) bool { return h[0] == "request-target" }); i >= 0 {
		target, headers = headers[i][1], slices.Delete(slices.Clone(headers), i, i+1)
	}
	fmt.Fprintf(&b, "%s %s HTTP/%s\r\n", x.method, target, version)
	for _, h := range headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	if !slices.ContainsFunc(headers, func(h [2]string) bool { return h[0] == "Connection" }) {
		b.WriteString("Connection: close\r\n")
	}
	fmt.Fprintf(&b, "\r\n%s", x.body)
	if _, err := io.WriteString(conn, b.String()); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, err
	}
	return read(response)
}

// dial connects to the entry point, whatever the URL's host is.
func dial(ctx context.Context, u *url.URL, proxy string) (net.Conn, error) {
	port := "80"
	if u.Scheme == "https" {
		port = "443"
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(entryAddress, port))
	if err != nil || proxy == "" {
		return conn, err
	}
	header := proxyproto.HeaderProxyFromAddrs(1, &net.TCPAddr{IP: net.ParseIP(proxy), Port: 40000}, conn.RemoteAddr())
	if _, err := header.WriteTo(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func read(response *http.Response) (*answer, error) {
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	a := &answer{Response: response, body: string(body)}
	if response.Header.Get("Content-Type") == "application/json" {
		var seen echo.Response
		if json.Unmarshal(body, &seen) == nil {
			a.seen = &seen
		}
	}
	return a, nil
}
