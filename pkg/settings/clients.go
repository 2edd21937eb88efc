package settings

import (
	"regexp"

	"github.com/sidegate/sidegate/pkg/model"
)

var clientRows = []Row{
	{Name: "use-proxy-protocol", Type: "bool", Default: "false", Support: Supported,
		Doc:   "Connections begin with a PROXY protocol header, which tells the client's address.",
		parse: flag(func(s *Settings) *bool { return &s.UseProxyProtocol })},
	{Name: "use-forwarded-headers", Type: "bool", Default: "false", Support: Supported,
		Doc:   "X-Forwarded-* of the proxies in proxy-real-ip-cidr are believed and passed on.",
		parse: flag(func(s *Settings) *bool { return &s.UseForwardedHeaders })},
	{Name: "enable-real-ip", Type: "bool", Default: "false", Support: Supported,
		Doc:   "Takes the client's address from forwarded-for-header of the proxies in proxy-real-ip-cidr, and believes nothing else.",
		parse: flag(func(s *Settings) *bool { return &s.EnableRealIP })},
	{Name: "compute-full-forwarded-for", Type: "bool", Default: "false", Support: Supported,
		Doc:   "Appends the peer's address to X-Forwarded-For instead of replacing the header.",
		parse: flag(func(s *Settings) *bool { return &s.FullForwardedFor })},
	{Name: "proxy-real-ip-cidr", Type: "list of CIDRs", Default: "0.0.0.0/0", Support: Supported,
		Doc: "The proxies that are believed.",
		parse: func(s *Settings, v string) (err error) {
			s.RealIPFrom, err = model.NewPrefixes(v)
			return err
		}},
	{Name: "forwarded-for-header", Type: "header", Default: "X-Forwarded-For", Support: Supported,
		Doc: "The header that tells the client's address.",
		parse: func(s *Settings, v string) (err error) {
			s.ForwardedForHeader, err = model.NewHeader(v)
			return err
		}},
	{Name: "generate-request-id", Type: "bool", Default: "true", Support: Supported,
		Doc:   "Gives a request without X-Request-ID one.",
		parse: flag(func(s *Settings) *bool { return &s.GenerateRequestID })},
	{Name: "disable-ipv6", Type: "bool", Default: "false", Support: Supported,
		Doc:   "Does not listen on IPv6.",
		parse: flag(func(s *Settings) *bool { return &s.DisableIPv6 })},
	{Name: "reuse-port", Type: "bool", Default: "true", Support: Supported,
		Doc:   "Gives each worker a listening socket of its own.",
		parse: flag(func(s *Settings) *bool { return &s.ReusePort })},
	{Name: "use-http2", Type: "bool", Default: "true", Support: Supported,
		Doc:   "Speaks HTTP/2 over TLS.",
		parse: flag(func(s *Settings) *bool { return &s.UseHTTP2 })},
	{Name: "enable-underscores-in-headers", Type: "bool", Default: "false", Support: Supported,
		Doc:   "Takes headers whose names have underscores.",
		parse: flag(func(s *Settings) *bool { return &s.UnderscoresInHeaders })},
	{Name: "client-header-timeout", Type: "seconds", Default: "60", Support: Supported,
		Doc:   "How long a client may take for the header of a request.",
		parse: seconds(func(s *Settings) *model.Duration { return &s.ClientHeaderTimeout })},
	{Name: "client-body-timeout", Type: "seconds", Default: "60", Support: Supported,
		Doc:   "How long a client may take between two parts of a body.",
		parse: seconds(func(s *Settings) *model.Duration { return &s.ClientBodyTimeout })},
	{Name: "keep-alive", Type: "seconds", Default: "75", Support: Supported,
		Doc:   "How long an idle connection of a client stays open.",
		parse: seconds(func(s *Settings) *model.Duration { return &s.KeepaliveTimeout })},
	{Name: "keep-alive-requests", Type: "int", Default: "1000", Support: Supported,
		Doc:   "How many requests a client's connection may carry.",
		parse: integer(1, 1<<30, func(s *Settings) *int { return &s.KeepaliveRequests })},
	{Name: "large-client-header-buffers", Type: "NUMBER SIZE", Default: "4 8k", Support: Supported,
		Doc: "The buffers for long request lines and headers.",
		parse: func(s *Settings, v string) error {
			if !buffers.MatchString(v) {
				return &model.InvalidError{Rule: "be a number and a size, such as 4 8k"}
			}
			s.LargeClientHeaderBuffers = model.NewRaw(v)
			return nil
		}},
}

var buffers = regexp.MustCompile(`^[1-9][0-9]{0,3} [1-9][0-9]{0,8}[kKmM]?$`)
