package translate

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
	networkingv1 "k8s.io/api/networking/v1"
)

// notFound is what nginx answers by itself where nothing else does.
const notFound = "default backend - 404"

// buildServers makes a server of every host.
func buildServers(b *build) {
	for _, name := range slices.Sorted(maps.Keys(b.hosts)) {
		h := b.hosts[name]
		s := model.Server{Name: name, Certificate: h.certificate, HSTS: b.config.HTTP.HSTS != nil && b.certified(name), AppRoot: b.appRoot(h)}
		root := false
		for _, p := range h.paths {
			s.Locations = append(s.Locations, b.location(p))
			root = root || p.text == "/" && (h.regex || p.kind != networkingv1.PathTypeExact)
		}
		if !root {
			s.Locations = append(s.Locations, b.fallback(h))
		}
		closeWithoutSlash(&s)
		hoistRedirect(&s)
		hoistRoute(&s)
		b.config.Servers = append(b.config.Servers, s)
	}
}

// closeWithoutSlash sees to the path /foo of a closed location /foo/. Where the
// latter has a backend, nginx redirects the one to the other; where it has none,
// requests would get to the next prefix, which may lead to the same backend.
func closeWithoutSlash(s *model.Server) {
	taken := map[model.Path]bool{}
	for _, l := range s.Locations {
		for _, m := range l.Matches {
			taken[m.Path] = taken[m.Path] || m.Kind == model.MatchExact
		}
	}
	for i := range s.Locations {
		l := &s.Locations[i]
		for _, m := range l.Matches {
			path, slash := strings.CutSuffix(string(m.Path), "/")
			if l.Closed != "" && m.Kind == model.MatchPrefix && slash && path != "" && !taken[model.Path(path)] {
				taken[model.Path(path)] = true
				l.Matches = append(l.Matches, model.Match{Kind: model.MatchExact, Path: model.Path(path)})
			}
		}
	}
}

// hoistRedirect says once for the server what all its locations say: nginx
// makes a location of every "if", and they are what a reload spends time on.
func hoistRedirect(s *model.Server) {
	if s.Name == model.CatchAll {
		return // load balancers ask for its health by http
	}
	code := s.Locations[0].ToHTTPS
	for _, l := range s.Locations {
		if l.ToHTTPS != code || l.Closed != "" {
			return
		}
	}
	s.ToHTTPS = code
	for i := range s.Locations {
		s.Locations[i].ToHTTPS = 0
	}
}

// hoistRoute says once for the server what most of its locations say. Those
// without a backend then say so.
func hoistRoute(s *model.Server) {
	lines := map[model.Route]int{}
	var most model.Route
	asks := false
	for _, l := range s.Locations {
		route := model.NoRoute
		if l.Route != nil {
			route = *l.Route
		}
		if lines[route] += len(l.Matches); lines[route] > lines[most] {
			most = route
		}
		asks = asks || l.ExternalAuth != nil
	}
	// An authentication's subrequest would set the server's again.
	if most == model.NoRoute || asks && len(lines) > 1 {
		return
	}
	s.Route = &most
	for i := range s.Locations {
		switch l := &s.Locations[i]; {
		case l.Route == nil:
			l.Route = new(model.NoRoute)
		case *l.Route == most:
			l.Route = nil
		}
	}
}

// location makes the location of a path.
func (b *build) location(p *path) model.Location {
	l := model.Location{
		ID:       locationID(p),
		Matches:  p.matches,
		Ingress:  p.ingress.object,
		Path:     p.text,
		PathType: string(p.kind),
		Rivals:   p.rivals,
	}
	for _, processor := range locationProcessors {
		processor.run(b, p, &l)
	}
	return l
}

// fallback makes the location for what no path matches.
func (b *build) fallback(h *host) model.Location {
	root := []model.Match{{Kind: model.MatchPrefix, Path: "/"}}
	if h.fallback != nil {
		h.fallback.matches = root
		return b.location(h.fallback)
	}
	l := model.Location{ID: "default", Matches: root, ToHTTPS: b.toHTTPS(h, "/", nil), Closed: h.closed}
	switch sent := b.sendToDefaultBackend(&l); {
	case sent && l.Closed == "" && b.settings.Unguarded != "":
		l.Closed = "the key " + b.settings.Unguarded + " of the ConfigMap cannot be used"
	case !sent:
		l.Return = &model.Return{Code: 404, Body: notFound}
	}
	return l
}

// locationID depends on nothing that other objects could change, and is too long
// for anybody to look for a path with the ID of another one.
func locationID(p *path) model.Ident {
	sum := sha256.Sum256([]byte(p.host.name + "\n" + p.ingress.Namespace + "/" + p.ingress.Name + "\n" + string(p.kind) + "\n" + p.text))
	return model.Ident(hex.EncodeToString(sum[:10]))
}

// arrange puts everything into the order that makes equal input equal output.
func arrange(b *build) {
	c := b.config
	for _, name := range slices.Sorted(maps.Keys(b.upstreams)) {
		c.Upstreams = append(c.Upstreams, *b.upstreams[name])
	}
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		c.Files = append(c.Files, model.File{Name: name, Data: b.files[name]})
	}
	slices.SortFunc(c.Servers, func(x, y model.Server) int {
		switch {
		case x.Name == y.Name:
			return 0
		case x.Name == model.CatchAll:
			return -1
		case y.Name == model.CatchAll:
			return 1
		case x.Name < y.Name:
			return -1
		}
		return 1
	})
	c.HTTP.ResolveIPv6 = b.resolvesIPv6
}
