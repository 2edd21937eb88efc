package layout

import (
	"fmt"

	"github.com/sidegate/sidegate/pkg/model"
)

// location lays out what a location has by itself.
func location(l *model.Location) Location {
	out := Location{ID: l.ID, Matches: l.Claim.Matches, Route: l.Route}
	for _, g := range l.Gates {
		switch g := g.(type) {
		case *model.Loop:
			out.Loop = true
		case *model.ToHTTPS:
			out.ToHTTPS = g.Code
		case *model.BasicAuth:
			out.BasicAuth = g
		case *model.ExternalAuth:
			out.Auth = g
		default:
			panic(fmt.Sprintf("layout does not know the gate %T", g))
		}
	}
	switch a := l.Action.(type) {
	case *model.Closed:
		out.Closed = true
	case *model.Return:
		out.Return = a
	case *model.Pass:
		out.Upstream, out.Rewrite = a.Upstream, a.Rewrite
		out.Proxied = Proxied{Settings: a.Proxy, Headers: headers(a, &out)}
	default:
		panic(fmt.Sprintf("layout does not know the action %T", a))
	}
	return out
}

// headers are nil where a request takes along what most do.
func headers(p *model.Pass, l *Location) *Headers {
	h := Headers{Host: p.Host, Hops: l.Loop}
	if p.Rewrite != nil {
		h.ForwardedPrefix = p.Rewrite.ForwardedPrefix
	}
	if l.Auth != nil {
		h.Copied = l.Auth.ResponseHeaders
	}
	if h.Host == nil && h.ForwardedPrefix == nil && !h.Hops && len(h.Copied) == 0 {
		return nil
	}
	return &h
}

// passes tells whether requests are handed on.
func (l *Location) passes() bool { return l.Upstream != "" }
