package translate

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
)

// askAnotherService puts requests to an authentication service first. The
// question goes through a location of its own (see external_auth.tmpl).
func askAnotherService(b *build, p *path, d *draft) {
	a := p.ingress.set.ExternalAuth
	if a.URL == nil {
		return
	}
	auth := &model.ExternalAuth{Host: model.Expr(a.URL.Host)}
	if why := b.askable(auth, a.URL); why != "" {
		d.close("the host of auth-url cannot be asked")
		b.report(p.ingress.object, model.Error, model.ReasonLocationClosed, "metadata.annotations", a.URL.Host,
			"%s; the location answers 503 and is not open", why)
		return
	}
	if a.Method != nil {
		auth.Method = *a.Method
	}
	if a.RequestRedirect != nil {
		auth.RequestRedirect = inQuestion(*a.RequestRedirect)
	}
	for i, h := range a.ResponseHeaders {
		name := strings.ReplaceAll(strings.ToLower(string(h)), "-", "_")
		auth.ResponseHeaders = append(auth.ResponseHeaders, model.CopiedHeader{
			Name: h,
			// Numbers and not names: the variables are those of the location that
			// handles the request, and no more than the longest list needs.
			Variable:     model.Ident("sg_auth_" + strconv.Itoa(i+1)),
			FromVariable: "upstream_http_" + model.Ident(name),
		})
	}
	b.signin(p, auth, a)
	d.external = auth
}

// inQuestion makes a value right in a question to an authentication service,
// of which nginx's own variable $uri would be that of the question.
func inQuestion(e model.Expr) model.Expr {
	return model.Expr(strings.ReplaceAll(string(e), "${sg_uri}", "${sg_request_path}"))
}

// askable sees to it that the URL's host may be asked, and how it is looked up,
// and says why not.
func (b *build) askable(auth *model.ExternalAuth, u *annotations.URL) string {
	host := u.Host
	if address, err := netip.ParseAddr(host); err == nil {
		if what := b.options.Targets.refusal(netip.AddrPortFrom(address, u.Port)); what != "" {
			return "auth-url names " + what + ", to which nothing is sent"
		}
		if address.Zone() != "" {
			return "auth-url names an address with a zone"
		}
		if host = address.Unmap().String(); address.Unmap().Is6() {
			host = "[" + host + "]"
		}
	} else {
		outside, err := outsideName(host, u.Port)
		if err != nil {
			return "the host of auth-url " + err.Error()
		}
		if len(b.options.ClusterResolvers) == 0 {
			return "no name server is known that could look up the host of auth-url"
		}
		auth.Outside, host = outside, string(outside.Asked)
	}
	auth.URL = model.Expr(u.Scheme+"://"+host+":"+strconv.Itoa(int(u.Port))) + inQuestion(u.Rest)
	auth.TLS = u.Scheme == "https"
	return ""
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
	auth.Signin += model.Expr(separator + parameter + "=$sg_pass_access_scheme://$sg_best_http_host$sg_escaped_request_uri")
	if b.options.JSModule == "" {
		b.report(p.ingress.object, model.Info, model.ReasonApproximated, "metadata.annotations", "",
			"nginx's njs module is not installed, so the way back in auth-signin is not URL-escaped: of several query parameters only the first one survives")
		return
	}
	b.config.Main.JSModule, b.config.Main.JSFile = b.options.JSModule, b.options.JSFile
}
