package model

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"time"
)

// Config is all that nginx is to do. Equal Configs render to equal bytes.
type Config struct {
	Main Main `json:"main"`
	HTTP HTTP `json:"http"`
	// Certificates maps the names of TLS's server name indication to files,
	// sorted by host.
	Certificates []Certificate `json:"certificates,omitempty"`
	// Upstreams is sorted by name.
	Upstreams []Upstream `json:"upstreams,omitempty"`
	// Servers is sorted by name; the catch-all "_" comes first.
	Servers []Server `json:"servers"`
	// Files are the live files: nginx reads them when it needs them, so a
	// new content needs no reload. Sorted by name.
	Files []File `json:"files,omitempty"`
}

// Main is what stands outside of http{}.
type Main struct {
	User                  Ident    `json:"user,omitempty"`
	PIDFile               string   `json:"pidFile"`
	ErrorLog              string   `json:"errorLog"`
	ErrorLogLevel         Ident    `json:"errorLogLevel"`
	WorkerProcesses       Ident    `json:"workerProcesses"`
	WorkerOpenFiles       int      `json:"workerOpenFiles,omitempty"`
	WorkerConnections     int      `json:"workerConnections"`
	WorkerShutdownTimeout Duration `json:"workerShutdownTimeout"`
	MultiAccept           Switch   `json:"multiAccept"`
	// JSModule is the file of the njs module where one is installed. It is
	// loaded only when a location needs it.
	JSModule string `json:"jsModule,omitempty"`
	// JSFile is the script that JSModule runs.
	JSFile string `json:"jsFile,omitempty"`
	// StatusSocket is the unix socket on which nginx tells its generation.
	StatusSocket string `json:"statusSocket"`
	// TempDir holds nginx's temporary files.
	TempDir string `json:"tempDir"`
}

// HTTP is what is common to all servers. It stands once in the rendered file;
// a location says only where it differs.
type HTTP struct {
	HTTPPort      int  `json:"httpPort"`
	HTTPSPort     int  `json:"httpsPort"`
	IPv6          bool `json:"ipv6"`
	ReusePort     bool `json:"reusePort"`
	HTTP2         bool `json:"http2"`
	ProxyProtocol bool `json:"proxyProtocol,omitempty"`
	// UnderscoresInHeaders takes headers whose names have underscores.
	UnderscoresInHeaders bool `json:"underscoresInHeaders,omitempty"`

	// RealIPHeader is where the client's address is taken from when the
	// connection comes from TrustedProxies; "" is never.
	RealIPHeader Ident `json:"realIPHeader,omitempty"`
	// TrustForwarded says that X-Forwarded-* of TrustedProxies is believed.
	TrustForwarded bool           `json:"trustForwarded,omitempty"`
	TrustedProxies []netip.Prefix `json:"trustedProxies,omitempty"`
	// FullForwardedFor appends to the client's X-Forwarded-For instead of
	// replacing it.
	FullForwardedFor bool `json:"fullForwardedFor,omitempty"`
	// ForwardedForVariable is the variable of the header that names the
	// client, such as http_x_forwarded_for.
	ForwardedForVariable Ident `json:"forwardedForVariable"`
	GenerateRequestID    bool  `json:"generateRequestID"`

	// Resolvers are the addresses of Sidegate's own DNS server.
	Resolvers []string `json:"resolvers"`
	// ResolveIPv6 makes nginx ask for AAAA records too.
	ResolveIPv6 bool `json:"resolveIPv6,omitempty"`
	// OutsideResolvers are some of them: names outside of the cluster are few.
	OutsideResolvers []string `json:"outsideResolvers"`
	// ClusterResolvers are the name servers of the cluster, of which Sidegate
	// asks for them (ExternalName Services, hosts of authentication URLs).
	ClusterResolvers []string `json:"clusterResolvers,omitempty"`

	TLS  TLS   `json:"tls"`
	HSTS *HSTS `json:"hsts,omitempty"`

	PreserveTrailingSlash bool   `json:"preserveTrailingSlash,omitempty"`
	PortInRedirects       bool   `json:"portInRedirects,omitempty"`
	ServerTokens          Switch `json:"serverTokens"`

	AccessLog       string `json:"accessLog,omitempty"`
	LogFormat       Expr   `json:"logFormat"`
	LogFormatEscape Ident  `json:"logFormatEscape,omitempty"`

	ClientHeaderTimeout      Duration `json:"clientHeaderTimeout"`
	ClientBodyTimeout        Duration `json:"clientBodyTimeout"`
	KeepaliveTimeout         Duration `json:"keepaliveTimeout"`
	KeepaliveRequests        int      `json:"keepaliveRequests"`
	LargeClientHeaderBuffers Raw      `json:"largeClientHeaderBuffers"`

	// Proxy holds the defaults of what a location may change; every field
	// is set.
	Proxy Proxy `json:"proxy"`
}

// TLS is how https is spoken to clients.
type TLS struct {
	Protocols      []Ident  `json:"protocols"`
	Ciphers        string   `json:"ciphers"`
	ECDHCurve      string   `json:"ecdhCurve"`
	SessionCache   Size     `json:"sessionCache,omitempty"`
	SessionTimeout Duration `json:"sessionTimeout"`
	SessionTickets Switch   `json:"sessionTickets"`
	BufferSize     Size     `json:"bufferSize"`
	// Directory holds the certificates, one file each with key and chain.
	Directory string `json:"directory"`
	// CertificateCache is how many certificates a worker keeps in memory.
	CertificateCache int `json:"certificateCache"`
	// Default is the file that answers for hosts without a certificate.
	Default Ident `json:"default"`
	// DefaultLeaf describes what it holds.
	DefaultLeaf *Leaf `json:"defaultLeaf,omitempty"`
}

// HSTS is the Strict-Transport-Security header of hosts with a certificate.
type HSTS struct {
	Value string `json:"value"`
}

// Proxy holds the settings of the proxy module. nil is: as at http level.
type Proxy struct {
	ConnectTimeout *Duration `json:"connectTimeout,omitempty"`
	SendTimeout    *Duration `json:"sendTimeout,omitempty"`
	ReadTimeout    *Duration `json:"readTimeout,omitempty"`
	BodySize       *Size     `json:"bodySize,omitempty"`
}

// Certificate is a name of TLS's server name indication and its file.
type Certificate struct {
	Host string `json:"host"`
	File Ident  `json:"file"`
	Leaf *Leaf  `json:"leaf,omitempty"`
}

// Leaf describes a certificate. nginx is told none of it.
type Leaf struct {
	// Namespace and Secret are where it is from; empty where we made it.
	Namespace          string    `json:"namespace,omitempty"`
	Secret             string    `json:"secret,omitempty"`
	NotAfter           time.Time `json:"notAfter"`
	SerialNumber       string    `json:"serialNumber"`
	IssuerOrganization string    `json:"issuerOrganization,omitempty"`
	IssuerCommonName   string    `json:"issuerCommonName,omitempty"`
	PublicKeyAlgorithm string    `json:"publicKeyAlgorithm"`
}

// File is a live file.
type File struct {
	Name Ident    `json:"name"`
	Data Redacted `json:"data"`
}

// Redacted is content that no dump, log or message may show.
type Redacted []byte

// String is the content's hash, which tells contents apart and no more.
func (r Redacted) String() string { return fmt.Sprintf("sha256:%x", sha256.Sum256(r)) }

// MarshalText keeps the content out of dumps.
func (r Redacted) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// GoString keeps the content out of %#v.
func (r Redacted) GoString() string { return r.String() }

// Format keeps the content out of every verb of package fmt.
func (r Redacted) Format(s fmt.State, _ rune) { fmt.Fprint(s, r.String()) }
