package controller

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/translate"
	"k8s.io/apimachinery/pkg/types"
)

// rig is a core with a real nginx, on a directory of manifests.
type rig struct {
	*Core
	t         *testing.T
	manifests string
	port      int
}

// newRig starts one; templates is a directory that replaces built-in ones.
func newRig(t *testing.T, templates string) *rig {
	t.Helper()
	return newRigWith(t, templates, kit.Nginx(t))
}

// newRigWith does so with an nginx of one's own, and changes the core before it
// runs.
func newRigWith(t *testing.T, templates, binary string, changes ...func(*Core)) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "sg") // names of sockets are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r := &rig{t: t, manifests: t.TempDir(), port: freePort(t)}
	source := snapshot.Dir{
		Path: r.manifests, Classes: snapshot.Classes{Class: "nginx", Offline: true},
		ConfigMap: types.NamespacedName{Namespace: "default", Name: "settings"},
	}
	o := translate.Options{
		AnnotationPrefixes: []string{annotations.DefaultPrefix},
		HTTPPort:           r.port, HTTPSPort: freePort(t),
		Directory: dir, SecretsDirectory: dir + "/secrets", LogDirectory: dir + "/run", PIDFile: dir + "/run/nginx.pid",
	}
	if os.Geteuid() == 0 {
		o.User = "root"
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.Core, err = NewCore(ctx, Config{
		Log: testr.New(t), Nginx: nginx.Options{Binary: binary, Dir: dir, PIDFile: o.PIDFile}, Spawn: true,
		Translate: o, TemplateDir: templates,
		Discovery: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(freePort(t))), DiscoveryCount: 1,
		Registry: prometheus.NewRegistry(),
	}, source)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		change(r.Core)
	}
	done, ready := make(chan error, 1), make(chan struct{})
	go func() { done <- r.Core.Run(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-ready
	return r
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// put writes a manifest, or takes it away when it is empty.
func (r *rig) put(name, text string) {
	r.t.Helper()
	file := filepath.Join(r.manifests, name+".yaml")
	err := os.WriteFile(file, []byte(text), 0o644)
	if text == "" {
		err = os.Remove(file)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// run runs the pipeline once, and is done when nginx serves what it should.
func (r *rig) run() *State {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		if _, err := r.Pipeline.Run(ctx, "test"); err == nil && r.Pipeline.State().Confirmed {
			return r.Pipeline.State()
		} else if ctx.Err() != nil {
			r.t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// status asks nginx for a host's page.
func (r *rig) status(host string) int { return r.statusOf(host, "/") }

func (r *rig) statusOf(host, path string) int {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", r.port, path), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Host, req.Close = host, true
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode
}

// waitReady waits until nginx has asked for all names.
func (r *rig) waitReady() (err error) {
	for range 500 {
		if err = r.Ready(nil); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// quarantined lists the objects that are.
func quarantined(s *State) (out []string) {
	for _, f := range s.Findings {
		if f.Reason == model.ReasonQuarantined {
			out = append(out, f.Object.String())
		}
	}
	return out
}

func ingress(name, host, annotations string) string {
	return fmt.Sprintf(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %s, annotations: {%s}}
spec:
  ingressClassName: nginx
  rules:
  - host: %s
    http: {paths: [{path: /, pathType: ImplementationSpecific, backend: {service: {name: none, port: {number: 80}}}}]}
`, name, annotations, host)
}

func TestQuarantine(t *testing.T) {
	r := newRig(t, "")
	r.put("a", ingress("a", "a.example.com", ""))
	r.put("b", ingress("b", "b.example.com", ""))
	r.run()

	// Only nginx, with the TLS library that it has, knows its ciphers.
	settings := `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {ssl-ciphers: '%s'}
`
	r.put("settings", fmt.Sprintf(settings, "NOBODYS-CIPHER"))
	r.put("c", ingress("c", "c.example.com", ""))
	s := r.run()
	if got := quarantined(s); !slices.Equal(got, []string{"ConfigMap default/settings"}) {
		t.Fatalf("in quarantine: %v", got)
	}
	for _, host := range []string{"a.example.com", "b.example.com", "c.example.com"} {
		if code := r.status(host); code != http.StatusServiceUnavailable {
			t.Errorf("%s answers %d; the others are to be served with what came with the bad ConfigMap", host, code)
		}
	}
	if s := r.run(); len(quarantined(s)) != 1 {
		t.Error("the same ConfigMap is tried again")
	}

	r.put("settings", fmt.Sprintf(settings, "ECDHE-RSA-AES128-SHA256"))
	if s := r.run(); len(quarantined(s)) != 0 || !strings.Contains(string(s.Live.Text), "ECDHE-RSA-AES128-SHA256") {
		t.Errorf("a mended ConfigMap is not served: %v", s.Findings)
	}
	r.put("settings", fmt.Sprintf(settings, "NOBODYS-OTHER"))
	if s := r.run(); len(quarantined(s)) != 1 || !strings.Contains(string(s.Live.Text), "ECDHE-RSA-AES128-SHA256") {
		t.Errorf("the last good ConfigMap is not served: %v", s.Findings)
	}
}

// Custom templates: good ones are taken into use, broken ones leave the last
// good ones, whether Go or nginx finds the fault.
func TestTemplates(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "server.tmpl")
	built, err := os.ReadFile("../../templates/server.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(string(built))
	r := newRig(t, dir)
	r.put("a", ingress("a", "a.example.com", ""))
	before := r.run().Live.ID

	use := func() error { return r.Pipeline.UseTemplates(context.Background(), dir) }
	for name, text := range map[string]string{
		"no template":     "{{if}}",
		"no field":        "{{.Nobody}}",
		"nothing of ours": "no_such_directive on;\n" + string(built),
	} {
		write(text)
		if err := use(); err == nil {
			t.Errorf("%s: taken into use", name)
		}
		if after := r.run().Live.ID; after != before {
			t.Errorf("%s: another generation is served", name)
		}
	}
	write("# of our own\n" + string(built))
	if err := use(); err != nil {
		t.Fatal(err)
	}
	if s := r.run(); s.Live.ID == before || !strings.Contains(string(s.Live.Text), "# of our own") {
		t.Error("good templates are not in use")
	}
}
