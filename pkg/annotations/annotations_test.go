package annotations

import (
	"strings"
	"testing"

	"github.com/sidegate/sidegate/pkg/model"
)

var object = model.IngressObject("default", "web")

func parse(all map[string]string) (*Set, []model.Finding) {
	return Parse([]string{DefaultPrefix, LegacyPrefix}, object, all)
}

// Every row that works has a parser, a type and a doc, and every other one
// says why it does not.
func TestTable(t *testing.T) {
	for _, row := range Table() {
		works := row.Support == Supported || row.Support == Partly
		if works != (row.parse != nil) {
			t.Errorf("%s is %q and parsed: %v", row.Name, row.Support, row.parse != nil)
		}
		if works && (row.Type == "" || row.Doc == "" || row.Scope == "" || row.Risk == "") {
			t.Errorf("%s lacks a type, a scope, a risk or a doc", row.Name)
		}
		if row.Support != Planned && row.Doc == "" {
			t.Errorf("%s lacks a doc", row.Name)
		}
	}
}

// No value of any annotation may hold what would break out of its place.
func TestHostileValues(t *testing.T) {
	for _, row := range Table() {
		if row.parse == nil {
			continue
		}
		for _, value := range []string{"a\nb", "a\x00b", "$evil", "a\xffb", strings.Repeat("x", 1<<20), "a\rb"} {
			set, findings := parse(map[string]string{DefaultPrefix + "/" + row.Name: value})
			if len(findings) != 1 || findings[0].Severity != model.Error || len(findings[0].Value) > 200 {
				t.Errorf("%s takes %q: %v", row.Name, model.Clip(value), findings)
			}
			if row.guards != (set.Unguarded != "") {
				t.Errorf("%s with a bad value: guarded %v, closed %q", row.Name, row.guards, set.Unguarded)
			}
		}
	}
}

func TestPrefixes(t *testing.T) {
	tests := []struct {
		name string
		all  map[string]string
		want string
	}{
		{"the newer prefix", map[string]string{DefaultPrefix + "/auth-realm": "a"}, "a"},
		{"the older prefix", map[string]string{LegacyPrefix + "/auth-realm": "b"}, "b"},
		{"both", map[string]string{LegacyPrefix + "/auth-realm": "b", DefaultPrefix + "/auth-realm": "a"}, "a"},
		{"another one", map[string]string{"example.com/auth-realm": "c"}, ""},
	}
	for _, tt := range tests {
		if set, findings := parse(tt.all); set.Auth.Realm != tt.want || len(findings) > 0 {
			t.Errorf("%s: %q, %v", tt.name, set.Auth.Realm, findings)
		}
	}
}

// nginx reads the realm "off" as no authentication at all.
func TestRealmOff(t *testing.T) {
	if set, findings := parse(map[string]string{DefaultPrefix + "/auth-realm": "off"}); set.Auth.Realm != "" || len(findings) != 1 {
		t.Errorf("%q, %v", set.Auth.Realm, findings)
	}
}

func TestUnusableGuardsClose(t *testing.T) {
	for name, value := range map[string]string{
		"auth-type": "digest", "auth-url": "not a URL", "allowlist-source-range": "10.0.0.0/8",
		"whitelist-source-range": "10.0.0.0/8", "auth-tls-secret": "a/b", "denylist-source-range": "10.0.0.0/8",
	} {
		if set, _ := parse(map[string]string{DefaultPrefix + "/" + name: value}); set.Unguarded == "" {
			t.Errorf("%s: %s leaves the location open", name, value)
		}
	}
}
