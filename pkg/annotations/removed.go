package annotations

// removedRows are annotations that ingress-nginx itself no longer had at its
// end, but that manifests still carry, and those that stock nginx cannot do.
var removedRows = []Row{
	gone("secure-backends", "ingress-nginx replaced it by `backend-protocol: HTTPS`"),
	gone("grpc-backend", "ingress-nginx replaced it by `backend-protocol: GRPC`"),
	gone("add-base-url", "ingress-nginx removed it"),
	gone("base-url-scheme", "ingress-nginx removed it"),
	gone("enable-influxdb", "ingress-nginx removed it"),
	gone("influxdb-measurement", "ingress-nginx removed it"),
	gone("influxdb-port", "ingress-nginx removed it"),
	gone("influxdb-host", "ingress-nginx removed it"),
	gone("influxdb-server-name", "ingress-nginx removed it"),
	gone("enable-opentracing", "ingress-nginx replaced it by `enable-opentelemetry`"),
	gone("opentracing-trust-incoming-span", "ingress-nginx replaced it by `opentelemetry-trust-incoming-span`"),
	gone("global-rate-limit", "ingress-nginx removed it; it needs a shared counter that stock nginx does not have"),
	gone("global-rate-limit-window", "ingress-nginx removed it; it needs a shared counter that stock nginx does not have"),
	gone("global-rate-limit-key", "ingress-nginx removed it; it needs a shared counter that stock nginx does not have"),
	gone("global-rate-limit-ignored-cidrs", "ingress-nginx removed it; it needs a shared counter that stock nginx does not have"),
	gone("enable-lua-resty-waf", "ingress-nginx removed it; there is no Lua in stock nginx"),
	gone("lua-resty-waf-mode", "ingress-nginx removed it; there is no Lua in stock nginx"),
	gone("upstream-max-fails", "ingress-nginx removed it; endpoints are taken out by their readiness"),
	gone("upstream-fail-timeout", "ingress-nginx removed it; endpoints are taken out by their readiness"),
	gone("proxy-pass-params", "ingress-nginx removed it"),
	gone("enable-dynamic-tls-records", "ingress-nginx removed it"),
	{
		Name: "http2-push-preload", Family: "http2pushpreload", Type: "bool", Scope: ScopeLocation, Risk: RiskLow,
		Doc:     "Accepted without effect: browsers and nginx no longer have HTTP/2 push.",
		Support: Accepted,
	},
}

func gone(name, why string) Row {
	return Row{Name: name, Family: "removed", Scope: ScopeIngress, Risk: RiskLow, Doc: why, Support: Unsupported}
}
