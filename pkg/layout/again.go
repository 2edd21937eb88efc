package layout

import (
	"encoding/json"

	"github.com/sidegate/sidegate/pkg/model"
)

// again names the second try.
const again model.Ident = "again"

// tryAgain gives locations their second try: what nginx itself could not get
// from a backend is asked for once more where that is safe (see variables.tmpl).
// It is a location of its own, and has all that the first try has. The one that
// most need is the server's, which they need not name: http{} does.
func (s *Server) tryAgain() {
	kinds := map[string]*againKind{}
	var most *againKind
	for i := range s.Locations {
		l := &s.Locations[i]
		if !l.passes() {
			continue
		}
		k := kinds[l.Proxied.key()]
		if k == nil {
			k = &againKind{id: l.ID, proxied: &l.Proxied}
			kinds[l.Proxied.key()] = k
		}
		if k.users++; most == nil || k.users > most.users {
			most = k
		}
	}
	if most == nil {
		return
	}
	s.Again = *most.proxied
	for i := range s.Locations {
		l := &s.Locations[i]
		if !l.passes() {
			continue
		}
		to := again
		if k := kinds[l.Proxied.key()]; k != most {
			to = again + "-" + k.id
			if l.ID == k.id {
				l.Again = k.proxied
			}
		}
		// One error_page drops all that http{} says.
		if l.Auth != nil && l.Auth.Signin != "" {
			l.ErrorPages = append(l.ErrorPages, ErrorPage{401, "signin-" + l.ID})
		}
		if to != again || len(l.ErrorPages) > 0 {
			l.ErrorPages = append(l.ErrorPages, ErrorPage{502, to})
		}
	}
}

// againKind is what some locations need of their second try.
type againKind struct {
	// id is that of the first one.
	id      model.Ident
	proxied *Proxied
	users   int
}

// key tells what is alike. Most locations have nothing of their own.
func (p *Proxied) key() string {
	if !p.Own() {
		return ""
	}
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // plain data
	}
	return string(text)
}
