package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sidegate/sidegate/e2e/kit"
)

// served is `sidegate serve` on a directory, in this process.
type served struct {
	t           *testing.T
	dir         string
	http, debug string
}

func serve(t *testing.T) *served {
	t.Helper()
	s := &served{t: t, dir: t.TempDir()}
	ports := freePorts(t, 3+4)
	s.http, s.debug = "127.0.0.1:"+ports[0], "unix:"+shortTempDir(t)+"/debug.sock"
	t.Setenv("TMPDIR", shortTempDir(t)) // of which nothing may be left
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "app "+r.URL.Path) }))
	t.Cleanup(backend.Close)
	_, port, err := net.SplitHostPort(backend.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s.write("service.yaml", `
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: app-1, labels: {kubernetes.io/service-name: app}}
addressType: IPv4
ports: [{name: "", port: `+port+`}]
endpoints: [{addresses: [127.0.0.1]}]
`)
	s.ingress("first", "/first")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, _, err := run(ctx, "serve", "-f", s.dir, "--nginx-binary", kit.Nginx(t), "--log-level", "error", "--debug-address", s.debug, "--profiling", "--allow-loopback-targets",
			"--http-port", ports[0], "--https-port", ports[1], "--discovery-address", "127.0.0.1:"+ports[3], "--discovery-listeners", "4")
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve ended with %v", err)
		}
		if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
			t.Errorf("serve left %v behind (%v)", left, err)
		}
	})
	return s
}

func (s *served) write(name, text string) {
	s.t.Helper()
	file := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// ingress writes an Ingress for the host NAME.example.com.
func (s *served) ingress(name, path string, annotations ...string) {
	s.t.Helper()
	s.write("ingresses/"+name+".yaml", fmt.Sprintf(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %s, annotations: {%s}}
spec:
  ingressClassName: nginx
  rules:
    - host: %s.example.com
      http: {paths: [{path: %q, pathType: ImplementationSpecific, backend: {service: {name: app, port: {number: 80}}}}]}
`, name, strings.Join(annotations, ", "), name, path))
}

// get asks nginx.
func (s *served) get(host, path string) string {
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.http+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Host = host
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return strconv.Itoa(response.StatusCode) + " " + strings.TrimSpace(string(body))
}

// command runs a command against the debug endpoint.
func (s *served) command(args ...string) string {
	stdout, _, err := run(s.t.Context(), append(args, "--debug-address", s.debug)...)
	if err != nil {
		return err.Error()
	}
	return stdout
}

// becomes waits until what is asked for holds what is wanted.
func (s *served) becomes(what string, ask func() string, want string) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		got := ask()
		if strings.Contains(got, want) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s does not become %q; it is\n%s", what, want, got)
		}
	}
}

func TestServe(t *testing.T) {
	s := serve(t)
	page := func(args ...string) func() string { return func() string { return s.command(args...) } }
	request := func(host, path string) func() string { return func() string { return s.get(host, path) } }

	s.becomes("the first Ingress", request("first.example.com", "/first/x"), "200 app /first/x")
	if got := s.command("dump"); !strings.Contains(got, `server_name "first.example.com";`) {
		t.Errorf("dump prints\n%s", got)
	}
	if got := s.command("dump", "config", "--rejected"); !strings.Contains(got, "nginx has refused no configuration") {
		t.Errorf("dump --rejected prints\n%s", got)
	}
	first := s.generations(t)[0]
	if !first.Live || first.Outcome == "" || len(first.Steps) < 4 || first.Seconds <= 0 || !strings.Contains(first.Why, "start") {
		t.Errorf("the generation is %+v", first)
	}

	s.ingress("second", "/second")
	s.becomes("an Ingress that came later", request("second.example.com", "/second"), "200 app /second")
	s.becomes("the generations", page("dump", "generations"), "the manifests changed")
	if got := s.command("dump", "config", "--generation", first.ID[:12]); strings.Contains(got, "second.example.com") || !strings.Contains(got, "first.example.com") {
		t.Errorf("the first generation has become\n%s", got)
	}
	if got := s.command("explain", "http://second.example.com/second"); !strings.Contains(got, "ingress    default/second") || !strings.Contains(got, "127.0.0.1:") {
		t.Errorf("explain prints\n%s", got)
	}
	if got := s.command("dump", "endpoints"); !strings.Contains(got, `"default/app:80"`) || !strings.Contains(got, `"127.0.0.1"`) {
		t.Errorf("dump endpoints prints\n%s", got)
	}
	if got := s.command("dump", "model"); !strings.Contains(got, `"name": "second.example.com"`) {
		t.Errorf("dump model prints\n%s", got)
	}

	// A manifest that cannot be read changes nothing.
	s.write("broken.yaml", "kind: [")
	s.ingress("third", "/third")
	time.Sleep(time.Second)
	if got := s.get("second.example.com", "/second"); got != "200 app /second" {
		t.Errorf("beside a broken manifest it is %s", got)
	}
	if err := os.Remove(filepath.Join(s.dir, "broken.yaml")); err != nil {
		t.Fatal(err)
	}
	s.becomes("an Ingress once the broken manifest is gone", request("third.example.com", "/third"), "200 app /third")

	// One that nginx refuses is left out, and can be looked at.
	s.ingress("refused", "/(?<=a+)b", `nginx.ingress.kubernetes.io/use-regex: "true"`)
	s.becomes("the findings", page("dump", "findings", "--name", "refused", "--severity", "error"), "Quarantined")
	rejected := s.command("dump", "config", "--rejected")
	if !strings.Contains(rejected, "# nginx refuses this configuration: ") || !strings.Contains(rejected, `(?<=a+)b`) {
		t.Errorf("dump --rejected prints\n%.2000s", rejected)
	}
	if got := s.get("third.example.com", "/third"); got != "200 app /third" {
		t.Errorf("beside a refused Ingress it is %s", got)
	}
	if got := s.command("dump", "findings", "--name", "nobody"); strings.TrimSpace(got) != "[]" {
		t.Errorf("the findings of nobody are %s", got)
	}

	if err := os.Remove(filepath.Join(s.dir, "ingresses", "first.yaml")); err != nil {
		t.Fatal(err)
	}
	s.becomes("an Ingress that is gone", request("first.example.com", "/first"), "404")
}

type generationRow struct {
	ID, Why, Outcome string
	Live             bool
	Seconds          float64
	Steps            []struct{ Name string }
}

func (s *served) generations(t *testing.T) (out []generationRow) {
	t.Helper()
	if err := json.Unmarshal([]byte(s.command("dump", "generations")), &out); err != nil || len(out) == 0 {
		t.Fatalf("%d generations: %v", len(out), err)
	}
	return out
}

// freePorts returns ports that are free now; from the fourth on they follow
// each other.
func freePorts(t *testing.T, count int) []string {
	t.Helper()
	for range 100 {
		if ports, ok := tryPorts(count); ok {
			return ports
		}
	}
	t.Fatal("no free ports")
	return nil
}

func tryPorts(count int) (ports []string, ok bool) {
	base := 0
	for i := range count {
		port := 0
		if i > 3 {
			port = base + i - 3
		}
		l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return nil, false
		}
		defer func() { _ = l.Close() }()
		port = l.Addr().(*net.TCPAddr).Port
		if i == 3 {
			base = port
		}
		ports = append(ports, strconv.Itoa(port))
	}
	return ports, true
}

// shortTempDir is a directory below which unix sockets can have names.
func shortTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
