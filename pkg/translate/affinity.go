package translate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
)

// defaultCookie is the cookie's name in ingress-nginx.
const defaultCookie model.Ident = "INGRESSCOOKIE"

// cookiePath matches the paths that can be the Path of a cookie.
var cookiePath = regexp.MustCompile(`^/[-._~a-zA-Z0-9/:@!&'()*+=%]*$`)

// keepSessions pins clients to endpoints. nginx does that in the upstream, so
// one Service behind two different cookies is two upstreams.
func keepSessions(b *build, p *path, l *model.Location) {
	a := p.ingress.set.Affinity
	if l.Upstream == "" || a.Kind == "" && a.Learn == nil {
		return
	}
	plain := b.upstreams[l.Upstream]
	u := *plain
	u.Sticky = sticky(b, p, a)
	hash := digest(struct {
		Backend model.Backend
		Sticky  *model.Sticky
	}{u.Backend, u.Sticky})
	u.Name = upstreamName(hash, u.Backend)
	if u.Outside == nil && u.Servers[0].Resolve {
		// The sessions' upstream has a zone of its own, with its own history.
		u.Zone = zoneFor(b.endpointCount(&u), b.previousUpstream(u.Name))
	}
	b.upstreams[u.Name] = &u
	l.Upstream = u.Name
	setRoute(l, p.ingress.Name, hash, u.Backend)
}

func sticky(b *build, p *path, a annotations.Affinity) *model.Sticky {
	if a.Learn != nil {
		return &model.Sticky{Learn: *a.Learn}
	}
	s := &model.Sticky{Cookie: defaultCookie, Path: p.text, Domain: a.Domain, SameSite: model.Expr(a.SameSite)}
	if a.Cookie != nil {
		s.Cookie = *a.Cookie
	}
	switch {
	case a.Path != nil:
		s.Path = string(*a.Path)
	case p.host.regex || !cookiePath.MatchString(p.text):
		s.Path = "/"
	}
	switch {
	case a.MaxAge != nil:
		s.Expires = a.MaxAge
	case a.Expires != nil:
		s.Expires = a.Expires
	}
	if s.Expires != nil && *s.Expires == 0 {
		s.Expires = nil
	}
	if a.SameSite == "none" && a.ConditionalSameSiteNone != nil && *a.ConditionalSameSiteNone {
		s.SameSite = "$sg_samesite_none"
	}
	s.Secure = b.toHTTPS(p.host, p.text, p.ingress) != 0
	if a.Secure != nil {
		s.Secure = *a.Secure
	}
	b.explainAffinity(p, a)
	return s
}

// explainAffinity says where the stock directive does something else.
func (b *build) explainAffinity(p *path, a annotations.Affinity) {
	note := func(format string, args ...any) {
		b.report(p.ingress.object, model.Info, model.ReasonApproximated, "metadata.annotations", "", format, args...)
	}
	if a.Mode == "balanced" {
		note("affinity-mode: balanced behaves like persistent: sessions stay where they are when endpoints come")
	}
	if a.ChangeOnFailure != nil && !*a.ChangeOnFailure {
		note("session-cookie-change-on-failure: false is not possible: a client whose endpoint fails gets another one and a new cookie")
	}
	if a.Expires != nil && a.MaxAge != nil && *a.Expires != *a.MaxAge {
		note("nginx sets the cookie's Expires and Max-Age together: session-cookie-max-age is used for both")
	}
	if a.Path == nil && (p.host.regex || !cookiePath.MatchString(p.text)) {
		note("the path %s cannot be a cookie's path, so that is /; session-cookie-path sets another one", model.Clip(p.text))
	}
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
