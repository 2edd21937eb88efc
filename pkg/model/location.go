package model

// Location is what is done with requests for one path of one object: who may
// come in, what happens then, and what holds for the answer.
type Location struct {
	// ID tells helper locations of this one from others; it depends only on
	// host, object and path.
	ID    Ident `json:"id"`
	Claim Claim `json:"claim"`
	// Route is nil where there is no backend.
	Route *Route `json:"route,omitempty"`
	Gates Gates  `json:"gates,omitempty"`
	// Action is never nil.
	Action Action `json:"action"`
}

// Pass is the location's Action where that hands requests on, and nil otherwise.
func (l *Location) Pass() *Pass {
	p, _ := l.Action.(*Pass)
	return p
}

// Closed is the location's Action where that is to let nobody in, and nil
// otherwise.
func (l *Location) Closed() *Closed {
	c, _ := l.Action.(*Closed)
	return c
}

// Claim says whose requests a location takes.
type Claim struct {
	// Object is the owner; empty for what Sidegate itself adds.
	Object Object `json:"object,omitzero"`
	// Path and PathType are what the object says.
	Path     string  `json:"path,omitempty"`
	PathType string  `json:"pathType,omitempty"`
	Matches  []Match `json:"matches"`
	// Rivals claim the same path of the host and are younger.
	Rivals []Rival `json:"rivals,omitempty"`
}

// Rival is a claim that lost. Its finding has the same field.
type Rival struct {
	Object Object `json:"object"`
	Field  string `json:"field"`
}

// MatchKind is how a location matches a request's path.
type MatchKind string

// The kinds, as nginx has them.
const (
	MatchExact  MatchKind = "exact"  // location = "/foo"
	MatchPrefix MatchKind = "prefix" // location "/foo/"
	MatchRegex  MatchKind = "regex"  // location ~* "^/foo"
)

// Match is one location line. A path may need two of them.
type Match struct {
	Kind  MatchKind `json:"kind"`
	Path  Path      `json:"path,omitempty"`
	Regex Regex     `json:"regex,omitempty"`
	// Shared is the number of the namespace's expressions of the server that may be
	// costly, where this is one of them: a request may be matched against all of
	// them, so they share what they may cost.
	Shared int `json:"shared,omitempty"`
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
