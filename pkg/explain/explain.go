package explain

import (
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/sidegate/sidegate/pkg/model"
)

// Endpoints are what is known of the names of upstream servers: their
// addresses now, none for a Service without endpoints. A name that is not
// there has not been told to nginx.
type Endpoints map[string][]netip.Addr

// Input is what an explanation is made from.
type Input struct {
	Config    *model.Config
	Findings  []model.Finding
	Endpoints Endpoints
	URL       string
	// Header holds headers of the request. Host replaces that of the URL;
	// X-Forwarded-Proto and X-Forwarded-Host count where the configuration
	// believes its proxies, as if one of them had sent the request.
	Header http.Header
}

// Explanation says what nginx does with a request, and why.
type Explanation struct {
	URL         string       `json:"url"`
	Request     *Request     `json:"request,omitempty"`
	Certificate *Certificate `json:"certificate,omitempty"`
	Server      *Server      `json:"server,omitempty"`
	Location    *Location    `json:"location,omitempty"`
	// Ingress is the owner of the location, as NAMESPACE/NAME; "" is Sidegate
	// itself. Claim is what it says.
	Ingress  string    `json:"ingress,omitempty"`
	Claim    *Claim    `json:"claim,omitempty"`
	Auth     *Auth     `json:"auth,omitempty"`
	Rewrite  *Rewrite  `json:"rewrite,omitempty"`
	Upstream *Upstream `json:"upstream,omitempty"`
	// Servers are the upstream's, with their endpoints now.
	Servers []UpstreamServer `json:"servers,omitempty"`
	Answer  Answer           `json:"answer"`
	// Findings are those about the Ingress.
	Findings []model.Finding `json:"findings,omitempty"`
	// Unsure says where nginx may do something else.
	Unsure []string `json:"unsure,omitempty"`
}

// Request is the request as nginx reads it.
type Request struct {
	// Scheme is how the client came, as far as is believed.
	Scheme string `json:"scheme"`
	Host   string `json:"host"`
	// Path is decoded, without dot segments and double slashes.
	Path  string `json:"path"`
	Query string `json:"query,omitempty"`
}

// Certificate is what a client is shown in the TLS handshake.
type Certificate struct {
	File string `json:"file"`
	Why  string `json:"why"`
	// Names are the certificate's own.
	Names     []string  `json:"names,omitempty"`
	NotBefore time.Time `json:"notBefore,omitzero"`
	NotAfter  time.Time `json:"notAfter,omitzero"`
}

// Server is the virtual host.
type Server struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// Location is the location that nginx chooses.
type Location struct {
	// Match is its line in nginx.conf.
	Match string `json:"match"`
	Why   string `json:"why"`
	// Others match the path too, in the order in which nginx would take them.
	Others []Other `json:"others,omitempty"`
}

// Other is a location that matches and is not chosen.
type Other struct {
	Match   string `json:"match"`
	Ingress string `json:"ingress,omitempty"`
}

// Claim is the path of an Ingress that became the location.
type Claim struct {
	Path     string `json:"path"`
	PathType string `json:"pathType"`
	Why      string `json:"why"`
	// Losers are the findings of other Ingresses that claim the same.
	Losers []model.Finding `json:"losers,omitempty"`
}

// Auth is what a request must pass first.
type Auth struct {
	Basic    *Basic    `json:"basic,omitempty"`
	External *External `json:"external,omitempty"`
}

// Basic is HTTP basic authentication.
type Basic struct {
	Realm string `json:"realm"`
	File  string `json:"file"`
}

// External is authentication by another service.
type External struct {
	URL    string `json:"url"`
	Method string `json:"method,omitempty"`
	// Signin is where a client is sent when the answer is 401.
	Signin string `json:"signin,omitempty"`
}

// Rewrite is what becomes of the path.
type Rewrite struct {
	Pattern string `json:"pattern"`
	Target  string `json:"target"`
	// Captures are $1 and so on.
	Captures []string `json:"captures,omitempty"`
}

// Upstream is where the request goes.
type Upstream struct {
	Name    string        `json:"name"`
	Backend model.Backend `json:"backend"`
	// URI and Host are what the backend is asked for.
	URI    string        `json:"uri"`
	Host   string        `json:"host"`
	Sticky *model.Sticky `json:"sticky,omitempty"`
}

// UpstreamServer is one server line.
type UpstreamServer struct {
	Name string `json:"name"`
	Port int32  `json:"port"`
	// Resolvers are asked for the name; none is Sidegate itself.
	Resolvers []string `json:"resolvers,omitempty"`
	// Endpoints are its addresses now.
	Endpoints []netip.AddrPort `json:"endpoints"`
	// Unknown says that nginx has not been told of the name.
	Unknown bool `json:"unknown,omitempty"`
}

// The parties that answer.
const (
	ByNginx   = "nginx"
	ByBackend = "backend"
)

// Answer is what the client gets.
type Answer struct {
	// By is ByNginx or ByBackend.
	By string `json:"by"`
	// Status is the code of an answer by nginx.
	Status int `json:"status,omitempty"`
	// Location is the target of a redirect.
	Location string `json:"location,omitempty"`
	Body     string `json:"body,omitempty"`
	Why      string `json:"why"`
}

// Explain finds out what nginx does with the request. The error is about the
// URL; a request that nginx refuses is an explanation.
func Explain(in Input) (*Explanation, error) {
	e := &explainer{Input: in, out: &Explanation{URL: in.URL}}
	r, err := newRequest(in.URL, in.Header)
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		e.out.Answer = Answer{By: ByNginx, Status: http.StatusBadRequest, Why: refused.why}
		return e.out, nil
	case err != nil:
		return nil, err
	}
	e.request = r
	e.out.Request = &Request{
		Scheme: r.accessScheme(&in.Config.HTTP), Host: r.host, Path: r.uri.path, Query: r.uri.args,
	}
	e.walk()
	return e.out, nil
}
