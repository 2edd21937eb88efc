package translate

import (
	"net/netip"
	"strings"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
)

// askAnotherService puts requests to an authentication service first. The
// question goes through a location of its own (see external_auth.tmpl).
func askAnotherService(b *build, p *path, l *model.Location) {
	a := p.ingress.set.ExternalAuth
	if a.URL == nil {
		return
	}
	auth := &model.ExternalAuth{URL: a.URL.Text, Host: model.Expr(a.URL.Host)}
	if !b.resolves(p, l, auth, a.URL.Host) {
		return
	}
	if a.Method != nil {
		auth.Method = *a.Method
	}
	if a.RequestRedirect != nil {
		auth.RequestRedirect = *a.RequestRedirect
	}
	for _, h := range a.ResponseHeaders {
		name := strings.ReplaceAll(strings.ToLower(string(h)), "-", "_")
		auth.ResponseHeaders = append(auth.ResponseHeaders, model.CopiedHeader{
			Name:         h,
			Variable:     "auth_" + model.Ident(name),
			FromVariable: "upstream_http_" + model.Ident(name),
		})
	}
	b.signin(p, auth, a)
	l.ExternalAuth = auth
	l.OwnRetry = l.OwnRetry || len(auth.ResponseHeaders) > 0
}

// resolves sees to it that the URL's host can be looked up, and closes the
// location otherwise.
func (b *build) resolves(p *path, l *model.Location, auth *model.ExternalAuth, host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	if len(b.options.ClusterResolvers) == 0 {
		l.Closed = "the host of auth-url cannot be looked up"
		b.report(p.ingress.object, model.Error, model.ReasonLocationClosed, "metadata.annotations", host,
			"no name server is known that could look up the host of auth-url; the location answers 503 and is not open")
		return false
	}
	auth.Resolvers = b.options.ClusterResolvers
	return true
}

// signin says where a client without a session is sent, and how it comes back.
func (b *build) signin(p *path, auth *model.ExternalAuth, a annotations.ExternalAuth) {
	if a.Signin == nil {
		return
	}
	parameter := a.SigninParam
	if parameter == "" {
		parameter = "rd"
	}
	auth.Signin = a.Signin.Text
	if a.Signin.Parameters.Has(parameter) {
		return
	}
	separator := "?"
	if a.Signin.HasQuery {
		separator = "&"
	}
	auth.Signin += model.Expr(separator + parameter + "=$pass_access_scheme://$best_http_host$escaped_request_uri")
	if b.options.JSModule == "" {
		b.report(p.ingress.object, model.Info, model.ReasonApproximated, "metadata.annotations", "",
			"nginx's njs module is not installed, so the way back in auth-signin is not URL-escaped: of several query parameters only the first one survives")
		return
	}
	b.config.Main.JSModule, b.config.Main.JSFile = b.options.JSModule, b.options.JSFile
}
