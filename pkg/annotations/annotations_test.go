package annotations

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sidegate/sidegate/pkg/model"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
			if row.guards != (set.Unguarded+set.UnguardedHost != "") {
				t.Errorf("%s with a bad value: guarded %v, closed %q", row.Name, row.guards, set.Unguarded+set.UnguardedHost)
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

func TestUnusableGuardDoesNotOpen(t *testing.T) {
	for name, value := range map[string]string{
		"auth-type": "digest", "auth-url": "not a URL", "allowlist-source-range": "10.0.0.0/8",
		"whitelist-source-range": "10.0.0.0/8", "denylist-source-range": "10.0.0.0/8",
		"enable-modsecurity": "true", "enable-owasp-core-rules": "yes", "modsecurity-snippet": "SecRuleEngine On",
		"auth-snippet": "proxy_set_header A b;", "auth-proxy-set-headers": "default/x", "configuration-snippet": "deny all;",
	} {
		if set, _ := parse(map[string]string{DefaultPrefix + "/" + name: value}); set.Unguarded == "" {
			t.Errorf("%s: %s leaves the location open", name, value)
		}
	}
	for name, value := range map[string]string{
		"auth-tls-secret": "a/b", "auth-tls-match-cn": "CN=x", "auth-tls-verify-client": "on", "server-snippet": "location /x { deny all; }",
	} {
		if set, _ := parse(map[string]string{DefaultPrefix + "/" + name: value}); set.UnguardedHost == "" {
			t.Errorf("%s: %s leaves the host open", name, value)
		}
	}
	for name, value := range map[string]string{
		"enable-modsecurity": "false", "enable-owasp-core-rules": "", "configuration-snippet": "proxy_set_header x-auth y;\naccess_log off;",
		"limit-rps": "5", "satisfy": "any", "enable-global-auth": "false",
	} {
		if set, _ := parse(map[string]string{DefaultPrefix + "/" + name: value}); set.Unguarded+set.UnguardedHost != "" {
			t.Errorf("%s: %s keeps nothing out and closes %s", name, value, set.Unguarded+set.UnguardedHost)
		}
	}
}

// Guards are the same whatever they are called.
func TestOpens(t *testing.T) {
	ing := func(all map[string]string) *networkingv1.Ingress {
		return &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Annotations: all}}
	}
	for _, c := range []struct {
		name           string
		served, newest map[string]string
		want           string
	}{
		{"nothing", nil, nil, ""},
		{"a new guard", nil, map[string]string{DefaultPrefix + "/auth-secret": "u"}, DefaultPrefix + "/auth-secret"},
		{"another value", map[string]string{DefaultPrefix + "/auth-secret": "u"}, map[string]string{DefaultPrefix + "/auth-secret": "v"}, DefaultPrefix + "/auth-secret"},
		{"an empty value", nil, map[string]string{DefaultPrefix + "/auth-url": ""}, DefaultPrefix + "/auth-url"},
		{"the older prefix", map[string]string{LegacyPrefix + "/auth-secret": "u"}, map[string]string{DefaultPrefix + "/auth-secret": "u"}, ""},
		{"an alias", map[string]string{DefaultPrefix + "/whitelist-source-range": "10.0.0.0/8"}, map[string]string{DefaultPrefix + "/allowlist-source-range": "10.0.0.0/8"}, ""},
		{"one that goes", map[string]string{DefaultPrefix + "/auth-secret": "u"}, nil, ""},
		{"no guard", nil, map[string]string{DefaultPrefix + "/auth-realm": "u", DefaultPrefix + "/enable-modsecurity": "false", "x": "y"}, ""},
		{"one of the host first", nil, map[string]string{DefaultPrefix + "/auth-secret": "u", DefaultPrefix + "/auth-tls-secret": "v"}, DefaultPrefix + "/auth-tls-secret"},
	} {
		got := ""
		if guard := Opens([]string{DefaultPrefix, LegacyPrefix}, ing(c.served), ing(c.newest)); guard != nil {
			got = guard.Key
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A value that is refused leaves nothing behind, half of it neither.
func TestRefusedValueIsNotUsed(t *testing.T) {
	for _, row := range Table() {
		if row.parse == nil || row.guards {
			continue
		}
		for _, value := range []string{"a b\n", "/;x", strings.Repeat("/a", 5000), "off\x00"} {
			set, findings := parse(map[string]string{DefaultPrefix + "/" + row.Name: value})
			if len(findings) > 0 && !reflect.DeepEqual(set, &Set{}) {
				t.Errorf("%s = %q leaves %+v", row.Name, model.Clip(value), set)
			}
		}
	}
}
