package tenants_test

import (
	"fmt"
	"net/http"
	"strings"
)

// Names that inputs give to what nginx holds for all: see victimServed for what
// such a name once took away.
var variableRows = []row{
	{
		name: "NamedGroupsCannotReplaceVariables", file: "groups.yaml",
		told: []string{"evil/angle-0 Approximated", "evil/python-8 Approximated", "evil/quoted-9 Approximated", "evil/hidden InvalidValue"},
		check: func(w *world) {
			w.answers("angle-0.test", "/x", http.StatusOK)
			if a := w.get("python-0.test", "/xyz"); a.from().Path != "/yz" {
				w.t.Errorf("the group's number has changed: %d, path %s", a.status, a.from().Path)
			}
		},
	},
	{
		name: "ClientCannotChooseTheSecondTry", file: "second-try.yaml",
		told: []string{"evil/try Approximated", "evil/try-own Approximated"},
		check: func(w *world) {
			w.pods["private"].asked()
			for _, host := range []string{"try.test", "try-own.test", "try-route.test", "try-host.test"} {
				for _, target := range []string{"/127.0.0.1:7777/x?h=127.0.0.1:7777", "/unix:%2ftmp%2fx/x", "/victim/x"} {
					if a := w.get(host, target); a.status != http.StatusBadGateway {
						w.t.Errorf("%s%s answers %d", host, target, a.status)
					}
				}
			}
			w.privateIsLeftAlone()
		},
	},
	{
		name: "ClientCannotBreakLines", file: "line-breaks.yaml",
		check: func(w *world) {
			w.pods["auth"].asked()
			for _, host := range []string{"line-redirect.test", "line-redirect-document.test", "line-vhost.test", "line-prefix.test", "line-signin.test", "line-question.test", "line-user.test"} {
				for _, target := range []string{"/x%0d%0aSet-Cookie:%20evil=1", "/x%0aX-Evil:%201", "/x%0d%0a%0d%0aevil"} {
					// The user's name is "a\r\nX-Evil: 1".
					a := w.get(host, target, "Authorization: Basic YQ0KWC1FdmlsOiAxOnA=")
					got := a.from()
					seen := fmt.Sprint(a.headers, got.Headers)
					if a.headers.Get("Set-Cookie")+a.headers.Get("X-Evil")+got.Header("Set-Cookie")+got.Header("X-Evil") != "" || strings.ContainsAny(seen, "\r\n") {
						w.t.Errorf("%s%s: a header of the client's: %s", host, target, seen)
					}
					if a.status >= 500 {
						w.t.Errorf("%s%s answers %d", host, target, a.status)
					}
				}
			}
			for _, r := range w.pods["auth"].asked() {
				if r.Header.Get("Set-Cookie")+r.Header.Get("X-Evil") != "" {
					w.t.Errorf("the authentication service gets %v", r.Header)
				}
			}
		},
	},
}

// privateIsLeftAlone fails where anything on loopback was asked.
func (w *world) privateIsLeftAlone() {
	w.t.Helper()
	for _, r := range w.pods["private"].asked() {
		w.t.Errorf("what listens on loopback was asked for %s of %s", r.URL, r.Host)
	}
}
