package translate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/sidegate/sidegate/pkg/model"
)

// draft is the location of a path under way. Processors write down what each
// of them knows; finish makes of it what the model has.
type draft struct {
	// ingress is the name of the owner, empty for what Sidegate itself adds.
	ingress string
	// backend is the one that the log names; nil is none.
	backend *model.Backend

	loop     bool
	toHTTPS  int
	basic    *model.BasicAuth
	external *model.ExternalAuth

	// closed comes before answer, and answer before pass.
	closed *model.Closed
	answer *model.Return
	pass   model.Pass
	// upstream is what pass needs; nil is that nothing is passed on. It is the
	// draft's own: a setting that nginx has in the upstream is written there.
	upstream *model.Upstream
}

// close closes the location. Of several reasons it is the first that is told.
func (d *draft) close(why string) {
	if d.closed == nil {
		d.closed = &model.Closed{Why: why}
	}
}

// finish makes the location.
func (d *draft) finish(b *build, l *model.Location) {
	hash := ""
	if d.backend != nil {
		hash = plainHash(*d.backend)
	}
	switch {
	case d.closed != nil:
		l.Action = d.closed
	case d.answer != nil:
		l.Action = d.answer
	default:
		hash = b.intern(d.upstream)
		d.pass.Upstream = d.upstream.Name
		l.Action = &d.pass
	}
	l.Gates = d.gates(l)
	if d.backend != nil {
		l.Route = route(*d.backend, d.ingress, hash)
	}
}

// gates are in the order of nginx's phases. What is closed needs none, and an
// answer of the configuration comes before nginx asks who it is.
func (d *draft) gates(l *model.Location) (out model.Gates) {
	if l.Closed() != nil {
		return nil
	}
	if d.loop && l.Pass() != nil {
		out = append(out, &model.Loop{})
	}
	if d.toHTTPS != 0 {
		out = append(out, &model.ToHTTPS{Code: d.toHTTPS})
	}
	if l.Pass() == nil {
		return out
	}
	if d.basic != nil {
		out = append(out, d.basic)
	}
	if d.external != nil {
		out = append(out, d.external)
	}
	return out
}

// intern gives the upstream the name of what it is, so that all that is alike is
// one upstream, and returns the hash in it. A plain one has a short hash.
func (b *build) intern(u *model.Upstream) (hash string) {
	settings := upstreamSettings{Backend: u.Backend, Sticky: u.Sticky}
	if settings == (upstreamSettings{Backend: u.Backend}) {
		hash = plainHash(u.Backend)
	} else {
		hash = digest(settings)
	}
	u.Name = upstreamName(hash, u.Backend)
	if b.upstreams[u.Name] != nil {
		return hash
	}
	if n, ok := b.endpoints[u.Backend]; ok {
		// Each has a zone of its own, with its own history.
		u.Zone = zoneFor(n, b.previousUpstream(u.Name))
	}
	b.upstreams[u.Name] = u
	return hash
}

// upstreamSettings are what tells the upstreams of one Service port apart. What
// is not set must not change the digest of the others.
type upstreamSettings struct {
	Backend model.Backend
	Sticky  *model.Sticky
}

// digest names data by its content.
func digest(data any) string {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // plain data
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:4])
}
