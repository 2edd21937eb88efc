package explain

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/sidegate/sidegate/pkg/layout"
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
		if o.location != nil && o.location.Claim.Object.Name != "" {
			other.Ingress = o.location.Claim.Object.String()
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
	return e.toHTTPS(layout.ServerOf(s).ToHTTPS)
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

// answeredByLocation goes through what stands in a location: the gates, and
// what is done with a request that they let in.
func (e *explainer) answeredByLocation(l *model.Location) {
	for _, g := range l.Gates {
		if e.keptOut(g) {
			return
		}
	}
	switch a := l.Action.(type) {
	case *model.Closed:
		e.answer(http.StatusServiceUnavailable, "the location is closed: "+a.Why)
	case *model.Return:
		if a.URL != "" {
			e.redirect(a.Code, e.expand(string(a.URL)), "the location redirects")
			return
		}
		e.answer(a.Code, "nothing else serves the path")
		e.out.Answer.Body = a.Body
	case *model.Pass:
		if target, ok := e.rewritten(a); ok {
			e.proxied(a, target)
		}
	default:
		panic(fmt.Sprintf("explain does not know the action %T", a))
	}
}

// keptOut tells whether the gate answers the request. What an authentication
// says depends on more than is known here; it is told that it is asked.
func (e *explainer) keptOut(g model.Gate) bool {
	switch g := g.(type) {
	case *model.Loop:
		if e.request.loops() {
			e.answer(http.StatusLoopDetected, "the request has come back again and again from a name outside of the cluster")
			return true
		}
	case *model.ToHTTPS:
		return e.toHTTPS(g.Code)
	case *model.BasicAuth:
		e.auth().Basic = &Basic{Realm: g.Realm, File: string(g.File)}
	case *model.ExternalAuth:
		e.auth().External = &External{URL: string(g.URL), Method: string(g.Method), Signin: string(g.Signin)}
	default:
		panic(fmt.Sprintf("explain does not know the gate %T", g))
	}
	return false
}

func (e *explainer) auth() *Auth {
	if e.out.Auth == nil {
		e.out.Auth = &Auth{}
	}
	return e.out.Auth
}

// rewritten returns what the backend is asked for; false is that nginx
// answers itself.
func (e *explainer) rewritten(p *model.Pass) (string, bool) {
	if p.Rewrite == nil {
		return e.request.target, true
	}
	e.out.Rewrite = &Rewrite{Pattern: string(p.Rewrite.Pattern), Target: string(p.Rewrite.Target)}
	r := rewrite(p.Rewrite, e.request.uri)
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

// proxied describes the upstream.
func (e *explainer) proxied(p *model.Pass, target string) {
	e.out.Answer = Answer{By: ByBackend, Why: "the request is handed to an endpoint"}
	if e.out.Auth != nil {
		e.out.Answer.Why += ", once it has passed the authentication"
	}
	host := e.request.bestHost(&e.Config.HTTP)
	if p.Host != nil {
		host = e.expand(string(*p.Host))
	}
	e.out.Upstream = &Upstream{Name: string(p.Upstream), URI: target, Host: host}
	u := e.Config.Upstream(p.Upstream)
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
	owner := l.Claim.Object
	if owner.Name == "" {
		return
	}
	e.out.Ingress = owner.Namespace + "/" + owner.Name
	e.out.Claim = &Claim{Path: l.Claim.Path, PathType: l.Claim.PathType, Why: "no other Ingress claims this path of the host"}
	for _, f := range e.Findings {
		if f.Object == owner {
			e.out.Findings = append(e.out.Findings, f)
		}
		if f.Reason == model.ReasonHostPathTaken && slices.Contains(l.Claim.Rivals, model.Rival{Object: f.Object, Field: f.Field}) {
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
