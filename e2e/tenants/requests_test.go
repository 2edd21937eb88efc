package tenants_test

import (
	"fmt"
	"net/http"
	"strings"
)

// What clients say, and who believes it.
var requestRows = []row{
	{
		name: "AnotherHostHeaderCannotFoolTheAuthentication", file: "one-host.yaml",
		check: func(w *world) {
			w.pods["auth"].asked()
			for _, target := range []string{"http://private.test/secret", "https://private.test/secret", "http://PRIVATE.test./secret"} {
				a := w.ask(question{host: "public.test", target: target})
				if got := a.from(); got.Pod != "victim" || got.Host != "private.test" || got.Header("X-Forwarded-Host") != "private.test" {
					w.t.Errorf("%s: %d, %s is asked for %s, X-Forwarded-Host %s", target, a.status, got.Pod, got.Host, got.Header("X-Forwarded-Host"))
				}
			}
			asked := w.pods["auth"].asked()
			if len(asked) != 3 {
				w.t.Errorf("the authentication service was asked %d times", len(asked))
			}
			for _, r := range asked {
				if url := r.Header.Get("X-Original-URL"); !strings.HasPrefix(url, "http://private.test/") {
					w.t.Errorf("the authentication service is told %s", url)
				}
			}
		},
	},
	{
		name: "AuthenticationCannotBeToldAnotherRequest", file: "one-host.yaml",
		check: func(w *world) {
			w.pods["auth"].asked()
			var headers []string
			for _, name := range []string{
				"X-Original-URI", "X-Original-URL", "X-Original-Method", "X-Scheme", "X-Auth-Request-Redirect", "X-Sent-From", "X-Real-IP", "Forwarded",
				"X-Forwarded-Uri", "X-Forwarded-Host", "X-Forwarded-Method", "X-Forwarded-Prefix", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port",
				"X-Rewrite-URL", "X-HTTP-Method-Override", "x-forwarded-uri",
			} {
				headers = append(headers, name+": spoofed")
			}
			w.answers("private.test", "/secret", http.StatusOK, headers...)
			asked := w.pods["auth"].asked()
			if len(asked) != 1 {
				w.t.Fatalf("the authentication service was asked %d times", len(asked))
			}
			if seen := fmt.Sprint(asked[0].Header); strings.Contains(seen, "spoofed") {
				w.t.Errorf("the authentication service believes a client: %s", seen)
			}
		},
	},
	{
		name: "TunnelsCannotPassPasswords", file: "tunnels.yaml",
		check: func(w *world) {
			for _, upgrade := range []string{"h2c", "H2C", "h2c, websocket", "websocket, h2c", "TLS/1.3", "connect-udp"} {
				a := w.get("tunnel.test", "/", "Upgrade: "+upgrade, "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
				if got := a.from(); got.Pod != "victim" || got.Header("Upgrade")+got.Header("HTTP2-Settings") != "" {
					w.t.Errorf("%s: %d, the pod gets %v", upgrade, a.status, got.Headers)
				}
			}
			w.answers("tunnel.test", "/admin", http.StatusUnauthorized)
		},
	},
}
