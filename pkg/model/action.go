package model

import "encoding/json"

// Action is what a location does with the requests that its gates let in. The
// types below are all there are.
type Action interface {
	// action is the name of the kind.
	action() string
}

// Closed answers 503 and nothing else.
type Closed struct {
	// Why says why.
	Why string `json:"why"`
	// NoService says that it is because the Service does not exist.
	NoService bool `json:"noService,omitempty"`
}

// Return answers from the configuration alone.
type Return struct {
	Code int `json:"code"`
	// URL is the target of a redirect.
	URL Expr `json:"url,omitempty"`
	// Body is the text of any other answer.
	Body string `json:"body,omitempty"`
}

// Pass hands requests to an endpoint of an upstream.
type Pass struct {
	// Upstream is the name of one of the Config's.
	Upstream Ident `json:"upstream"`
	// Host replaces the Host header for the backend.
	Host    *Expr    `json:"host,omitempty"`
	Rewrite *Rewrite `json:"rewrite,omitempty"`
	Proxy   Proxy    `json:"proxy,omitzero"`
}

// Rewrite replaces the request's URI.
type Rewrite struct {
	Pattern Regex `json:"pattern"`
	Target  Expr  `json:"target"`
	// ForwardedPrefix is sent to the backend as X-Forwarded-Prefix.
	ForwardedPrefix *Expr `json:"forwardedPrefix,omitempty"`
}

func (*Closed) action() string { return "closed" }
func (*Return) action() string { return "return" }
func (*Pass) action() string   { return "pass" }

// MarshalJSON names the location's action: {"pass":{"upstream":…}}.
func (l Location) MarshalJSON() ([]byte, error) {
	type plain Location // without this method
	return json.Marshal(struct {
		plain
		Action map[string]Action `json:"action"`
	}{plain(l), map[string]Action{l.Action.action(): l.Action}})
}
