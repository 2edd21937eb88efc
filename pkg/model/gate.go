package model

import "encoding/json"

// Gate keeps some requests out, before the location's Action. The types below
// are all there are; nginx asks them in the order in which they stand here.
type Gate interface {
	// gate is the name of the kind.
	gate() string
}

// Gates are those of a location, in nginx's order, each kind once.
type Gates []Gate

// GateOf returns the gate of a kind, or nil.
func GateOf[G any, P interface {
	*G
	Gate
}](gates Gates) P {
	for _, g := range gates {
		if found, ok := g.(P); ok {
			return found
		}
	}
	return nil
}

// Loop ends requests that come back again and again. It is for backends outside
// of the cluster, which may lead to nginx itself.
type Loop struct{}

// ToHTTPS redirects requests that did not come by https.
type ToHTTPS struct {
	Code int `json:"code"`
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

func (*Loop) gate() string         { return "loop" }
func (*ToHTTPS) gate() string      { return "toHTTPS" }
func (*BasicAuth) gate() string    { return "basicAuth" }
func (*ExternalAuth) gate() string { return "externalAuth" }

// MarshalJSON names each gate: {"toHTTPS":{"code":308}}.
func (g Gates) MarshalJSON() ([]byte, error) {
	out := make(map[string]Gate, len(g))
	for _, gate := range g {
		out[gate.gate()] = gate
	}
	return json.Marshal(out)
}
