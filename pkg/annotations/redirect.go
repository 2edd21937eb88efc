package annotations

import (
	"regexp"

	"github.com/sidegate/sidegate/pkg/model"
)

// Redirect sends a client elsewhere.
type Redirect struct {
	SSL      *bool
	ForceSSL *bool
	// Permanent is where all requests are sent.
	Permanent *model.Expr
}

// redirectTarget is an absolute URL, in which variables may stand.
var redirectTarget = regexp.MustCompile(`^https?://[-._~a-zA-Z0-9/:?=&%+,@#!$*()\[\]{}]+$`)

var redirectRows = []Row{
	{
		Name: "permanent-redirect", Family: "redirect", Type: "URL with variables", Scope: ScopeLocation, Risk: RiskMedium,
		Doc:     "Redirects every request to this URL with 301. The backend need not exist.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			if !redirectTarget.MatchString(v) {
				return &model.InvalidError{Rule: "be an absolute URL, such as https://www.example.com$request_uri"}
			}
			e, err := newExpr(v)
			if err == nil {
				s.Redirect.Permanent = &e
			}
			return err
		},
	},
	{
		Name: "ssl-redirect", Family: "rewrite", Type: "bool", Scope: ScopeLocation, Risk: RiskLow, Default: "ConfigMap, true",
		Doc:     "Redirects http to https with 308 where the host has a certificate.",
		Support: Supported,
		parse:   flag(func(s *Set) **bool { return &s.Redirect.SSL }),
	},
	{
		Name: "force-ssl-redirect", Family: "rewrite", Type: "bool", Scope: ScopeLocation, Risk: RiskMedium, Default: "ConfigMap, false",
		Doc:     "Redirects http to https with 308 without a certificate as well, for TLS that ends at a load balancer.",
		Support: Supported,
		parse:   flag(func(s *Set) **bool { return &s.Redirect.ForceSSL }),
	},
}
