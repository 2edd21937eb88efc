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

func TestGuards(t *testing.T) {
	for name := range laterGuards {
		if s, _ := Parse(map[string]string{name: "10.0.0.0/8"}); s.Unguarded != name {
			t.Errorf("%s cannot be used and closes nothing", name)
		}
		if s, _ := Parse(map[string]string{name: " "}); s.Unguarded != "" {
			t.Errorf("%s is empty and closes everything", name)
		}
	}
}
