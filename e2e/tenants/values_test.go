package tenants_test

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/sidegate/sidegate/pkg/annotations"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Values that cannot be written as nginx would have to read them.
var valueRows = []row{
	{
		name: "LongRealmCannotStopOthers", file: "realms.yaml",
		told: []string{"evil/quotes InvalidValue", "evil/backslashes InvalidValue", "evil/both InvalidValue", "evil/accents InvalidValue", "evil/dollar InvalidValue"},
	},
	{
		name: "LongCookiePathCannotStopOthers", file: "cookie-paths.yaml",
		told: []string{"evil/cookie-name InvalidValue", "evil/cookie-domain InvalidValue"},
		check: func(w *world) {
			for _, host := range []string{"cookie-path.test", "cookie-longest.test", "cookie-quotes.test"} {
				w.answers(host, "/", http.StatusOK)
			}
			w.answers("cookie-default.test", "/"+strings.Repeat("a", 1996), http.StatusOK)
		},
	},
	{
		name: "LongNamesCannotOverflowHashTables", file: "hash-tables.yaml",
		check: func(w *world) {
			for _, letter := range []string{"a", "b", "c", "h"} {
				host := longName(letter, 253)
				if a := w.ask(question{host: host, https: true}); a.status != http.StatusOK || a.from().Pod != "evil" {
					w.t.Errorf("%.20s… answers %d", host, a.status)
				}
			}
			w.answers("x."+longName("b", 251), "/", http.StatusPermanentRedirect)
			w.answers("header-a.test", "/", http.StatusOK)
		},
	},
}

// Names that become names of files.
var fileRows = []row{
	{
		name: "LongSecretNamesCannotStopOthers", file: "long-secrets.yaml",
		told: []string{"evil/longer-than-a-name LocationClosed"},
		check: func(w *world) {
			w.within(soon, "the Secrets are in use", func() error {
				if a, err := ask(question{host: "long-tls.test", https: true}); err != nil || a.certificate != "long-tls.test" {
					return fmt.Errorf("the certificate is %q, %v", a.certificate, err)
				}
				return nil
			})
			w.answers("long-users.test", "/", http.StatusUnauthorized)
			w.answers("long-users.test", "/", http.StatusOK, basic("alice"))
			w.answers("long-users-other.test", "/", http.StatusUnauthorized, basic("alice"))
			w.answers("long-users-other.test", "/", http.StatusOK, basic("bob"))
			w.answers("long-map.test", "/", http.StatusOK, basic("carol"))
		},
	},
	{
		name: "SecretsCannotShareAFile", file: "one-file.yaml",
		check: func(w *world) {
			for host, user := range map[string]string{"boss.test": "boss", "intern.test": "intern", "other.test": "other"} {
				w.answers(host, "/", http.StatusOK, basic(user))
				for _, foreign := range []string{"boss", "intern", "other"} {
					if foreign != user {
						w.answers(host, "/", http.StatusUnauthorized, basic(foreign))
					}
				}
			}
		},
	},
}

// anyAnnotation gives every annotation that works values of every awkward kind.
func (w *world) anyAnnotation() {
	values := map[string]string{
		"quotes": strings.Repeat(`"`, 1800), "backslashes": strings.Repeat(`\`, 1740), "longest": "/" + strings.Repeat("a", 3497),
		"accents": "/" + strings.Repeat("é", 1700), "variables": strings.Repeat("$host", 600), "address": "http://198.18.200.4/?" + strings.Repeat(`\`, 1700),
		"list": strings.Repeat("x-y,", 800), "line": "a\n}\nb", "brace": "${", "nul": "/\x00",
	}
	var all []client.Object
	defer func() { w.delete(all...) }()
	for _, row := range annotations.Table() {
		if row.Support != annotations.Supported && row.Support != annotations.Partly {
			continue
		}
		for kind, value := range values {
			name := row.Name + "-" + kind
			ing := annotated(ingress("evil", name, name+".test", "/app(.*)"),
				"affinity", "cookie", "auth-url", "http://198.18.200.4/", "auth-type", "basic", "auth-secret", "users", row.Name, value)
			all = append(all, ing)
		}
	}
	w.createAll(all)
	w.anotherIsServed()
	w.victimServed()
}
