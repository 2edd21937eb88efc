package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

// chooseServer does what nginx does with server names: the exact one, the
// longest wildcard, the default of the address.
func chooseServer(c *model.Config, host string) (*model.Server, string) {
	var wildcard *model.Server
	for i := range c.Servers {
		s := &c.Servers[i]
		if s.Name == host && s.Name != model.CatchAll {
			return s, "the server has exactly this name"
		}
		if coveredBy(host, s.Name) && (wildcard == nil || len(s.Name) > len(wildcard.Name)) {
			wildcard = s
		}
	}
	if wildcard != nil {
		return wildcard, "no server has exactly this name, and this is the longest wildcard for it"
	}
	return &c.Servers[0], "no server has this name, so the catch-all answers"
}

// coveredBy tells whether the name is that of a wildcard that covers the host.
func coveredBy(host, name string) bool {
	suffix, ok := strings.CutPrefix(name, "*.")
	return ok && strings.HasSuffix(host, "."+suffix)
}

// chooseCertificate does what the map of the rendered file does.
func chooseCertificate(c *model.Config, sni string) (model.Ident, string) {
	var wildcard *model.Certificate
	for i := range c.Certificates {
		cert := &c.Certificates[i]
		if cert.Host == sni {
			return cert.File, "it is named for exactly this host"
		}
		if coveredBy(sni, cert.Host) && (wildcard == nil || len(cert.Host) > len(wildcard.Host)) {
			wildcard = cert
		}
	}
	if wildcard != nil {
		return wildcard.File, "it is named for " + wildcard.Host
	}
	if sni == "" {
		return c.HTTP.TLS.Default, "a client names no host in TLS when the URL holds an address: the default certificate answers"
	}
	return c.HTTP.TLS.Default, "no Ingress has a usable certificate for the host: the default certificate answers"
}

// candidate is a location line that matches the path.
type candidate struct {
	// location is nil for a line that Sidegate adds itself, of which internal
	// ones cannot be asked for.
	location *model.Location
	internal bool
	match    model.Match
	// slash says that the path lacks the slash at the line's end, for which
	// nginx redirects.
	slash bool
}

// String is the line as nginx.conf has it.
func (c candidate) String() string {
	switch c.match.Kind {
	case model.MatchExact:
		return fmt.Sprintf("= %q", c.match.Path)
	case model.MatchRegex:
		return fmt.Sprintf("~* %q", c.match.Regex)
	}
	return fmt.Sprintf("%q", c.match.Path)
}

// search is the search for a location.
type search struct {
	path string
	// What matches: expressions are in the order in which they are tried,
	// prefixes begin with the longest.
	exact, slash, regex, prefix []candidate
	// unsure are expressions before the first that matches of which Go cannot
	// tell what nginx would.
	unsure []string
}

// choose does what nginx does. nil is that no location matches.
func (s *search) choose() (chosen *candidate, why string, others []candidate) {
	switch {
	case len(s.exact) > 0:
		s.unsure = nil
		return &s.exact[0], "an exact location ends the search", slices.Concat(s.regex, s.prefix)
	case len(s.slash) > 0 && (len(s.prefix) == 0 || string(s.prefix[0].match.Path) != s.path):
		s.unsure = nil
		return &s.slash[0], "only a slash is missing at the end of the path, for which nginx redirects before it tries shorter ones", slices.Concat(s.regex, s.prefix)
	case len(s.regex) > 0:
		return &s.regex[0], "the first regular expression that matches, of which the longest are tried first", slices.Concat(s.regex[1:], s.prefix)
	case len(s.prefix) > 0:
		return &s.prefix[0], "the longest prefix that matches", s.prefix[1:]
	}
	return nil, "no location matches the path", nil
}

// add puts a line to where it belongs if it matches.
func (s *search) add(c candidate) {
	if c.match.Kind == model.MatchRegex {
		captures, unsure := newExpression(string(c.match.Regex)).match(s.path)
		if unsure != "" && len(s.regex) == 0 {
			s.unsure = append(s.unsure, "whether the location "+c.String()+" matches: "+unsure)
		}
		if captures != nil {
			s.regex = append(s.regex, c)
		}
		return
	}
	line := string(c.match.Path)
	if c.match.Kind == model.MatchExact && line == s.path {
		s.exact = append(s.exact, c)
	}
	if c.match.Kind == model.MatchPrefix && strings.HasPrefix(s.path, line) {
		s.prefix = append(s.prefix, c)
	}
	if line == s.path+"/" && c.location != nil && c.location.Pass() != nil {
		c.slash = true
		s.slash = append(s.slash, c)
	}
}

// searchLocations looks for the path among the locations of a server.
func searchLocations(server *model.Server, path string) *search {
	s := &search{path: path}
	if server.Name == model.CatchAll {
		s.add(candidate{match: model.Match{Kind: model.MatchExact, Path: healthPath}})
	}
	for i := range server.Locations {
		l := &server.Locations[i]
		for _, m := range l.Claim.Matches {
			s.add(candidate{location: l, match: m})
		}
		if model.GateOf[model.ExternalAuth](l.Gates) != nil && len(s.exact) == 0 && strings.HasPrefix(path, string(authPath)) {
			// It is a prefix with "^~", before which only an exact line would come.
			s.add(candidate{internal: true, match: model.Match{Kind: model.MatchExact, Path: model.Path(path)}})
		}
	}
	slices.SortStableFunc(s.prefix, func(a, b candidate) int { return len(b.match.Path) - len(a.match.Path) })
	return s
}

// The paths that the templates add.
const (
	healthPath model.Path = "/healthz"
	authPath   model.Path = "/_sidegate/auth/"
)
