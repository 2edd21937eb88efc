package render

import (
	"bytes"
	"reflect"

	"github.com/sidegate/sidegate/pkg/layout"
	"github.com/sidegate/sidegate/pkg/model"
)

// Fragment writes what of the Config is not in the live one, in the frame of
// what is common to all, so that a test of it costs what has changed. It has
// the servers and upstreams that are new or different, the upstreams that these
// servers send requests to, and the catch-all server, without which nginx would
// have no TLS context.
//
// next must be the last result of Render, for c. ok is false where the frame
// itself has changed: then all must be tested.
func (r *Renderer) Fragment(c *layout.Config, next *Result, liveConfig *layout.Config, live *Result) (result *Result, ok bool, err error) {
	if !reflect.DeepEqual(c.Main, liveConfig.Main) || !reflect.DeepEqual(c.HTTP, liveConfig.HTTP) {
		return nil, false, nil
	}
	part := *c
	changed := next.changed(live)
	// Each line of the map of certificates is a name and a file that have been
	// checked, so it cannot be at fault.
	part.Certificates, part.Servers, part.Upstreams = nil, nil, nil
	needed := map[model.Ident]bool{}
	for _, s := range c.Servers {
		if s.Name != model.CatchAll && !changed[partKey{"server.tmpl", s.Name}] {
			continue
		}
		part.Servers = append(part.Servers, s)
		for _, l := range s.Locations {
			needed[l.Upstream] = true
		}
	}
	for _, u := range c.Upstreams {
		if needed[u.Name] || changed[partKey{"upstream.tmpl", string(u.Name)}] {
			part.Upstreams = append(part.Upstreams, u)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	result, err = r.write(&part)
	return result, err == nil, err
}

// changed are the parts that are not the same in the other result.
func (r *Result) changed(live *Result) map[partKey]bool {
	known := make(map[partKey]Part, len(live.Parts))
	for _, p := range live.Parts {
		known[partKey{p.Template, p.Name}] = p
	}
	out := map[partKey]bool{}
	for _, p := range r.Parts {
		key := partKey{p.Template, p.Name}
		if old, ok := known[key]; !ok || !bytes.Equal(live.part(old), r.part(p)) {
			out[key] = true
		}
	}
	return out
}
