package layout

import "github.com/sidegate/sidegate/pkg/model"

// Config is nginx.conf before it is text.
type Config struct {
	Main         model.Main
	HTTP         model.HTTP
	Certificates []model.Certificate
	Upstreams    []model.Upstream
	Servers      []Server
}

// Server is a server{} of nginx.
type Server struct {
	Name string
	// Route stands for that of all locations that have none.
	Route *model.Route
	// ToHTTPS stands for that of all locations where they agree.
	ToHTTPS   int
	HSTS      bool
	AppRoot   *model.AppRoot
	Locations []Location
	// Questions are asked by locations of the server; nil is none.
	Questions *Questions
	// Again is the second try of all locations that name none.
	Again Proxied
}

// Location is one or more location{} of nginx with the same body, and the
// helpers that only they need.
type Location struct {
	ID      model.Ident
	Matches []model.Match
	// Route is nil where the server's stands for it.
	Route *model.Route

	Loop    bool
	ToHTTPS int
	// Closed answers 503, and nothing else counts.
	Closed bool
	// Return is nil where requests are passed on.
	Return *model.Return

	Rewrite   *model.Rewrite
	BasicAuth *model.BasicAuth
	// Auth is the authentication service that is asked; nil is none.
	Auth *model.ExternalAuth
	// ErrorPages replace all those of the server and of http{}, if there are any.
	ErrorPages []ErrorPage
	Proxied
	Upstream model.Ident

	// Again is a second try that a location names, as @again-ID; it stands with
	// the first one that does.
	Again *Proxied
}

// ErrorPage sends answers with a code to a named location.
type ErrorPage struct {
	Code int
	// To is its name without the @.
	To model.Ident
}

// Proxied is what a request takes along to a backend, in its first try and in
// its second.
type Proxied struct {
	Settings model.Proxy
	// Headers are nil where those of http{} are right.
	Headers *Headers
}

// Own tells whether it is anything but what http{} says.
func (p Proxied) Own() bool { return p.Headers != nil || p.Settings != model.Proxy{} }

// Headers are the headers for a backend where they are not those of http{}.
type Headers struct {
	// Host is nil where it is the name that chose the server.
	Host            *model.Expr
	ForwardedPrefix *model.Expr
	Hops            bool
	Copied          []model.CopiedHeader
}

// Questions are the locations that ask authentication services.
type Questions struct {
	// Outside says that a name outside of the cluster is asked.
	Outside bool
	List    []Question
}

// Question is one of them.
type Question struct {
	ID   model.Ident
	Auth *model.ExternalAuth
}
