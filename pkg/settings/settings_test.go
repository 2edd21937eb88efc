package settings

import (
	"strings"
	"testing"

	"github.com/sidegate/sidegate/pkg/model"
)

// Each key that works says what it is, and refuses what it is not.
func TestTable(t *testing.T) {
	anything := map[string]bool{ // keys that take any text
		"no-tls-redirect-locations": true, "log-format-upstream": true,
	}
	for _, row := range Table() {
		switch row.Support {
		case Supported:
			if row.Doc == "" || row.parse == nil || row.Type == "" {
				t.Errorf("%s works and has no doc, type or parser", row.Name)
				continue
			}
			_, problems := Parse(map[string]string{row.Name: "{;\x00"})
			if len(problems) == 0 && !anything[row.Name] {
				t.Errorf("%s takes what breaks out of its place", row.Name)
			}
		default:
			if row.parse != nil {
				t.Errorf("%s is %q and has a parser", row.Name, row.Support)
			}
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		key, value string
		severity   model.Severity
		reason     string
		message    string
	}{
		{"ssl-redirect", "false", "", "", ""},
		{"ssl-redirect", "maybe", model.Error, model.ReasonInvalidValue, "the default stays: true"},
		{"ssl-redirct", "false", model.Warning, model.ReasonUnknownKey, "no such key"},
		{"use-gzip", "true", model.Warning, model.ReasonNotImplemented, "not have it yet"},
		{"lua-shared-dicts", "a: 1", model.Info, model.ReasonNotSupported, "no Lua"},
		{"whitelist-source-range", "10.0.0.0/8", model.Error, model.ReasonNotImplemented, "answer 503"},
		{"proxy-connect-timeout", "-1", model.Error, model.ReasonInvalidValue, "the default stays: 5"},
	} {
		_, problems := Parse(map[string]string{c.key: c.value})
		if c.reason == "" {
			if len(problems) != 0 {
				t.Errorf("%s=%q: %v, want nothing", c.key, c.value, problems)
			}
			continue
		}
		if len(problems) != 1 {
			t.Errorf("%s=%q: %d problems, want one", c.key, c.value, len(problems))
			continue
		}
		p := problems[0]
		if p.Key != c.key || p.Value != c.value || p.Severity != c.severity || p.Reason != c.reason || !strings.Contains(p.Message, c.message) {
			t.Errorf("%s=%q: %+v, want %s %s with %q", c.key, c.value, p, c.severity, c.reason, c.message)
		}
	}
}

// A bad value leaves the default, and nothing else is affected.
func TestBadValueAlone(t *testing.T) {
	s, problems := Parse(map[string]string{"proxy-connect-timeout": "soon", "hsts-max-age": "60"})
	want := Defaults()
	if s.ConnectTimeout != want.ConnectTimeout || s.HSTSMaxAge != 60 || len(problems) != 1 {
		t.Errorf("connect timeout %v, max-age %d, problems %v", s.ConnectTimeout, s.HSTSMaxAge, problems)
	}
}

// A guard of all Ingresses that cannot be had closes them; the values that
// ingress-nginx has by default, which its chart may write down, do not.
func TestUnusableKeyDoesNotOpen(t *testing.T) {
	values := map[string]string{
		"enable-modsecurity": "true",
		"http-snippet":       "geo $x { default 1; }\ndeny 10.0.0.0/8;",
		"location-snippet":   "if ($bad) { return 403; }",
		"server-snippet":     "auth_basic x;",
	}
	for name := range laterGuards {
		value, ok := values[name]
		if !ok {
			value = "10.0.0.0/8"
		}
		if s, _ := Parse(map[string]string{name: value}); s.Unguarded != name {
			t.Errorf("%s cannot be used and closes nothing", name)
		}
		for _, idle := range []string{"", " ", "\n"} {
			if s, _ := Parse(map[string]string{name: idle}); s.Unguarded != "" {
				t.Errorf("%s is empty and closes everything", name)
			}
		}
	}
	for name, value := range map[string]string{
		"enable-modsecurity": "false", "server-snippet": "proxy_set_header X-Auth x; access_log off;", "http-snippet": "# deny\ngzip on;", "location-snippet": "return 301 /x;",
	} {
		if s, _ := Parse(map[string]string{name: value}); s.Unguarded != "" {
			t.Errorf("%s: %s keeps nothing out and closes everything", name, value)
		}
	}
}

// The default stays for a key that works and has a bad value. Were it a guard,
// that would let everybody in.
func TestNoKeyThatWorksGuards(t *testing.T) {
	for _, row := range Table() {
		if row.parse != nil && row.closes != nil {
			t.Errorf("%s guards and works: a bad value of it must close", row.Name)
		}
	}
}
