package explain

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/netip"
	"slices"

	"github.com/sidegate/sidegate/pkg/model"
)

// explainer follows one request through the configuration.
type explainer struct {
	Input
	request *request
	out     *Explanation
}

// walk goes through nginx's phases in their order. The first that answers
// ends it.
func (e *explainer) walk() {
	c, r := e.Config, e.request
	server, why := chooseServer(c, r.host)
	e.out.Server = &Server{Name: server.Name, Why: why}
	if r.scheme == "https" {
		e.out.Certificate = e.certificate()
	}
	if e.answeredByServer(server) {
		return
	}
	found := searchLocations(server, r.uri.path)
	chosen, why, others := found.choose()
	e.out.Unsure = append(e.out.Unsure, found.unsure...)
	if chosen == nil {
		e.answer(http.StatusNotFound, why)
		return
	}
	e.out.Location = &Location{Match: chosen.String(), Why: why}
	for _, o := range others {
		other := Other{Match: o.String()}
		if o.location != nil && o.location.Ingress.Name != "" {
			other.Ingress = o.location.Ingress.String()
		}
		e.out.Location.Others = append(e.out.Location.Others, other)
	}
	switch {
	case chosen.internal:
		e.answer(http.StatusNotFound, "the location is for nginx's own requests only")
	case chosen.location == nil:
		e.answer(http.StatusOK, "nginx says that it runs")
	case chosen.slash:
		e.own(chosen.location)
		e.redirectToSlash(chosen)
	default:
		e.own(chosen.location)
		e.answeredByLocation(chosen.location)
	}
}

func (e *explainer) answer(status int, why string) {
	e.out.Answer = Answer{By: ByNginx, Status: status, Why: why}
}

func (e *explainer) redirect(status int, target, why string) {
	e.out.Answer = Answer{By: ByNginx, Status: status, Location: target, Why: why}
}

// answeredByServer tells whether the server redirects before it looks for a
// location.
func (e *explainer) answeredByServer(s *model.Server) bool {
	h, r := &e.Config.HTTP, e.request
	if a := s.AppRoot; a != nil && r.uri.path == "/" {
		target := e.out.Request.Scheme + "://" + r.bestHost(h) + e.expand(string(a.Target))
		e.redirect(http.StatusFound, target, "app-root of "+a.Ingress.String())
		return true
	}
	return e.toHTTPS(s.ToHTTPS)
}

// toHTTPS tells whether the client is sent to https.
func (e *explainer) toHTTPS(code int) bool {
	if code == 0 || e.out.Request.Scheme != "http" {
		return false
	}
	why := "the request did not come by https, and ssl-redirect or force-ssl-redirect is on"
	if e.Config.HTTP.TrustForwarded {
		why += "; X-Forwarded-Proto is believed when a proxy in proxy-real-ip-cidr sends it"
	}
	e.redirect(code, e.request.httpsURL(&e.Config.HTTP), why)
	return true
}

// redirectToSlash is the redirect that nginx makes for a proxied location
// whose path lacks only a slash.
func (e *explainer) redirectToSlash(c *candidate) {
	target := e.request.scheme + "://" + e.request.host + escape(string(c.match.Path), escapedInPath)
	if e.request.uri.args != "" {
		target += "?" + e.request.uri.args
	}
	e.redirect(http.StatusMovedPermanently, target, "the path with a slash at its end has a location, and the one without has none")
}

// answeredByLocation goes through what stands in a location.
func (e *explainer) answeredByLocation(l *model.Location) {
	switch {
	case l.Closed != "":
		e.answer(http.StatusServiceUnavailable, "the location is closed: "+l.Closed)
		return
	case l.CountHops && l.Return == nil && e.request.loops():
		e.answer(http.StatusLoopDetected, "the request has come back again and again from a name outside of the cluster")
		return
	case e.toHTTPS(l.ToHTTPS):
		return
	case l.Return != nil && l.Return.URL != "":
		e.redirect(l.Return.Code, e.expand(string(l.Return.URL)), "the location redirects")
		return
	case l.Return != nil:
		e.answer(l.Return.Code, "nothing else serves the path")
		e.out.Answer.Body = l.Return.Body
		return
	}
	target, ok := e.rewritten(l)
	if ok {
		e.out.Auth = auth(l)
		e.proxied(l, target)
	}
}

// rewritten returns what the backend is asked for; false is that nginx
// answers itself.
func (e *explainer) rewritten(l *model.Location) (string, bool) {
	if l.Rewrite == nil {
		return e.request.target, true
	}
	e.out.Rewrite = &Rewrite{Pattern: string(l.Rewrite.Pattern), Target: string(l.Rewrite.Target)}
	r := rewrite(l.Rewrite, e.request.uri)
	if r.unsure != "" {
		e.out.Unsure = append(e.out.Unsure, "what the path is rewritten to: "+r.unsure)
	}
	switch {
	case !r.matches:
		return e.request.target, true
	case r.fault != "":
		e.answer(http.StatusInternalServerError, r.fault)
		return "", false
	}
	e.out.Rewrite.Captures = r.captures[1:]
	if r.redirect {
		e.redirect(http.StatusFound, r.target, "rewrite-target is an absolute URL")
		return "", false
	}
	return r.target, true
}

func auth(l *model.Location) *Auth {
	if l.BasicAuth == nil && l.ExternalAuth == nil {
		return nil
	}
	out := &Auth{}
	if b := l.BasicAuth; b != nil {
		out.Basic = &Basic{Realm: b.Realm, File: string(b.File)}
	}
	if x := l.ExternalAuth; x != nil {
		out.External = &External{URL: string(x.URL), Method: string(x.Method), Signin: string(x.Signin)}
	}
	return out
}

// proxied describes the upstream.
func (e *explainer) proxied(l *model.Location, target string) {
	e.out.Answer = Answer{By: ByBackend, Why: "the request is handed to an endpoint"}
	if e.out.Auth != nil {
		e.out.Answer.Why += ", once it has passed the authentication"
	}
	host := e.request.bestHost(&e.Config.HTTP)
	if l.Host != nil {
		host = e.expand(string(*l.Host))
	}
	e.out.Upstream = &Upstream{Name: string(l.Upstream), URI: target, Host: host}
	u := e.Config.Upstream(l.Upstream)
	if u == nil {
		return
	}
	e.out.Upstream.Backend, e.out.Upstream.Sticky = u.Backend, u.Sticky
	none := true
	for _, s := range u.Servers {
		server := UpstreamServer{Name: string(s.Host), Port: s.Port, Endpoints: []netip.AddrPort{}}
		if u.Outside != nil {
			server.Name, server.Resolvers = u.Outside.Name, e.Config.HTTP.ClusterResolvers
		}
		addresses, known := e.Endpoints[string(s.Host)]
		if a, err := netip.ParseAddr(string(s.Host)); err == nil && !s.Resolve {
			addresses, known = []netip.Addr{a}, true
		}
		server.Unknown = !known && u.Outside == nil
		for _, a := range addresses {
			server.Endpoints = append(server.Endpoints, netip.AddrPortFrom(a, uint16(s.Port)))
		}
		none = none && len(addresses) == 0 && u.Outside == nil
		e.out.Servers = append(e.out.Servers, server)
	}
	if none {
		why := "the Service has no endpoint that is ready"
		if e.out.Auth != nil {
			why += "; the authentication comes first"
		}
		e.answer(http.StatusServiceUnavailable, why)
	}
}

// own says whose location it is, and who else wants it.
func (e *explainer) own(l *model.Location) {
	if l.Ingress.Name == "" {
		return
	}
	e.out.Ingress = l.Ingress.Namespace + "/" + l.Ingress.Name
	e.out.Claim = &Claim{Path: l.Path, PathType: l.PathType, Why: "no other Ingress claims this path of the host"}
	for _, f := range e.Findings {
		if f.Object == l.Ingress {
			e.out.Findings = append(e.out.Findings, f)
		}
		if f.Reason == model.ReasonHostPathTaken && slices.Contains(l.Rivals, model.Rival{Ingress: f.Object, Field: f.Field}) {
			e.out.Claim.Losers = append(e.out.Claim.Losers, f)
			e.out.Claim.Why = "it is the oldest of those that claim this path of the host"
		}
	}
}

// certificate says what the TLS handshake shows.
func (e *explainer) certificate() *Certificate {
	file, why := chooseCertificate(e.Config, e.request.sni())
	out := &Certificate{File: string(file), Why: why}
	i := slices.IndexFunc(e.Config.Files, func(f model.File) bool { return f.Name == file })
	if i < 0 {
		return out
	}
	// The certificate is public; it comes first, and the key is not looked at.
	block, _ := pem.Decode(e.Config.Files[i].Data)
	if block == nil {
		return out
	}
	if leaf, err := x509.ParseCertificate(block.Bytes); err == nil {
		out.Names, out.NotBefore, out.NotAfter = leaf.DNSNames, leaf.NotBefore.UTC(), leaf.NotAfter.UTC()
	}
	return out
}
