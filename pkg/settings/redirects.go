package settings

import (
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

var redirectRows = []Row{
	{Name: "ssl-redirect", Type: "bool", Default: "true", Support: Supported,
		Doc:   "Redirects http to https where the host has a certificate.",
		parse: flag(func(s *Settings) *bool { return &s.SSLRedirect })},
	{Name: "force-ssl-redirect", Type: "bool", Default: "false", Support: Supported,
		Doc:   "Redirects http to https everywhere.",
		parse: flag(func(s *Settings) *bool { return &s.ForceSSLRedirect })},
	{Name: "http-redirect-code", Type: "301 | 302 | 307 | 308", Default: "308", Support: Supported,
		Doc: "The code of redirects to https.",
		parse: func(s *Settings, v string) error {
			if _, err := model.NewEnum(v, "301", "302", "307", "308"); err != nil {
				return err
			}
			var err error
			s.RedirectCode, err = model.NewInt(v, 301, 308)
			return err
		}},
	{Name: "preserve-trailing-slash", Type: "bool", Default: "false", Support: Supported,
		Doc:   "Keeps a slash at the end of the target of redirects to https.",
		parse: flag(func(s *Settings) *bool { return &s.PreserveTrailingSlash })},
	{Name: "use-port-in-redirects", Type: "bool", Default: "false", Support: Supported,
		Doc:   "Puts the port into the target of redirects.",
		parse: flag(func(s *Settings) *bool { return &s.PortInRedirects })},
	{Name: "no-tls-redirect-locations", Type: "list of paths", Default: "/.well-known/acme-challenge", Support: Supported,
		Doc: "Paths of Ingresses that are not redirected to https.",
		parse: func(s *Settings, v string) error {
			s.NoTLSRedirectLocations = model.SplitList(v)
			return nil
		}},
	{Name: "hsts", Type: "bool", Default: "true", Support: Supported,
		Doc:   "Sends Strict-Transport-Security on https, for hosts with a certificate of an Ingress.",
		parse: flag(func(s *Settings) *bool { return &s.HSTS })},
	{Name: "hsts-max-age", Type: "seconds", Default: "31536000", Support: Supported,
		Doc:   "Its max-age.",
		parse: integer(0, 1<<31-1, func(s *Settings) *int { return &s.HSTSMaxAge })},
	{Name: "hsts-include-subdomains", Type: "bool", Default: "true", Support: Supported,
		Doc:   "Its includeSubDomains.",
		parse: flag(func(s *Settings) *bool { return &s.HSTSIncludeSubdomains })},
	{Name: "hsts-preload", Type: "bool", Default: "false", Support: Supported,
		Doc:   "Its preload.",
		parse: flag(func(s *Settings) *bool { return &s.HSTSPreload })},
}

var tlsRows = []Row{
	{Name: "ssl-protocols", Type: "list of protocols", Default: "TLSv1.2 TLSv1.3", Support: Supported,
		Doc: "The protocols, separated by blanks.",
		parse: func(s *Settings, v string) error {
			s.Protocols = nil
			for _, p := range strings.Fields(v) {
				if _, err := model.NewEnum(p, "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"); err != nil {
					return err
				}
				s.Protocols = append(s.Protocols, model.Ident(p))
			}
			if len(s.Protocols) == 0 {
				return &model.InvalidError{Rule: "name at least one protocol"}
			}
			return nil
		}},
	{Name: "ssl-ciphers", Type: "OpenSSL cipher list", Support: Supported,
		Default: "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256",
		Doc:     "The ciphers of TLS 1.2 and older.",
		parse:   text(func(s *Settings) *string { return &s.Ciphers })},
	{Name: "ssl-ecdh-curve", Type: "OpenSSL curve list", Default: "auto", Support: Supported,
		Doc:   "The curves for the key exchange.",
		parse: text(func(s *Settings) *string { return &s.ECDHCurve })},
	{Name: "ssl-session-cache", Type: "bool", Default: "true", Support: Supported,
		Doc:   "Shares a session cache among workers.",
		parse: flag(func(s *Settings) *bool { return &s.SessionCache })},
	{Name: "ssl-session-cache-size", Type: "size", Default: "10m", Support: Supported,
		Doc:   "Its size.",
		parse: size(func(s *Settings) *model.Size { return &s.SessionSize })},
	{Name: "ssl-session-timeout", Type: "time", Default: "10m", Support: Supported,
		Doc:   "How long a session can be resumed.",
		parse: duration(func(s *Settings) *model.Duration { return &s.SessionTimeout })},
	{Name: "ssl-session-tickets", Type: "bool", Default: "false", Support: Supported,
		Doc:   "Resumes sessions by tickets.",
		parse: flag(func(s *Settings) *bool { return &s.SessionTickets })},
	{Name: "ssl-buffer-size", Type: "size", Default: "4k", Support: Supported,
		Doc:   "The buffer for a TLS record.",
		parse: size(func(s *Settings) *model.Size { return &s.TLSBufferSize })},
}
