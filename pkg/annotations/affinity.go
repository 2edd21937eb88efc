package annotations

import (
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

// Affinity keeps a client on one endpoint.
type Affinity struct {
	// Kind is "cookie", or "" for none.
	Kind string
	Mode string

	Cookie   *model.Ident
	Learn    *model.Ident
	Domain   string
	Path     *model.Path
	SameSite string
	Expires  *model.Duration
	MaxAge   *model.Duration

	Secure                  *bool
	ChangeOnFailure         *bool
	ConditionalSameSiteNone *bool
}

var affinityRows = []Row{
	{
		Name: "affinity", Family: "sessionaffinity", Type: "cookie", Scope: ScopeUpstream, Risk: RiskLow,
		Doc:     "Keeps a client on the endpoint that served it first, by a cookie.",
		Support: Supported,
		parse:   enum(func(s *Set) *string { return &s.Affinity.Kind }, "cookie"),
	},
	{
		Name: "affinity-mode", Family: "sessionaffinity", Type: "balanced | persistent", Scope: ScopeUpstream, Risk: RiskMedium, Default: "persistent",
		Doc:     "Sessions stay where they are when endpoints come; `balanced`, which would move some, behaves like `persistent`.",
		Support: Partly,
		parse:   enum(func(s *Set) *string { return &s.Affinity.Mode }, "balanced", "persistent"),
	},
	{
		Name: "session-cookie-name", Family: "sessionaffinity", Type: "cookie name", Scope: ScopeUpstream, Risk: RiskMedium, Default: "INGRESSCOOKIE",
		Doc:     "The name of the cookie.",
		Support: Supported,
		parse:   cookieName(func(s *Set) **model.Ident { return &s.Affinity.Cookie }),
	},
	{
		Name: "session-cookie-learn", Family: "sessionaffinity", Type: "cookie name", Scope: ScopeUpstream, Risk: RiskLow,
		Doc:     "Pins a client by a cookie that the application itself sets, such as JSESSIONID, and sets none. Sidegate's own.",
		Support: Supported,
		parse:   cookieName(func(s *Set) **model.Ident { return &s.Affinity.Learn }),
	},
	{
		Name: "session-cookie-path", Family: "sessionaffinity", Type: "path", Scope: ScopeUpstream, Risk: RiskMedium, Default: "the location's path",
		Doc:     "The Path of the cookie. On a host with regular expressions the default is `/`.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			p, err := model.NewPath(v)
			if err == nil {
				_, err = attribute(v)
			}
			if err == nil {
				s.Affinity.Path = &p
			}
			return err
		},
	},
	{
		Name: "session-cookie-domain", Family: "sessionaffinity", Type: "host", Scope: ScopeUpstream, Risk: RiskMedium,
		Doc:     "The Domain of the cookie.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			_, err := model.NewHost(strings.TrimPrefix(v, "."))
			if err == nil {
				s.Affinity.Domain = v
			}
			return err
		},
	},
	{
		Name: "session-cookie-samesite", Family: "sessionaffinity", Type: "None | Lax | Strict", Scope: ScopeUpstream, Risk: RiskLow,
		Doc:     "The SameSite attribute of the cookie.",
		Support: Supported,
		parse: func(s *Set, v string) error {
			w, err := model.NewEnum(strings.ToLower(v), "none", "lax", "strict")
			s.Affinity.SameSite = w
			return err
		},
	},
	{
		Name: "session-cookie-conditional-samesite-none", Family: "sessionaffinity", Type: "bool", Scope: ScopeUpstream, Risk: RiskLow, Default: "false",
		Doc:     "Leaves SameSite=None out for browsers that misunderstand it.",
		Support: Supported,
		parse:   flag(func(s *Set) **bool { return &s.Affinity.ConditionalSameSiteNone }),
	},
	{
		Name: "session-cookie-secure", Family: "sessionaffinity", Type: "bool", Scope: ScopeUpstream, Risk: RiskLow,
		Doc:     "The Secure attribute. Without it the cookie is Secure where the location redirects to https.",
		Support: Supported,
		parse:   flag(func(s *Set) **bool { return &s.Affinity.Secure }),
	},
	{
		Name: "session-cookie-expires", Family: "sessionaffinity", Type: "seconds", Scope: ScopeUpstream, Risk: RiskMedium,
		Doc:     "The lifetime of the cookie. nginx sets Expires and Max-Age together; session-cookie-max-age wins where both are there.",
		Support: Partly,
		parse:   seconds(func(s *Set) **model.Duration { return &s.Affinity.Expires }),
	},
	{
		Name: "session-cookie-max-age", Family: "sessionaffinity", Type: "seconds", Scope: ScopeUpstream, Risk: RiskMedium,
		Doc:     "The lifetime of the cookie. nginx sets Expires and Max-Age together.",
		Support: Partly,
		parse:   seconds(func(s *Set) **model.Duration { return &s.Affinity.MaxAge }),
	},
	{
		Name: "session-cookie-change-on-failure", Family: "sessionaffinity", Type: "bool", Scope: ScopeUpstream, Risk: RiskLow, Default: "true",
		Doc:     "A client whose endpoint fails gets another one and a new cookie; nginx always does so.",
		Support: Partly,
		parse:   flag(func(s *Set) **bool { return &s.Affinity.ChangeOnFailure }),
	},
	{
		Name: "session-cookie-hash", Family: "sessionaffinity", Type: "md5 | sha1 | index", Scope: ScopeUpstream, Risk: RiskLow,
		Doc:     "Accepted: the cookie's value is opaque, and nginx chooses it (the md5 of the endpoint's address).",
		Support: Accepted,
	},
}

// cookieName accepts the name of a cookie that is part of a variable's name
// too ($cookie_NAME), which is what keeps it to these characters.
func cookieName(place func(*Set) **model.Ident) func(*Set, string) error {
	return func(s *Set, v string) error {
		name, err := model.NewIdent(v)
		if err == nil {
			*place(s) = &name
		}
		return err
	}
}

// attribute accepts what may stand as the value of a cookie's attribute.
func attribute(v string) (string, error) {
	if strings.ContainsAny(v, "; ,") {
		return "", &model.InvalidError{Rule: "hold no blank, comma or semicolon"}
	}
	return model.Text(v)
}
