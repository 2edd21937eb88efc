package behaviour

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/controller"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/translate"
	"k8s.io/apimachinery/pkg/types"
)

// entryAddress is where nginx is asked.
const entryAddress = "127.0.0.1"

// script is what the njs module runs.
const script = "../../rootfs/etc/nginx/sidegate.js"

// startPipeline starts the product, with nginx as its child, on the manifests
// of a fixture, and returns its findings when it is ready.
func (c *cluster) startPipeline(t *testing.T, f *fixture) []string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sg") // names of sockets are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if log, err := os.ReadFile(filepath.Join(dir, "run", "error.log")); err == nil && t.Failed() {
			for line := range strings.Lines(string(log)) {
				if !strings.Contains(line, "[notice]") {
					t.Log("nginx: " + line)
				}
			}
		}
		_ = os.RemoveAll(dir)
	})
	manifests := filepath.Join(dir, "manifests")
	common, err := os.ReadFile("testdata/common.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(manifests, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"a-common.yaml": c.replace.Replace(string(common)), "b-secrets.yaml": c.secrets, "c-fixture.yaml": f.manifests,
	} {
		if err := os.WriteFile(filepath.Join(manifests, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	source := snapshot.Dir{
		Path: manifests, Classes: snapshot.Classes{Controller: "k8s.io/ingress-nginx", Class: "nginx"},
		ConfigMap: types.NamespacedName{Namespace: "default", Name: "settings"},
	}
	config := c.config(t, dir)
	for _, option := range f.options {
		setOption(t, option, &source, &config.Translate)
	}
	return run(t, config, source)
}

func (c *cluster) config(t *testing.T, dir string) controller.Config {
	binary := kit.Nginx(t)
	o := translate.Options{
		AnnotationPrefixes: []string{annotations.DefaultPrefix, annotations.LegacyPrefix},
		SelfSigned:         c.self,
		HTTPPort:           80, HTTPSPort: 443, IPv6: true,
		Directory: dir, SecretsDirectory: dir + "/secrets", LogDirectory: dir + "/run", PIDFile: dir + "/run/nginx.pid",
		ClusterResolvers: []string{kit.DNSIP.String()},
	}
	if os.Geteuid() == 0 {
		o.User = "root"
	}
	if modules := kit.NginxModules(binary); modules != "" {
		o.JSModule = filepath.Join(modules, "ngx_http_js_module.so")
		path, err := filepath.Abs(script)
		if err != nil {
			t.Fatal(err)
		}
		o.JSFile = path
	}
	return controller.Config{
		Log: testr.New(t), Nginx: nginx.Options{Binary: binary, Dir: dir, PIDFile: o.PIDFile}, Spawn: true,
		Translate: o, Discovery: netip.MustParseAddrPort("127.0.0.1:10530"), DiscoveryCount: 4,
		Registry: prometheus.NewRegistry(),
	}
}

// setOption is a flag of the command line, as far as fixtures need it.
func setOption(t *testing.T, option string, source *snapshot.Dir, o *translate.Options) {
	t.Helper()
	name, value, _ := strings.Cut(strings.TrimPrefix(option, "--"), "=")
	namespace, object, _ := strings.Cut(value, "/")
	switch name {
	case "default-backend-service":
		o.DefaultBackend = types.NamespacedName{Namespace: namespace, Name: object}
	case "default-ssl-certificate":
		o.DefaultCertificate = types.NamespacedName{Namespace: namespace, Name: object}
	case "disable-catch-all":
		o.DisableCatchAll = true
	case "disable-svc-external-name":
		o.DisableExternalName = true
	case "annotations-prefix":
		o.AnnotationPrefixes[0] = value
	case "controller-class":
		source.Classes.Controller = value
	case "ingress-class":
		source.Classes.Class = value
	case "ingress-class-by-name":
		source.Classes.ByName = true
	case "watch-ingress-without-class":
		source.Classes.WithoutClass = true
	default:
		t.Fatalf("fixtures do not know the flag %s", option)
	}
}

// run runs the core until the test ends.
func run(t *testing.T, config controller.Config, source controller.Source) (findings []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	core, err := controller.NewCore(ctx, config, source)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- core.Run(ctx, func() { core.Trigger("start") }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for deadline := time.Now().Add(time.Minute); core.Ready(nil) != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not ready: %v", core.Ready(nil))
		}
	}
	for _, f := range core.Pipeline.State().Findings {
		findings = append(findings, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", f.Severity, f.Object, f.Reason, f.Field)))
	}
	return findings
}
