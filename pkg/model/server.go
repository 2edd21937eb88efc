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
	// AppRoot is where a request for exactly "/" is sent.
	AppRoot *AppRoot `json:"appRoot,omitempty"`
	// Locations stand in the order in which nginx must try them where order
	// matters (regular expressions); the fallback "/" is the last one.
	Locations []Location `json:"locations"`
}

// AppRoot is a redirect from exactly "/".
type AppRoot struct {
	Target  Expr   `json:"target"`
	Ingress Object `json:"ingress"`
}
