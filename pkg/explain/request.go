package explain

import (
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

// request is a request as nginx has read it.
type request struct {
	scheme string
	// name is the host of the URL, without port, for TLS.
	name string
	// hostHeader is the Host header as sent, host is what nginx makes of it.
	hostHeader, host string
	// port is that of the Host header, with a colon; empty where it has none.
	port string
	// target is the request line's: the path and the query as sent.
	target string
	uri    uri
	header http.Header
}

// refusal is why nginx answers 400.
type refusal struct{ why string }

func (r *refusal) Error() string { return r.why }

// newRequest makes the request that a client sends for the URL. The error is
// a *refusal where nginx would not take the request, and another one where
// the URL is none.
func newRequest(raw string, header http.Header) (*request, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "http" && scheme != "https" {
		return nil, notAURL(raw)
	}
	// A client keeps the fragment to itself.
	rest, _, _ = strings.Cut(rest, "#")
	authority, target := rest, "/"
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, target = rest[:i], rest[i:]
		if target[0] == '?' {
			target = "/" + target
		}
	}
	if authority == "" || strings.Contains(authority, "@") {
		return nil, notAURL(raw)
	}
	r := &request{scheme: scheme, hostHeader: authority, target: target, header: header}
	if h := header.Get("Host"); h != "" {
		r.hostHeader = h
	}
	var err error
	if r.name, err = parseHost(authority); err != nil {
		return r, err
	}
	if r.host, err = parseHost(r.hostHeader); err != nil {
		return r, err
	}
	if i := strings.LastIndexByte(r.hostHeader, ':'); i > strings.LastIndexByte(r.hostHeader, ']') && i+1 < len(r.hostHeader) {
		r.port = r.hostHeader[i:]
	}
	r.uri, err = parseTarget(target)
	return r, err
}

func notAURL(raw string) error {
	return fmt.Errorf("%q must be an absolute URL without a user, such as https://foo.bar.com/backend", model.Clip(raw))
}

// parseHost does to a Host header what nginx does: the port and a final dot
// are cut off, and letters become small.
func parseHost(h string) (string, error) {
	host, port, hasPort := h, "", false
	literal := strings.HasPrefix(h, "[")
	if literal {
		end := strings.IndexByte(h, ']')
		if end < 0 {
			return "", &refusal{fmt.Sprintf("the host %q has no closing bracket", h)}
		}
		host = h[:end+1]
		if rest := h[end+1:]; rest != "" {
			if port, hasPort = strings.CutPrefix(rest, ":"); !hasPort {
				return "", &refusal{fmt.Sprintf("the host %q goes on after the closing bracket", h)}
			}
		}
	} else {
		host, port, hasPort = strings.Cut(h, ":")
	}
	if hasPort && port != "" {
		if n, err := strconv.ParseUint(port, 10, 32); err != nil || n > 65535 {
			return "", &refusal{fmt.Sprintf("the port of the host %q is not a number up to 65535", h)}
		}
	}
	for i := range len(host) {
		if !hostByte(host[i], literal) {
			return "", &refusal{fmt.Sprintf("the host %q holds the character %q", h, host[i])}
		}
	}
	if strings.Contains(host, "..") {
		return "", &refusal{fmt.Sprintf("the host %q holds an empty label", h)}
	}
	if host = strings.ToLower(strings.TrimSuffix(host, ".")); host == "" {
		return "", &refusal{"the host is empty"}
	}
	return host, nil
}

// hostByte tells whether nginx takes the character in a host.
func hostByte(c byte, literal bool) bool {
	switch c {
	case ':', '[', ']':
		return literal
	}
	return c > ' ' && c < 0x7f && !strings.ContainsRune("\"#/<>?@\\^`{|}", rune(c))
}

// sni is the name in the client's TLS handshake. Addresses are not named.
func (r *request) sni() string {
	if _, err := netip.ParseAddr(strings.Trim(r.name, "[]")); err == nil {
		return ""
	}
	return r.name
}

// accessScheme is the variable $pass_access_scheme: how the client came, as
// far as is known. Headers are taken for those of a trusted proxy.
func (r *request) accessScheme(h *model.HTTP) string {
	if h.TrustForwarded {
		value := strings.ToLower(r.header.Get("X-Forwarded-Proto"))
		for _, scheme := range []string{"https", "http"} {
			if rest, ok := strings.CutPrefix(value, scheme); ok && (rest == "" || !wordByte(rest[0])) {
				return scheme
			}
		}
	}
	return r.scheme
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// bestHost is the variable $best_http_host.
func (r *request) bestHost(h *model.HTTP) string {
	if h.TrustForwarded {
		value := r.header.Get("X-Forwarded-Host")
		if i := strings.IndexAny(value, ", "); i >= 0 {
			value = value[:i]
		}
		if value != "" {
			return value
		}
	}
	return r.authority()
}

// authority is the name that chose the server and the port as it was sent.
func (r *request) authority() string { return r.host + r.port }

// notPlain finds what a path must hold to need encoding.
var notPlain = regexp.MustCompile(`[^-A-Za-z0-9/._~!$&'()*,;=:@+]`)

// plainPath is the path as values of users get it: decoded, or as it was sent
// where that would not be the same.
func (r *request) plainPath() string {
	if !notPlain.MatchString(r.uri.path) {
		return r.uri.path
	}
	path, _, _ := strings.Cut(r.target, "?")
	return path
}

// httpsURL is where a redirect to https goes.
func (r *request) httpsURL(h *model.HTTP) string {
	host := r.bestHost(h)
	if strings.HasPrefix(host, "[") && strings.Contains(host, "]") {
		host = host[:strings.IndexByte(host, ']')+1]
	} else {
		host, _, _ = strings.Cut(host, ":")
	}
	target := r.target
	if !h.PreserveTrailingSlash {
		target = strings.TrimSuffix(target, "/")
	}
	return "https://" + host + target
}

// loops tells whether nginx takes the request for one that goes in a circle.
func (r *request) loops() bool {
	switch r.header.Get("X-Sidegate-Hops") {
	case "", "1", "2", "3", "4":
		return false
	}
	return true
}
