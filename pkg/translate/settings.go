package translate

import (
	"fmt"
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/settings"
)

// readSettings turns the ConfigMap and the flags into what is common to all
// servers.
func readSettings(b *build) {
	var data map[string]string
	var object model.Object
	if cm := b.Snapshot.ConfigMap; cm != nil {
		data = cm.Data
		object = model.Object{Kind: "ConfigMap", Namespace: cm.Namespace, Name: cm.Name}
	}
	var problems []settings.Problem
	b.settings, problems = settings.Parse(data)
	for _, p := range problems {
		b.report(object, p.Severity, p.Reason, "data["+model.Clip(p.Key)+"]", p.Value, "%s", p.Message)
	}
	b.fillMain()
	b.fillHTTP()
}

func (b *build) fillMain() {
	s, o := &b.settings, &b.options
	m := &b.config.Main
	m.User = model.Ident(o.User)
	m.PIDFile = o.PIDFile
	m.StatusSocket = o.Directory + "/run/status.sock"
	m.TempDir = o.Directory + "/run"
	m.ErrorLog = orElse(s.ErrorLogPath, o.LogDirectory+"/error.log")
	m.ErrorLogLevel = s.ErrorLogLevel
	m.WorkerProcesses = s.WorkerProcesses
	m.WorkerConnections = s.WorkerConnections
	m.WorkerOpenFiles = s.WorkerOpenFiles
	if m.WorkerOpenFiles == 0 {
		m.WorkerOpenFiles = o.MaxOpenFiles
	}
	m.WorkerShutdownTimeout = s.WorkerShutdownTimeout
	m.MultiAccept = model.Switch(s.MultiAccept)
}

func (b *build) fillHTTP() {
	s, o := &b.settings, &b.options
	h := &b.config.HTTP
	h.HTTPPort, h.HTTPSPort = o.HTTPPort, o.HTTPSPort
	h.IPv6 = o.IPv6 && !s.DisableIPv6
	h.ReusePort = s.ReusePort
	h.HTTP2 = s.UseHTTP2
	h.ProxyProtocol = s.UseProxyProtocol
	h.UnderscoresInHeaders = s.UnderscoresInHeaders

	switch {
	case s.UseProxyProtocol:
		h.RealIPHeader = "proxy_protocol"
	case s.UseForwardedHeaders || s.EnableRealIP:
		h.RealIPHeader = s.ForwardedForHeader
	}
	h.TrustForwarded = s.UseForwardedHeaders
	if h.RealIPHeader != "" {
		h.TrustedProxies = s.RealIPFrom
	}
	h.FullForwardedFor = s.FullForwardedFor
	h.ForwardedForVariable = headerVariable(s.ForwardedForHeader)
	h.GenerateRequestID = s.GenerateRequestID

	h.Resolvers, h.ClusterResolvers = o.Resolvers, o.ClusterResolvers
	h.OutsideResolvers = o.Resolvers[:min(2, len(o.Resolvers))]

	h.TLS = model.TLS{
		Protocols:      s.Protocols,
		Ciphers:        s.Ciphers,
		ECDHCurve:      s.ECDHCurve,
		SessionTimeout: s.SessionTimeout,
		SessionTickets: model.Switch(s.SessionTickets),
		BufferSize:     s.TLSBufferSize,
		Directory:      o.SecretsDirectory,
	}
	if s.SessionCache {
		h.TLS.SessionCache = s.SessionSize
	}
	h.HSTS = hsts(s)
	h.PreserveTrailingSlash = s.PreserveTrailingSlash
	h.PortInRedirects = s.PortInRedirects
	h.ServerTokens = model.Switch(s.ServerTokens)

	if !s.DisableAccessLog {
		h.AccessLog = orElse(s.AccessLogPath, o.LogDirectory+"/access.log")
	}
	h.LogFormat = model.OwnVariables(model.Expr(noAlternative.Replace(string(s.LogFormat))))
	switch {
	case s.LogFormatEscapeJSON:
		h.LogFormatEscape = "json"
	case s.LogFormatEscapeNone:
		h.LogFormatEscape = "none"
	}
	h.ClientHeaderTimeout = s.ClientHeaderTimeout
	h.ClientBodyTimeout = s.ClientBodyTimeout
	h.KeepaliveTimeout = s.KeepaliveTimeout
	h.KeepaliveRequests = s.KeepaliveRequests
	h.LargeClientHeaderBuffers = s.LargeClientHeaderBuffers
	// Copies: a pointer into b would keep all of it, and so the snapshot and the
	// model before, for as long as this model lives.
	h.Proxy = model.Proxy{
		ConnectTimeout: new(s.ConnectTimeout),
		SendTimeout:    new(s.SendTimeout),
		ReadTimeout:    new(s.ReadTimeout),
		BodySize:       new(s.BodySize),
	}
}

// noAlternative leaves the name of a canary's upstream out of the log. As long as
// no canary gets requests it is always empty, and to find that out costs each
// request half a percent.
var noAlternative = strings.NewReplacer("$proxy_alternative_upstream_name", "", "${proxy_alternative_upstream_name}", "")

func hsts(s *settings.Settings) *model.HSTS {
	if !s.HSTS {
		return nil
	}
	value := fmt.Sprintf("max-age=%d", s.HSTSMaxAge)
	if s.HSTSIncludeSubdomains {
		value += "; includeSubDomains"
	}
	if s.HSTSPreload {
		value += "; preload"
	}
	return &model.HSTS{Value: value}
}

// headerVariable is the name of nginx's variable of a request header.
func headerVariable(header model.Ident) model.Ident {
	return "http_" + model.Ident(strings.ReplaceAll(strings.ToLower(string(header)), "-", "_"))
}

func orElse(s, fallback string) string {
	if s != "" {
		return s
	}
	return fallback
}
