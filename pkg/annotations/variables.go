package annotations

import (
	"regexp"

	"github.com/sidegate/sidegate/pkg/model"
)

// requestVariables are the variables that values of annotations may hold
// where they say something about the request. It is a list, and not all that
// nginx has, because some variables tell secrets or paths of the machine.
var requestVariables = map[string]bool{
	"args": true, "best_http_host": true, "body_bytes_sent": true, "content_length": true,
	"content_type": true, "document_uri": true, "escaped_request_uri": true, "host": true,
	"hostname": true, "http_host": true, "https": true, "ingress_name": true, "is_args": true,
	"namespace": true, "pass_access_scheme": true, "pass_port": true, "pass_server_port": true,
	"query_string": true, "remote_addr": true, "remote_port": true, "remote_user": true,
	"req_id": true, "request": true, "request_id": true, "request_method": true,
	"request_uri": true, "scheme": true, "server_addr": true, "server_name": true,
	"server_port": true, "server_protocol": true, "service_name": true, "service_port": true,
	"ssl_cipher": true, "ssl_client_s_dn": true, "ssl_client_verify": true, "ssl_protocol": true,
	"ssl_server_name": true, "time_iso8601": true, "time_local": true, "uri": true,
}

// requestFamilies are variables by what comes behind their prefix. nginx does
// not tell small letters from capital ones.
var requestFamilies = regexp.MustCompile(`^(arg|cookie|http)_[A-Za-z0-9_]+$`)

// requestVariable tells whether a value may use the variable.
func requestVariable(name string) bool {
	return requestVariables[name] || requestFamilies.MatchString(name)
}

// newExpr accepts text with variables of the request that becomes a part of a
// header or of a URL. What a client can put a line break into is replaced by
// what it cannot.
func newExpr(v string) (model.Expr, error) {
	e, err := model.NewExpr(v, requestVariable)
	return model.HeaderVariables(e), err
}

// capture tells whether the variable is a capture of the path's expression.
func capture(name string) bool { return len(name) == 1 && name[0] >= '1' && name[0] <= '9' }
