package annotations

import (
	"net/url"
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

// URL is an absolute URL whose parts may hold variables.
type URL struct {
	Text model.Expr
	// Host is the name or address without the port.
	Host string
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
		parse: func(s *Set, v string) error {
			for _, item := range model.SplitList(v) {
				h, err := model.NewHeader(item)
				if err != nil {
					return err
				}
				s.ExternalAuth.ResponseHeaders = append(s.ExternalAuth.ResponseHeaders, h)
			}
			return nil
		},
	},
	{
		Name: "auth-request-redirect", Family: "authreq", Type: "text with variables", Scope: ScopeLocation, Risk: RiskMedium, Default: "$request_uri",
		Doc:     "The header X-Auth-Request-Redirect of the question.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			e, err := model.NewExpr(v, requestVariable)
			if err == nil {
				s.ExternalAuth.RequestRedirect = &e
			}
			return err
		},
	},
}

// parseURL accepts an absolute http or https URL. Its host may not hold
// variables: with one, a client could choose who is asked.
func parseURL(v string) (*URL, error) {
	e, err := model.NewExpr(v, requestVariable)
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
	return &URL{Text: e, Host: u.Hostname(), HasQuery: u.RawQuery != "", Parameters: u.Query()}, nil
}
