package model

import "strings"

// OwnPrefix begins the name of every variable that the configuration defines.
// No input may hold a name that begins so: a map, or a named group of a regular
// expression, replaces whatever else has its name in the whole configuration.
const OwnPrefix = "sg_"

// documented are the variables of ingress-nginx that its users' values hold.
// The configuration has each as OwnPrefix + name.
var documented = map[string]bool{
	"best_http_host": true, "escaped_request_uri": true, "full_x_forwarded_for": true,
	"ingress_name": true, "namespace": true, "pass_access_scheme": true, "pass_port": true,
	"pass_server_port": true, "proxy_alternative_upstream_name": true, "proxy_upstream_name": true,
	"req_id": true, "service_name": true, "service_port": true,
}

// unsafe are variables of nginx in which a client can put any byte, and the
// ones that say the same of harmless requests.
var unsafe = map[string]string{
	"uri": "uri", "document_uri": "uri", "remote_user": "remote_user", "ssl_server_name": "ssl_server_name",
}

// OwnVariables gives the variables of a user's value the names that they have
// in the configuration. The Host header is the name that chose the server, with
// the port as it was sent.
func OwnVariables(e Expr) Expr {
	return rename(e, func(name string) string {
		switch {
		case documented[name]:
			return name
		case name == "http_host":
			return "request_host"
		}
		return ""
	})
}

// HeaderVariables does the same for a value that becomes a part of a header or
// of a URL, where a line break would end it. (The log escapes what it writes.)
func HeaderVariables(e Expr) Expr {
	return rename(OwnVariables(e), func(name string) string { return unsafe[name] })
}

// rename puts the prefix and the new name where there is one. nginx does not
// tell small letters from capital ones.
func rename(e Expr, to func(string) string) Expr {
	return Expr(variablePattern.ReplaceAllStringFunc(string(e), func(v string) string {
		if name := to(strings.ToLower(strings.Trim(v, "${}"))); name != "" {
			return "${" + OwnPrefix + name + "}"
		}
		return v
	}))
}
