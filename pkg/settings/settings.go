package settings

import (
	"net/netip"

	"github.com/sidegate/sidegate/pkg/model"
)

// Settings is what the ConfigMap says, completed by defaults.
type Settings struct {
	// Unguarded names the key that was to keep requests out of everything and
	// could not be used: all locations must be closed.
	Unguarded string

	// The address of the client, and what proxies in front of us say.
	UseProxyProtocol     bool
	UseForwardedHeaders  bool
	EnableRealIP         bool
	FullForwardedFor     bool
	RealIPFrom           []netip.Prefix
	ForwardedForHeader   model.Ident
	GenerateRequestID    bool
	DisableIPv6          bool
	ReusePort            bool
	UseHTTP2             bool
	UnderscoresInHeaders bool

	// Redirects.
	SSLRedirect            bool
	ForceSSLRedirect       bool
	RedirectCode           int
	PreserveTrailingSlash  bool
	PortInRedirects        bool
	NoTLSRedirectLocations []string

	// HSTS.
	HSTS                  bool
	HSTSMaxAge            int
	HSTSIncludeSubdomains bool
	HSTSPreload           bool

	// TLS.
	Protocols      []model.Ident
	Ciphers        string
	ECDHCurve      string
	SessionCache   bool
	SessionSize    model.Size
	SessionTimeout model.Duration
	SessionTickets bool
	TLSBufferSize  model.Size

	// Processes and logs.
	WorkerProcesses       model.Ident
	WorkerConnections     int
	WorkerOpenFiles       int
	WorkerShutdownTimeout model.Duration
	MultiAccept           bool
	ErrorLogPath          string
	ErrorLogLevel         model.Ident
	AccessLogPath         string
	DisableAccessLog      bool
	LogFormat             model.Expr
	LogFormatEscapeJSON   bool
	LogFormatEscapeNone   bool
	ServerTokens          bool

	// Clients.
	ClientHeaderTimeout      model.Duration
	ClientBodyTimeout        model.Duration
	KeepaliveTimeout         model.Duration
	KeepaliveRequests        int
	LargeClientHeaderBuffers model.Raw

	// Backends.
	UpstreamKeepalive int
	ConnectTimeout    model.Duration
	SendTimeout       model.Duration
	ReadTimeout       model.Duration
	BodySize          model.Size
}
