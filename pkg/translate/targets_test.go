package translate_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sidegate/sidegate/pkg/layout"
	"github.com/sidegate/sidegate/pkg/render"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/translate"
	"golang.org/x/tools/txtar"
)

func TestNothingIsSentToThisPod(t *testing.T) {
	targets := translate.Targets{Own: []netip.Addr{netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("2001:db8::9")}, Ports: []uint16{80, 10254}}
	loose := targets
	loose.AllowLoopback = true
	tests := []struct {
		target         string
		allowed, loose bool
	}{
		{"10.0.0.1:80", true, true},
		{"[2001:db8::1]:80", true, true},
		{"240.0.0.1:80", true, true},
		{"127.0.0.1:8080", false, true},
		{"127.255.0.1:8080", false, true},
		{"[::1]:8080", false, true},
		{"[::ffff:127.0.0.1]:8080", false, true},
		{"[64:ff9b::7f00:1]:8080", false, true},
		{"127.0.0.1:10254", false, false},
		{"0.0.0.0:80", false, false},
		{"0.1.2.3:80", false, false},
		{"[::]:80", false, false},
		{"169.254.169.254:80", false, false},
		{"[::ffff:169.254.169.254]:80", false, false},
		{"[64:ff9b::a9fe:a9fe]:80", false, false},
		{"[64:ff9b:1::a9fe:a9fe]:80", false, false},
		{"[64:ff9b:1:2::7f00:1]:8080", false, true},
		{"[::a9fe:a9fe]:80", false, false},
		// Clouds' metadata that is not link-local.
		{"100.100.100.200:80", false, false},
		{"168.63.129.16:80", false, false},
		{"192.0.0.192:80", false, false},
		{"[fd00:ec2::254]:80", false, false},
		{"[fd00:ec2::23]:80", false, false},
		{"[fd20:ce::254]:80", false, false},
		{"[fd00:c1::a9fe:a9fe]:80", false, false},
		{"[fd00:42::42]:80", false, false},
		{"[64:ff9b::6464:64c8]:80", false, false},
		{"100.100.100.201:80", true, true},
		{"[fe80::1]:80", false, false},
		{"[fe80::1%eth0]:80", false, false},
		{"224.0.0.1:80", false, false},
		{"[ff02::1]:80", false, false},
		{"255.255.255.255:80", false, false},
		// What listens there is ours; with the host's network the rest is not.
		{"10.0.0.9:80", false, false},
		{"10.0.0.9:10254", false, false},
		{"[2001:db8::9]:80", false, false},
		{"10.0.0.9:9100", true, true},
	}
	for _, tt := range tests {
		target := netip.MustParseAddrPort(tt.target)
		if got := targets.Allowed(target); got != tt.allowed {
			t.Errorf("%s: %t", tt.target, got)
		}
		if got := loose.Allowed(target); got != tt.loose {
			t.Errorf("%s with loopback: %t", tt.target, got)
		}
	}
	if targets.Allowed(netip.AddrPort{}) {
		t.Error("no address is a target")
	}
}

// Whatever is rendered, the variables that it defines begin with a prefix that
// no input can use.
func TestInputsCannotNameOurVariables(t *testing.T) {
	for _, text := range renderedWhole(t) {
		for _, m := range definitions.FindAllStringSubmatch(text, -1) {
			for _, name := range m[1:] {
				if name != "" && !strings.HasPrefix(name, "sg_") {
					t.Errorf("%q defines $%s", m[0], name)
				}
			}
		}
	}
}

var definitions = regexp.MustCompile(`(?m)^\s*(?:map\s+\S.*?\s\$(\w+) \{|geo (?:\S+ )?\$(\w+) \{|split_clients \S+ \$(\w+) |set \$(\w+) |js_set \$(\w+) |auth_request_set \$(\w+) )|\(\?P?[<'](\w+)[>']`)

// renderedWhole renders configurations in which everything is on: golden cases,
// with the keys of the ConfigMap that define variables.
func renderedWhole(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	var out []string
	for _, config := range []string{"{}", `{use-forwarded-headers: "true", compute-full-forwarded-for: "true", use-proxy-protocol: "true", generate-request-id: "false", hsts: "true"}`} {
		for _, file := range files {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			for _, f := range archive.Files {
				if strings.HasSuffix(f.Name, ".yaml") && !strings.Contains(string(f.Data), "kind: ConfigMap") {
					if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			configMap := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: " + config + "\n"
			if err := os.WriteFile(filepath.Join(dir, "settings.yaml"), []byte(configMap), 0o600); err != nil {
				t.Fatal(err)
			}
			source := snapshot.Dir{Path: dir, Classes: snapshot.Classes{Controller: "k8s.io/ingress-nginx", Class: "nginx"}}
			source.ConfigMap.Namespace, source.ConfigMap.Name = "default", "settings"
			snap, err := source.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			renderer, err := render.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			c := newTranslator().Translate(translate.Input{Snapshot: snap}).Config
			c.Main.JSModule, c.Main.JSFile = "/m.so", "/x.js"
			result, err := renderer.Render(layout.Of(c))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, userGroups.ReplaceAllString(string(result.Text), ""))
		}
	}
	return out
}

// userGroups are lines with a regular expression of an Ingress.
var userGroups = regexp.MustCompile(`(?m)^\s*(location ~|rewrite ).*$`)
