package annotations

// Redirect sends a client elsewhere.
type Redirect struct {
	SSL      *bool
	ForceSSL *bool
}

var redirectRows = []Row{
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
