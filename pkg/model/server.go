package model

// CatchAll is the name of the server that answers for hosts no Ingress names.
const CatchAll = "_"

// Server is a virtual host.
type Server struct {
	// Name is a host, a wildcard host, or CatchAll.
	Name string `json:"name"`
	// Certificate says that a certificate of an Ingress answers for it.
	Certificate bool `json:"certificate,omitempty"`
	// HSTS says that a certificate which is not the default one can answer for
	// it, so that clients may be told to keep to https.
	HSTS bool `json:"hsts,omitempty"`
	// Route stands for that of all its locations that have none.
	Route *Route `json:"route,omitempty"`
	// ToHTTPS stands for the ToHTTPS of all its locations where they agree.
	ToHTTPS int `json:"toHTTPS,omitempty"`
	// AppRoot is where a request for exactly "/" is sent.
	AppRoot *AppRoot `json:"appRoot,omitempty"`
	// Locations stand in the order in which nginx must try them where order
	// matters (regular expressions); the fallback "/" is the last one.
	Locations []Location `json:"locations"`
}

// Rival is a claim that lost. Its finding has the same field.
type Rival struct {
	Ingress Object `json:"ingress"`
	Field   string `json:"field"`
}

// AppRoot is a redirect from exactly "/".
type AppRoot struct {
	Target  Expr   `json:"target"`
	Ingress Object `json:"ingress"`
}

// MatchKind is how a location matches a request's path.
type MatchKind string

// The kinds, as nginx has them.
const (
	MatchExact  MatchKind = "exact"  // location = "/foo"
	MatchPrefix MatchKind = "prefix" // location "/foo/"
	MatchRegex  MatchKind = "regex"  // location ~* "^/foo"
)

// Match is one location line. An Ingress path may need two of them.
type Match struct {
	Kind  MatchKind `json:"kind"`
	Path  Path      `json:"path,omitempty"`
	Regex Regex     `json:"regex,omitempty"`
	// Shared is the number of the namespace's expressions of the server that may be
	// costly, where this is one of them: a request may be matched against all of
	// them, so they share what they may cost.
	Shared int `json:"shared,omitempty"`
}

// Location is what is done with requests for one path of one Ingress.
type Location struct {
	// ID tells helper locations of this one from others; it depends only on
	// host, Ingress and path.
	ID      Ident   `json:"id"`
	Matches []Match `json:"matches"`
	// Ingress is the owner; empty for what Sidegate itself adds.
	Ingress Object `json:"ingress,omitzero"`
	// Path and PathType are what the Ingress says.
	Path     string `json:"path,omitempty"`
	PathType string `json:"pathType,omitempty"`
	// Rivals claim the same path of the host and are younger.
	Rivals []Rival `json:"rivals,omitempty"`
	// Route is nil where the server's stands for it.
	Route *Route `json:"route,omitempty"`

	// Closed answers 503 and nothing else, and says why.
	Closed string `json:"closed,omitempty"`
	// NoService says that it is closed because the Service does not exist.
	NoService bool `json:"noService,omitempty"`
	// Return answers from the configuration alone.
	Return *Return `json:"return,omitempty"`
	// ToHTTPS is the code with which requests that did not come by https are
	// redirected; 0 is: not at all.
	ToHTTPS int      `json:"toHTTPS,omitempty"`
	Rewrite *Rewrite `json:"rewrite,omitempty"`

	// Upstream is where requests go. It is empty only where Closed or Return
	// is set.
	Upstream Ident `json:"upstream,omitempty"`
	// CountHops ends requests that come back again and again: Upstream is a name
	// outside of the cluster, which may lead to nginx itself.
	CountHops bool `json:"countHops,omitempty"`
	// Host replaces the Host header for the backend.
	Host  *Expr `json:"host,omitempty"`
	Proxy Proxy `json:"proxy,omitzero"`

	BasicAuth    *BasicAuth    `json:"basicAuth,omitempty"`
	ExternalAuth *ExternalAuth `json:"externalAuth,omitempty"`

	// OwnRetry gives the location a second-try location of its own, because
	// the one that its server has would lack this location's settings.
	OwnRetry bool `json:"ownRetry,omitempty"`
}

// Route tells nginx's variables, and so its log, which backend it is.
type Route struct {
	// Path is NAMESPACE/INGRESS/SERVICE/PORT/HASH.
	Path string `json:"path"`
	// LogName is the backend as the access log has it by default. It could be
	// made of Path, but then a regular expression would run for each request.
	LogName string `json:"logName"`
}

// NoRoute is what nginx's variables say where no backend is.
var NoRoute = Route{Path: "upstream-default-backend", LogName: "upstream-default-backend"}

// Return is an answer without a backend.
type Return struct {
	Code int `json:"code"`
	// URL is the target of a redirect.
	URL Expr `json:"url,omitempty"`
	// Body is the text of any other answer.
	Body string `json:"body,omitempty"`
}

// Rewrite replaces the request's URI.
type Rewrite struct {
	Pattern Regex `json:"pattern"`
	Target  Expr  `json:"target"`
	// ForwardedPrefix is sent to the backend as X-Forwarded-Prefix.
	ForwardedPrefix *Expr `json:"forwardedPrefix,omitempty"`
}

// BasicAuth asks for a name and a password.
type BasicAuth struct {
	Realm string `json:"realm"`
	// File is the live file with the users.
	File Ident `json:"file"`
}

// ExternalAuth asks another service whether a request may pass.
type ExternalAuth struct {
	URL Expr `json:"url"`
	// TLS says that URL is one of https.
	TLS bool `json:"tls,omitempty"`
	// Host is the Host header of the question.
	Host   Expr  `json:"host"`
	Method Ident `json:"method,omitempty"`
	// Signin is where a browser is sent when the answer is 401, with the
	// parameter that carries the way back.
	Signin          Expr           `json:"signin,omitempty"`
	RequestRedirect Expr           `json:"requestRedirect,omitempty"`
	ResponseHeaders []CopiedHeader `json:"responseHeaders,omitempty"`
	// Outside is the host of the URL as its owner wrote it, where it is a name.
	// In URL stands the one that nginx asks our DNS server for.
	Outside *Outside `json:"outside,omitempty"`
}

// CopiedHeader is a header of the authentication's answer that the backend is
// to see.
type CopiedHeader struct {
	Name Ident `json:"name"`
	// Variable holds the value in between; FromVariable is nginx's variable
	// of the header in the answer.
	Variable     Ident `json:"variable"`
	FromVariable Ident `json:"fromVariable"`
}
