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
		b.config.Servers = append(b.config.Servers, s)
	}
}

// closeWithoutSlash sees to the path /foo of a closed location /foo/. Where the
// latter has a backend, nginx redirects the one to the other; where it has none,
// requests would get to the next prefix, which may lead to the same backend.
func closeWithoutSlash(s *model.Server) {
	taken := map[model.Path]bool{}
	for i := range s.Locations {
		for _, m := range s.Locations[i].Claim.Matches {
			taken[m.Path] = taken[m.Path] || m.Kind == model.MatchExact
		}
	}
	for i := range s.Locations {
		l := &s.Locations[i]
		if l.Closed() == nil {
			continue
		}
		for _, m := range l.Claim.Matches {
			path, slash := strings.CutSuffix(string(m.Path), "/")
			if m.Kind == model.MatchPrefix && slash && path != "" && !taken[model.Path(path)] {
				taken[model.Path(path)] = true
				l.Claim.Matches = append(l.Claim.Matches, model.Match{Kind: model.MatchExact, Path: model.Path(path)})
			}
		}
	}
}

// location makes the location of a path.
func (b *build) location(p *path) model.Location {
	l := model.Location{
		ID: locationID(p),
		Claim: model.Claim{
			Object: p.ingress.object, Path: p.text, PathType: string(p.kind), Matches: p.matches, Rivals: p.rivals,
		},
	}
	d := &draft{ingress: p.ingress.Name}
	for _, processor := range locationProcessors {
		processor.run(b, p, d)
	}
	d.finish(b, &l)
	return l
}

// fallback makes the location for what no path matches.
func (b *build) fallback(h *host) model.Location {
	root := []model.Match{{Kind: model.MatchPrefix, Path: "/"}}
	if h.fallback != nil {
		h.fallback.matches = root
		return b.location(h.fallback)
	}
	l := model.Location{ID: "default", Claim: model.Claim{Matches: root}}
	d := &draft{toHTTPS: b.toHTTPS(h, "/", nil)}
	if h.closed != "" {
		d.close(h.closed)
	}
	switch sent := b.sendToDefaultBackend(d); {
	case !sent:
		d.answer = &model.Return{Code: 404, Body: notFound}
	case b.unguarded() != "":
		d.close(b.unguarded())
	}
	d.finish(b, &l)
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
