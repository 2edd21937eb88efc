package annotations

import (
	"regexp"
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

// Proxy is how a request is handed to the backend.
type Proxy struct {
	model.Proxy
	// Host is the Host header.
	Host *model.Expr
}

// hostHeader are the characters of a Host header and of variables.
var hostHeader = regexp.MustCompile(`^[-._~a-zA-Z0-9:\[\]${}]+$`)

var proxyRows = []Row{
	{
		Name: "upstream-vhost", Family: "upstreamvhost", Type: "host with variables", Scope: ScopeLocation, Risk: RiskLow,
		Doc:     "The Host header that the backend gets.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			if !hostHeader.MatchString(v) {
				return &model.InvalidError{Rule: "be a host, with a port or without, of letters, digits and -._~:[] or variables"}
			}
			e, err := newExpr(v)
			if err == nil {
				s.Proxy.Host = &e
			}
			return err
		},
	},
	{
		Name: "proxy-connect-timeout", Family: "proxy", Type: "seconds", Scope: ScopeLocation, Risk: RiskLow, Default: "ConfigMap, 5",
		Doc:     "How long a connection to an endpoint may take to come about.",
		Support: Supported,
		parse:   seconds(func(s *Set) **model.Duration { return &s.Proxy.ConnectTimeout }),
	},
	{
		Name: "proxy-send-timeout", Family: "proxy", Type: "seconds", Scope: ScopeLocation, Risk: RiskLow, Default: "ConfigMap, 60",
		Doc:     "How long an endpoint may take between two reads of the request.",
		Support: Supported,
		parse:   seconds(func(s *Set) **model.Duration { return &s.Proxy.SendTimeout }),
	},
	{
		Name: "proxy-read-timeout", Family: "proxy", Type: "seconds", Scope: ScopeLocation, Risk: RiskLow, Default: "ConfigMap, 60",
		Doc:     "How long an endpoint may take between two writes of the answer; 504 after that.",
		Support: Supported,
		parse:   seconds(func(s *Set) **model.Duration { return &s.Proxy.ReadTimeout }),
	},
	{
		Name: "proxy-body-size", Family: "proxy", Type: "size", Scope: ScopeLocation, Risk: RiskMedium, Default: "ConfigMap, 1m",
		Doc:     "The largest body of a request; `0` is any. A larger one is answered with 413.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			size, err := model.NewSize(strings.TrimSpace(v))
			if err == nil {
				s.Proxy.BodySize = &size
			}
			return err
		},
	},
}
