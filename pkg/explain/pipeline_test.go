package explain_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/controller"
	"github.com/sidegate/sidegate/pkg/explain"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/translate"
)

// seen is what a backend answers: the request as it came.
type seen struct {
	Service string `json:"service"`
	URI     string `json:"uri"`
	Host    string `json:"host"`
}

// entry is a running nginx and the pipeline that configures it.
type entry struct {
	*controller.Core
	http, https string
}

// input is a question about the configuration that nginx serves.
func (e *entry) input(url string) explain.Input {
	state := e.Pipeline.State()
	endpoints := explain.Endpoints{}
	for _, s := range e.Pipeline.Table.States() {
		endpoints[s.Name] = s.Addresses
	}
	return explain.Input{Config: state.Config(), Findings: state.Findings, Endpoints: endpoints, URL: url}
}

// startEntry makes a real nginx serve the Ingresses of testdata.
func startEntry(t *testing.T, configMap map[string]string) *entry {
	t.Helper()
	manifests, state := t.TempDir(), shortTempDir(t)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(manifests, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ingresses, err := os.ReadFile("testdata/ingresses.yaml")
	if err != nil {
		t.Fatal(err)
	}
	auth := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(auth.Close)
	_, authPort, _ := net.SplitHostPort(auth.Listener.Addr().String())
	write("ingresses.yaml", strings.ReplaceAll(string(ingresses), "AUTHPORT", authPort))
	for _, service := range []string{"a", "b", "c", "d", "e"} {
		write(service+".yaml", serviceYAML(service, backend(t, service)))
	}
	write("empty.yaml", serviceYAML("empty", ""))
	write("secure.yaml", secretYAML(t, "secure", "secure.example.com"))
	write("wild.yaml", secretYAML(t, "wild", "*.secure.example.com"))
	data, err := json.Marshal(configMap)
	if err != nil {
		t.Fatal(err)
	}
	write("config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\ndata: "+string(data)+"\n")

	ports := freePorts(t, 2+discoveryListeners)
	selfSigned, key := certificate(t, "ingress.local")
	user := ""
	if os.Geteuid() == 0 {
		user = "root"
	}
	source := snapshot.Dir{Path: manifests, Classes: snapshot.Classes{Controller: "k8s.io/ingress-nginx", Class: "nginx"}}
	source.ConfigMap.Namespace, source.ConfigMap.Name = "default", "config"
	core, err := controller.NewCore(t.Context(), controller.Config{
		Log:   testr.New(t),
		Nginx: nginx.Options{Binary: kit.Nginx(t), Dir: state, PIDFile: filepath.Join(state, "run", "nginx.pid")},
		Spawn: true,
		Translate: translate.Options{
			AnnotationPrefixes: []string{annotations.DefaultPrefix},
			SelfSigned:         append(selfSigned, key...),
			HTTPPort:           ports[0], HTTPSPort: ports[1],
			Targets: translate.Targets{AllowLoopback: true},
			User:    user, Directory: state, SecretsDirectory: filepath.Join(state, "secrets"),
			LogDirectory: filepath.Join(state, "run"), PIDFile: filepath.Join(state, "run", "nginx.pid"),
		},
		Discovery: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(ports[2])), DiscoveryCount: discoveryListeners,
		Registry: prometheus.NewRegistry(),
	}, source)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- core.Run(ctx, func() { core.Trigger("start") }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for deadline := time.Now().Add(time.Minute); core.Ready(nil) != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not ready: %v", core.Ready(nil))
		}
	}
	local := func(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
	return &entry{core, local(ports[0]), local(ports[1])}
}

// backend serves on a port of its own and returns the address.
func backend(t *testing.T, service string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(seen{service, r.RequestURI, r.Host}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// serviceYAML is a Service with the one endpoint; "" is none.
func serviceYAML(name, address string) string {
	text := "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\nspec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}\n"
	if address == "" {
		return text
	}
	host, port, _ := net.SplitHostPort(address)
	return text + fmt.Sprintf(`---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %s-1, labels: {kubernetes.io/service-name: %s}}
addressType: IPv4
ports: [{port: %s, name: ""}]
endpoints: [{addresses: [%s], conditions: {ready: true}}]
`, name, name, port, host)
}

func secretYAML(t *testing.T, name, host string) string {
	chain, key := certificate(t, host)
	object := map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]string{"name": name}, "type": "kubernetes.io/tls",
		"stringData": map[string]string{"tls.crt": string(chain), "tls.key": string(key)},
	}
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// certificate makes a self-signed one.
func certificate(t *testing.T, host string) (chain, key []byte) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

const discoveryListeners = 4

// freePorts returns ports that are free now; from the third on they follow
// each other.
func freePorts(t *testing.T, count int) []int {
	t.Helper()
	for range 100 {
		ports, ok := tryPorts(count)
		if ok {
			return ports
		}
	}
	t.Fatal("no free ports")
	return nil
}

func tryPorts(count int) (ports []int, ok bool) {
	for i := range count {
		port := 0
		if i > 2 {
			port = ports[2] + i - 2
		}
		l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return nil, false
		}
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, true
}

// shortTempDir is a directory below which unix sockets can have names.
func shortTempDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "sg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
