package tenants_test

import (
	"net/http"
	"strings"
)

// What was to keep requests out does.
var guardRows = []row{
	{
		name: "GuardOfAHostCannotLeaveAPathOpen", file: "host-guard.yaml",
		check: func(w *world) {
			for _, path := range []string{"/a", "/b", "/b/c", "/other"} {
				w.isClosed("guarded.test", path)
			}
		},
	},
	{
		name: "GuardThatIsNotHereCannotLeaveAPathOpen", file: "no-modsecurity.yaml",
		told: []string{"victim/modsecurity NotImplemented", "victim/core-rules NotImplemented"},
		check: func(w *world) {
			for _, host := range []string{"modsecurity.test", "core-rules.test", "snippet-deny.test", "server-snippet-deny.test"} {
				w.isClosed(host, "/")
			}
			w.answers("modsecurity-off.test", "/", http.StatusOK)
		},
	},
	{
		name: "LastGoodVersionCannotOpenWhatTheNewestCloses", before: "opened-before.yaml", host: "added.test", pod: "victim", file: "opened-after.yaml",
		told: []string{"victim/added Quarantined", "victim/added LocationClosed", "victim/added-question Quarantined", "victim/stays-open Quarantined"},
		check: func(w *world) {
			w.isClosed("added.test", "/")
			w.isClosed("added-question.test", "/")
			w.within(soon, "the last good version without a guard stays", func() error { return served("stays-open.test", "victim") })
		},
	},
}

// isClosed fails where a pod answers for a path.
func (w *world) isClosed(host, path string) {
	w.t.Helper()
	if a := w.get(host, path); a.status < http.StatusBadRequest || a.from().Pod != "" {
		w.t.Errorf("%s%s answers %d by %s: it is open", host, path, a.status, a.from().Pod)
	}
}

// settingsStay starts the controller where there is an Ingress that nginx
// refuses, and a ConfigMap that closes the gateway for this client.
func (w *world) settingsStay() {
	w.apply("refused.yaml")
	w.setting(map[string]string{"denylist-source-range": "198.18.0.0/15", "proxy-body-size": "7m"})
	defer func() {
		w.remove("refused.yaml")
		w.setting(nil)
		w.victimServed()
	}()
	for _, start := range []func(){
		func() {},
		func() {
			if err := w.gateway.RestartController(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
		},
		w.startAnew,
	} {
		start()
		w.within(soon, "the ConfigMap is in force", func() error {
			if a, err := ask(question{host: "shop.test", https: true}); err != nil || a.status < 400 {
				return errNotYet
			}
			return nil
		})
		w.told(soon, "evil/refused Quarantined")
		// Nothing that comes later takes it away.
		for range 20 {
			if a := w.ask(question{host: "shop.test", https: true}); a.status < 400 {
				w.t.Fatalf("the victim answers %d: what the ConfigMap closes is open", a.status)
			}
		}
		text, err := w.gateway.Debug(w.t.Context(), "/debug/config")
		if err != nil || !strings.Contains(string(text), "client_max_body_size 7m;") {
			w.t.Errorf("the other key of the ConfigMap is not in force (%v)", err)
		}
	}
}
