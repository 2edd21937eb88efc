package debug

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/sidegate/sidegate/pkg/discovery"
	"github.com/sidegate/sidegate/pkg/model"
)

// Explanation says who answers a URL, and why.
type Explanation struct {
	URL string `json:"url"`
	// Path is what nginx matches: decoded, without dot segments.
	Path   string `json:"path"`
	Server Choice `json:"server"`
	// Certificate is the live file that answers a TLS handshake.
	Certificate string `json:"certificate,omitempty"`
	Location    Choice `json:"location"`
	// Ingress is the owner of the location; empty is Sidegate itself.
	Ingress string `json:"ingress,omitempty"`
	// First is what answers before the backend does.
	First string `json:"first,omitempty"`
	// URI is what the backend is asked for, where that is rewritten.
	URI      string          `json:"uri,omitempty"`
	Upstream string          `json:"upstream,omitempty"`
	Backend  string          `json:"backend,omitempty"`
	Sticky   *model.Sticky   `json:"sticky,omitempty"`
	Servers  []ServerAnswer  `json:"servers,omitempty"`
	Findings []model.Finding `json:"findings,omitempty"`
}

// Choice is what was chosen and the rule that chose it.
type Choice struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// ServerAnswer is a server line and its endpoints now.
type ServerAnswer struct {
	Name      string       `json:"name"`
	Port      int32        `json:"port"`
	Endpoints []netip.Addr `json:"endpoints"`
}

// Explain finds out what nginx does with a request for the URL.
func Explain(c *model.Config, findings []model.Finding, table []discovery.State, raw string) (*Explanation, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%q must be an absolute URL, such as https://foo.bar.com/backend", model.Clip(raw))
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	e := &Explanation{URL: raw, Path: normalize(u.Path)}
	server, why := chooseServer(c, host)
	e.Server = Choice{server.Name, why}
	if u.Scheme == "https" {
		e.Certificate = certificate(c, host)
	}
	if server.AppRoot != nil && e.Path == "/" {
		e.First = "302 to " + string(server.AppRoot.Target) + " by the app-root of " + server.AppRoot.Ingress.String()
		return e, nil
	}
	location, match, why := chooseLocation(server, e.Path)
	if location == nil {
		return nil, fmt.Errorf("no location of server %s matches %s", server.Name, e.Path)
	}
	e.Location = Choice{describe(match), why}
	if location.Ingress.Name != "" {
		e.Ingress = location.Ingress.Namespace + "/" + location.Ingress.Name
	}
	for _, f := range findings {
		if f.Object == location.Ingress && f.Object.Name != "" || f.Reason == model.ReasonHostPathTaken && f.Value == location.Path && strings.Contains(f.Message, "host "+server.Name+" ") {
			e.Findings = append(e.Findings, f)
		}
	}
	e.First = first(server, location, u.Scheme)
	e.fillBackend(c, location, table)
	return e, nil
}

// first is what answers before the backend does, or "".
func first(s *model.Server, l *model.Location, scheme string) string {
	code := max(s.ToHTTPS, l.ToHTTPS)
	switch {
	case l.Closed != "":
		return "503, because " + l.Closed
	case code != 0 && scheme == "http":
		return fmt.Sprintf("%d to https", code)
	case l.Return != nil && l.Return.URL != "":
		return fmt.Sprintf("%d to %s", l.Return.Code, l.Return.URL)
	case l.Return != nil:
		return fmt.Sprintf("%d %s", l.Return.Code, l.Return.Body)
	case l.BasicAuth != nil:
		return "401 without a password that is in " + string(l.BasicAuth.File)
	case l.ExternalAuth != nil:
		return "whatever " + string(l.ExternalAuth.URL) + " refuses"
	}
	return ""
}

func (e *Explanation) fillBackend(c *model.Config, l *model.Location, table []discovery.State) {
	if r := l.Rewrite; r != nil {
		e.URI = rewritten(r, e.Path)
	}
	u := c.Upstream(l.Upstream)
	if u == nil || l.Closed != "" || l.Return != nil {
		return
	}
	e.Upstream, e.Backend, e.Sticky = string(u.Name), u.Backend.String(), u.Sticky
	for _, s := range u.Servers {
		a := ServerAnswer{Name: string(s.Host), Port: s.Port, Endpoints: []netip.Addr{}}
		for _, state := range table {
			if state.Name == a.Name {
				a.Endpoints = state.Addresses
			}
		}
		e.Servers = append(e.Servers, a)
	}
}

// chooseServer does what nginx does with server names.
func chooseServer(c *model.Config, host string) (*model.Server, string) {
	var best *model.Server
	for i := range c.Servers {
		s := &c.Servers[i]
		switch suffix, wildcard := strings.CutPrefix(s.Name, "*"); {
		case s.Name == host:
			return s, "it is the host's own server"
		case wildcard && strings.HasSuffix(host, suffix) && (best == nil || len(s.Name) > len(best.Name)):
			best = s
		}
	}
	if best != nil {
		return best, "it is the longest wildcard that matches the host"
	}
	return &c.Servers[0], "no Ingress names the host"
}

func certificate(c *model.Config, host string) string {
	best := model.Certificate{File: c.HTTP.TLS.Default}
	for _, cert := range c.Certificates {
		if cert.Host == host {
			return string(cert.File)
		}
		if suffix, wildcard := strings.CutPrefix(cert.Host, "*"); wildcard && strings.HasSuffix(host, suffix) && len(cert.Host) > len(best.Host) {
			best = cert
		}
	}
	return string(best.File)
}

// chooseLocation does what nginx does with locations: an exact match, the
// first regular expression, the longest prefix.
func chooseLocation(s *model.Server, path string) (*model.Location, model.Match, string) {
	var prefix, regex *model.Location
	var prefixMatch, regexMatch model.Match
	for i := range s.Locations {
		l := &s.Locations[i]
		for _, m := range l.Matches {
			switch m.Kind {
			case model.MatchExact:
				if path == string(m.Path) {
					return l, m, "the path is exactly this one"
				}
			case model.MatchRegex:
				if regex == nil && matches("(?i)"+string(m.Regex), path) {
					regex, regexMatch = l, m
				}
			case model.MatchPrefix:
				if strings.HasPrefix(path, string(m.Path)) && (prefix == nil || len(m.Path) > len(prefixMatch.Path)) {
					prefix, prefixMatch = l, m
				}
			}
		}
	}
	if regex != nil {
		return regex, regexMatch, "it is the first regular expression that matches, the longest one being tried first"
	}
	return prefix, prefixMatch, "it is the longest prefix that matches"
}

// matches uses Go's dialect; an expression that only PCRE knows matches
// nothing here.
func matches(expression, path string) bool {
	re, err := regexp.Compile(expression)
	return err == nil && re.MatchString(path)
}

var captures = regexp.MustCompile(`\$([1-9])`)

// rewritten is the URI that the backend sees.
func rewritten(r *model.Rewrite, path string) string {
	re, err := regexp.Compile(string(r.Pattern))
	if err != nil {
		return string(r.Target)
	}
	groups := re.FindStringSubmatch(path)
	return captures.ReplaceAllStringFunc(string(r.Target), func(v string) string {
		if n := int(v[1] - '0'); n < len(groups) {
			return groups[n]
		}
		return ""
	})
}

func describe(m model.Match) string {
	switch m.Kind {
	case model.MatchExact:
		return "= " + string(m.Path)
	case model.MatchRegex:
		return "~* " + string(m.Regex)
	}
	return string(m.Path)
}

// normalize does to a decoded path what nginx does: it merges slashes and
// resolves dot segments.
func normalize(path string) string {
	var out []string
	segments := strings.Split(path, "/")
	last := segments[len(segments)-1]
	for _, s := range segments {
		switch s {
		case "", ".":
		case "..":
			out = out[:max(0, len(out)-1)]
		default:
			out = append(out, s)
		}
	}
	slash := last == "" || last == "." || last == ".."
	if len(out) == 0 {
		return "/"
	}
	joined := "/" + strings.Join(out, "/")
	if slash {
		joined += "/"
	}
	return joined
}
