package settings

import (
	"regexp"
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

var processRows = []Row{
	{Name: "worker-processes", Type: "int | auto", Default: "auto", Support: Supported,
		Doc: "The number of workers; `auto` is one a core.",
		parse: func(s *Settings, v string) error {
			v = strings.TrimSpace(v)
			if v != "auto" {
				if _, err := model.NewInt(v, 1, 1024); err != nil {
					return &model.InvalidError{Rule: "be auto or a whole number from 1 to 1024"}
				}
			}
			s.WorkerProcesses = model.Ident(v)
			return nil
		}},
	{Name: "max-worker-connections", Type: "int", Default: "16384", Support: Supported,
		Doc: "Connections that a worker may have, to clients and to backends; 0 is the default.",
		parse: func(s *Settings, v string) (err error) {
			s.WorkerConnections, err = model.NewInt(strings.TrimSpace(v), 0, 1<<22)
			if err == nil && s.WorkerConnections == 0 {
				s.WorkerConnections = 16384
			}
			return err
		}},
	{Name: "max-worker-open-files", Type: "int", Default: "0", Support: Supported,
		Doc:   "Files that a worker may open; 0 is as many as the machine lets it.",
		parse: integer(0, 1<<30, func(s *Settings) *int { return &s.WorkerOpenFiles })},
	{Name: "worker-shutdown-timeout", Type: "time", Default: "240s", Support: Supported,
		Doc:   "How long the workers of an old generation finish requests.",
		parse: duration(func(s *Settings) *model.Duration { return &s.WorkerShutdownTimeout })},
	{Name: "enable-multi-accept", Type: "bool", Default: "true", Support: Supported,
		Doc:   "Lets a worker accept all waiting connections at once.",
		parse: flag(func(s *Settings) *bool { return &s.MultiAccept })},
	{Name: "error-log-path", Type: "path", Default: "", Support: Supported,
		Doc:   "The error log; by default error.log in --nginx-log-dir.",
		parse: logPath(func(s *Settings) *string { return &s.ErrorLogPath })},
	{Name: "error-log-level", Type: "level", Default: "notice", Support: Supported,
		Doc:   "The level of the error log.",
		parse: word(func(s *Settings) *model.Ident { return &s.ErrorLogLevel }, "debug", "info", "notice", "warn", "error", "crit", "alert", "emerg")},
	{Name: "access-log-path", Type: "path", Default: "", Support: Supported,
		Doc:   "The access log; by default access.log in --nginx-log-dir.",
		parse: logPath(func(s *Settings) *string { return &s.AccessLogPath })},
	{Name: "disable-access-log", Type: "bool", Default: "false", Support: Supported,
		Doc:   "Writes no access log.",
		parse: flag(func(s *Settings) *bool { return &s.DisableAccessLog })},
	{Name: "log-format-upstream", Type: "log format", Support: Supported,
		Default: `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id`,
		Doc:     "The format of the access log.",
		parse: func(s *Settings, v string) (err error) {
			s.LogFormat, err = model.NewExpr(v, logVariable)
			return err
		}},
	{Name: "log-format-escape-json", Type: "bool", Default: "false", Support: Supported,
		Doc:   "Escapes the variables of the access log for JSON.",
		parse: flag(func(s *Settings) *bool { return &s.LogFormatEscapeJSON })},
	{Name: "log-format-escape-none", Type: "bool", Default: "false", Support: Supported,
		Doc:   "Does not escape the variables of the access log.",
		parse: flag(func(s *Settings) *bool { return &s.LogFormatEscapeNone })},
	{Name: "server-tokens", Type: "bool", Default: "false", Support: Supported,
		Doc:   "Tells nginx's version in the Server header and on error pages.",
		parse: flag(func(s *Settings) *bool { return &s.ServerTokens })},
}

var backendRows = []Row{
	{Name: "upstream-keepalive-connections", Type: "int", Default: "32", Support: Supported,
		Doc:   "Idle connections that a worker keeps to the endpoints of one Service. ingress-nginx kept 320 for all of them together.",
		parse: integer(0, 4096, func(s *Settings) *int { return &s.UpstreamKeepalive })},
	{Name: "proxy-connect-timeout", Type: "seconds", Default: "5", Support: Supported,
		Doc:   "How long a connection to an endpoint may take to come about.",
		parse: seconds(func(s *Settings) *model.Duration { return &s.ConnectTimeout })},
	{Name: "proxy-send-timeout", Type: "seconds", Default: "60", Support: Supported,
		Doc:   "How long an endpoint may take between two reads of the request.",
		parse: seconds(func(s *Settings) *model.Duration { return &s.SendTimeout })},
	{Name: "proxy-read-timeout", Type: "seconds", Default: "60", Support: Supported,
		Doc:   "How long an endpoint may take between two parts of the answer.",
		parse: seconds(func(s *Settings) *model.Duration { return &s.ReadTimeout })},
	{Name: "proxy-body-size", Type: "size", Default: "1m", Support: Supported,
		Doc:   "The largest body of a request; `0` is any.",
		parse: size(func(s *Settings) *model.Size { return &s.BodySize })},
}

// logVariable tells whether a variable can stand in the access log: those
// that stock nginx has, and those that the configuration defines. A variable
// that nginx does not know would make it refuse the whole configuration.
func logVariable(name string) bool {
	return logVariables[name] || logFamily.MatchString(name)
}

var logFamily = regexp.MustCompile(`^(arg|cookie|http|sent_http|sent_trailer|upstream_http|upstream_cookie|upstream_trailer)_[a-z0-9_]+$`)

var logVariables = func() map[string]bool {
	m := map[string]bool{}
	for _, v := range strings.Fields(`
		args binary_remote_addr body_bytes_sent bytes_sent connection connection_requests
		connection_time content_length content_type document_uri host hostname https is_args
		limit_conn_status limit_rate limit_req_status msec nginx_version pid pipe
		proxy_add_x_forwarded_for proxy_host proxy_port proxy_protocol_addr proxy_protocol_port
		proxy_protocol_server_addr proxy_protocol_server_port query_string realip_remote_addr
		realip_remote_port remote_addr remote_port remote_user request request_body
		request_completion request_filename request_id request_length request_method request_time
		request_uri scheme server_addr server_name server_port server_protocol ssl_alpn_protocol
		ssl_cipher ssl_ciphers ssl_client_escaped_cert ssl_client_fingerprint ssl_client_i_dn
		ssl_client_s_dn ssl_client_serial ssl_client_v_end ssl_client_v_remain ssl_client_v_start
		ssl_client_verify ssl_curve ssl_curves ssl_early_data ssl_protocol ssl_server_name
		ssl_session_id ssl_session_reused status tcpinfo_rcv_space tcpinfo_rtt tcpinfo_rttvar
		tcpinfo_snd_cwnd time_iso8601 time_local upstream_addr upstream_bytes_received
		upstream_bytes_sent upstream_cache_status upstream_connect_time upstream_header_time
		upstream_response_length upstream_response_time upstream_status uri
		best_http_host full_x_forwarded_for ingress_name namespace pass_access_scheme pass_port
		pass_server_port proxy_alternative_upstream_name proxy_upstream_name req_id
		service_name service_port`) {
		m[v] = true
	}
	return m
}()
