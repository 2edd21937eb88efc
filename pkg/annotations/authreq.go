package annotations

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

// ExternalAuth asks another service whether a request may pass.
type ExternalAuth struct {
	URL             *URL
	Method          *model.Ident
	Signin          *URL
	SigninParam     string
	ResponseHeaders []model.Ident
	RequestRedirect *model.Expr
}

// URL is an absolute URL whose parts behind the host may hold variables.
type URL struct {
	Text model.Expr
	// Scheme, Host (the name or address without the port), Port and Rest are the
	// parts of Text.
	Scheme, Host string
	Port         uint16
	Rest         model.Expr
	// HasQuery says that there is a query, Parameters which names are in it.
	HasQuery   bool
	Parameters url.Values
}

var externalAuthRows = []Row{
	{
		Name: "auth-url", Family: "authreq", Type: "URL", Scope: ScopeLocation, Risk: RiskHigh, guards: true,
		Doc:     "Each request is put to this URL first: 2xx lets it pass, 401 and 403 refuse it, anything else is 500.",
		Support: Supported,
		parse: func(s *Set, v string) (err error) {
			s.ExternalAuth.URL, err = parseURL(v)
			return err
		},
	},
	{
		Name: "auth-method", Family: "authreq", Type: "HTTP method", Scope: ScopeLocation, Risk: RiskLow, Default: "GET", guards: true,
		Doc:     "The method of the question.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			m, err := model.NewEnum(v, "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE")
			if err == nil {
				id := model.Ident(m)
				s.ExternalAuth.Method = &id
			}
			return err
		},
	},
	{
		Name: "auth-signin", Family: "authreq", Type: "URL", Scope: ScopeLocation, Risk: RiskHigh,
		Doc:     "Where a client is sent when the answer is 401. The way back is added as the parameter `rd`, URL-escaped where nginx's njs module is installed.",
		Support: Supported,
		parse: func(s *Set, v string) (err error) {
			s.ExternalAuth.Signin, err = parseURL(v)
			return err
		},
	},
	{
		Name: "auth-signin-redirect-param", Family: "authreq", Type: "parameter name", Scope: ScopeLocation, Risk: RiskMedium, Default: "rd",
		Doc:     "The parameter that carries the way back.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			id, err := model.NewIdent(v)
			s.ExternalAuth.SigninParam = string(id)
			return err
		},
	},
	{
		Name: "auth-response-headers", Family: "authreq", Type: "list of headers", Scope: ScopeLocation, Risk: RiskMedium, guards: true,
		Doc:     "Headers of the answer that the backend is to see.",
		Support: Supported,
		parse: func(s *Set, v string) (err error) {
			s.ExternalAuth.ResponseHeaders, err = copiedHeaders(v)
			return err
		},
	},
	{
		Name: "auth-request-redirect", Family: "authreq", Type: "text with variables", Scope: ScopeLocation, Risk: RiskMedium, Default: "$request_uri",
		Doc:     "The header X-Auth-Request-Redirect of the question.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			e, err := newExpr(v)
			if err == nil {
				s.ExternalAuth.RequestRedirect = &e
			}
			return err
		},
	},
}

// framing are headers that say where a request ends, or that are nginx's own.
var framing = map[string]bool{
	"connection": true, "content-length": true, "expect": true, "host": true, "keep-alive": true, "te": true,
	"trailer": true, "transfer-encoding": true, "upgrade": true, "x-sidegate-hops": true,
}

// maxCopied is how many headers may be copied, each of which is a variable.
const maxCopied = 64

// copiedHeaders reads the names of headers of an answer.
func copiedHeaders(v string) (out []model.Ident, err error) {
	for _, item := range model.SplitList(v) {
		h, err := model.NewHeader(item)
		switch {
		case err != nil:
			return nil, err
		case framing[strings.ReplaceAll(strings.ToLower(item), "_", "-")]:
			return nil, &model.InvalidError{Rule: "not name " + item + ", which says where a request goes or ends"}
		}
		out = append(out, h)
	}
	if len(out) > maxCopied {
		return nil, &model.InvalidError{Rule: "name at most " + strconv.Itoa(maxCopied) + " headers"}
	}
	return out, nil
}

// parseURL accepts an absolute http or https URL. Its host may not hold
// variables: with one, a client could choose who is asked.
func parseURL(v string) (*URL, error) {
	e, err := newExpr(v)
	if err != nil {
		return nil, err
	}
	rule := &model.InvalidError{Rule: "be an absolute URL, such as http://auth.example.com/check"}
	if strings.ContainsAny(v, " \t\"'`{}<>\\^|;") {
		return nil, &model.InvalidError{Rule: "hold no blank, quote, brace, backslash or semicolon"}
	}
	u, err := url.Parse(v)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, rule
	}
	if u.User != nil {
		return nil, &model.InvalidError{Rule: "hold no user or password"}
	}
	if strings.Contains(u.Host, "$") {
		return nil, &model.InvalidError{Rule: "name its host without variables"}
	}
	if strings.HasSuffix(u.Host, ":") {
		return nil, rule // http://unix:/run/x.sock would be one to nginx
	}
	port := map[string]int{"http": 80, "https": 443}[u.Scheme]
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
			return nil, &model.InvalidError{Rule: "have a port from 1 to 65535"}
		}
	}
	rest := ""
	_, authority, _ := strings.Cut(v, "://")
	if i := strings.IndexAny(authority, "/?#"); i >= 0 {
		rest = authority[i:]
	}
	return &URL{
		Text: e, Scheme: u.Scheme, Host: u.Hostname(), Port: uint16(port), Rest: model.HeaderVariables(model.Expr(rest)),
		HasQuery: u.RawQuery != "", Parameters: u.Query(),
	}, nil
}
