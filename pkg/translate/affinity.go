package translate

import (
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
func keepSessions(b *build, p *path, d *draft) {
	a := p.ingress.set.Affinity
	if d.upstream == nil || a.Kind == "" && a.Learn == nil {
		return
	}
	d.upstream.Sticky = b.limitCookies(p, d.upstream.Backend, sticky(b, p, a))
}

// maxCookies is how many cookies one Service port has. Each is an upstream with
// all of its endpoints, which nginx looks up and holds in memory for everybody.
const maxCookies = 32

// limitCookies returns the cookie, or one that is there already where the Service port
// has too many: first the one for all paths, and then none.
func (b *build) limitCookies(p *path, backend model.Backend, s *model.Sticky) *model.Sticky {
	known := b.cookies[backend]
	if known == nil {
		known = map[string]bool{}
		b.cookies[backend] = known
	}
	admit := func(s *model.Sticky, most int) bool {
		key := digest(s)
		if known[key] || len(known) < most {
			known[key] = true
			return true
		}
		return false
	}
	if admit(s, maxCookies) {
		return s
	}
	if s.Cookie != "" {
		wide := *s
		if wide.Path = "/"; admit(&wide, 2*maxCookies) {
			b.report(p.ingress.object, model.Warning, model.ReasonApproximated, p.field+".path", p.text,
				"the Service port %s has %d cookies with other paths or names already, each with all of its endpoints in nginx; this one has the path /", backend, maxCookies)
			return &wide
		}
	}
	b.report(p.ingress.object, model.Warning, model.ReasonApproximated, p.field+".path", p.text,
		"the Service port %s has %d cookies already, each with all of its endpoints in nginx; sessions of this path are not kept", backend, len(known))
	return nil
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
