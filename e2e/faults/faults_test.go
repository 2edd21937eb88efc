package faults_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/pkg/echo"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// world is a gateway in front of one application.
type world struct {
	t       *testing.T
	plane   *kit.ControlPlane
	gateway *kit.Gateway
}

const patience = 60 * time.Second

func newWorld(t *testing.T, flags ...string) *world {
	kit.RequireNetns(t)
	w := &world{t: t, plane: kit.NewControlPlane(t)}
	for i := range 2 {
		address := netip.AddrFrom4([4]byte{198, 18, 200, byte(i + 1)})
		l, err := net.Listen("tcp", netip.AddrPortFrom(address, 8080).String())
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: &echo.Server{}}
		go func() { _ = server.Serve(l) }() // it ends with the test
		t.Cleanup(func() { _ = server.Close() })
	}
	w.create(&networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "nginx"}, Spec: networkingv1.IngressClassSpec{Controller: "k8s.io/ingress-nginx"}})
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ingress-nginx"}})
	w.create(&corev1.Service{ObjectMeta: meta("app"), Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}})
	w.create(&discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "default", Name: "app-1", Labels: map[string]string{discoveryv1.LabelServiceName: "app"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To(""), Port: ptr.To[int32](8080)}},
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"198.18.200.1"}}, {Addresses: []string{"198.18.200.2"}}},
	})
	w.create(ingress("first", "first.example.com", "/"))
	dir, err := os.MkdirTemp("", "sg") // sockets need a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w.gateway, err = kit.StartGateway(t.Context(), kit.GatewayOptions{
		Dir: dir, Sidegate: kit.Binary(t, "sidegate"), Nginx: kit.Nginx(t), Kubeconfig: w.plane.Kubeconfig,
		Flags: append([]string{"--election-ttl=4s"}, flags...),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.gateway.Stop(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "default", Name: name}
}

func ingress(name, host, path string) *networkingv1.Ingress {
	kind := networkingv1.PathTypeImplementationSpecific
	return &networkingv1.Ingress{ObjectMeta: meta(name), Spec: networkingv1.IngressSpec{
		IngressClassName: ptr.To("nginx"),
		Rules: []networkingv1.IngressRule{{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
			Paths: []networkingv1.HTTPIngressPath{{Path: path, PathType: &kind, Backend: networkingv1.IngressBackend{
				Service: &networkingv1.IngressServiceBackend{Name: "app", Port: networkingv1.ServiceBackendPort{Number: 80}},
			}}},
		}}}},
	}}
}

func (w *world) create(o client.Object) {
	w.t.Helper()
	if err := w.plane.Client.Create(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
	}
}

// status sends a request to a host.
func status(host string) int {
	request, err := http.NewRequest(http.MethodGet, "http://198.18.0.1/", nil)
	if err != nil {
		return 0
	}
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

func (w *world) eventually(what string, f func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatal("not in time: " + what)
		}
	}
}

// traffic sends requests until stop is called, which returns how many were
// sent and how many failed.
func traffic(host string) (stop func() (sent, failed int64)) {
	ctx, cancel := context.WithCancel(context.Background())
	var sent, failed atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			sent.Add(1)
			if status(host) != http.StatusOK {
				failed.Add(1)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}()
	return func() (int64, int64) { cancel(); <-done; return sent.Load(), failed.Load() }
}

// debug reads a page of the debug endpoint.
func (w *world) debug(page string, into any) {
	w.t.Helper()
	text, err := w.gateway.Debug(w.t.Context(), page)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		w.t.Fatal(err)
	}
}

// workers tells reloads from each other: every reload has other workers.
func (w *world) workers() []string {
	w.t.Helper()
	pid, err := os.ReadFile(w.gateway.PIDFile())
	if err != nil {
		w.t.Fatal(err)
	}
	p := strings.TrimSpace(string(pid))
	children, err := os.ReadFile("/proc/" + p + "/task/" + p + "/children")
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Fields(string(children))
}

// sameWorkers fails where there is a worker that was not there before. Those
// that still drained may have ended.
func (w *world) sameWorkers(before []string) {
	w.t.Helper()
	for _, pid := range w.workers() {
		if !slices.Contains(before, pid) {
			w.t.Errorf("workers were %v, and now there is %s: there was a reload", before, pid)
		}
	}
}

func TestFaults(t *testing.T) {
	w := newWorld(t, "--publish-status-address=192.0.2.1")
	w.eventually("the first host is served", func() bool { return status("first.example.com") == http.StatusOK })
	t.Run("the controller is killed", w.controllerKilled)
	t.Run("the API server is gone", w.apiServerGone)
	t.Run("nginx refuses an Ingress", w.ingressRefused)
	t.Run("a certificate is replaced", w.certificateReplaced)
	t.Run("the last pod ends", w.lastPodEnds)
}

// in has the helpers fail the right test.
func (w *world) in(t *testing.T) *world { c := *w; c.t = t; return &c }

// Not one request fails, and the restarted controller reloads nothing.
func (w *world) controllerKilled(t *testing.T) {
	w = w.in(t)
	before := w.workers()
	stop := traffic("first.example.com")
	if err := w.gateway.StopController(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second)
	if err := w.gateway.StartController(); err != nil {
		t.Fatal(err)
	}
	if err := w.gateway.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second) // for endpoints to be asked for again
	if sent, failed := stop(); failed > 0 || sent < 100 {
		t.Errorf("%d of %d requests failed", failed, sent)
	}
	w.sameWorkers(before)
}

// Traffic goes on, endpoints stay, and what changes afterwards is served.
func (w *world) apiServerGone(t *testing.T) {
	w = w.in(t)
	stop := traffic("first.example.com")
	if err := w.plane.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(15 * time.Second)
	if err := w.plane.StartAPIServer(); err != nil {
		t.Fatal(err)
	}
	w.create(ingress("after", "after.example.com", "/"))
	w.eventually("an Ingress that came after the outage is served", func() bool { return status("after.example.com") == http.StatusOK })
	if sent, failed := stop(); failed > 0 || sent < 100 {
		t.Errorf("%d of %d requests failed", failed, sent)
	}
}

// PCRE refuses to look behind by any length, which Go's dialect cannot know.
func (w *world) ingressRefused(t *testing.T) {
	w = w.in(t)
	bad := ingress("bad", "bad.example.com", "/(?<=a+)b")
	bad.Annotations = map[string]string{"nginx.ingress.kubernetes.io/use-regex": "true"}
	w.create(bad)
	w.create(ingress("good", "good.example.com", "/"))
	w.eventually("the other Ingress is served", func() bool { return status("good.example.com") == http.StatusOK })
	if got := status("first.example.com"); got != http.StatusOK {
		t.Errorf("the first host answers %d", got)
	}
	w.eventually("the finding", func() bool {
		var findings []struct{ Reason, Message string }
		w.debug("/debug/findings?name=bad", &findings)
		return len(findings) > 0 && findings[0].Reason == "Quarantined" && strings.Contains(findings[0].Message, "lookbehind")
	})
	w.eventually("the event", func() bool {
		var events eventsv1.EventList
		if err := w.plane.Client.List(t.Context(), &events, client.InNamespace("default")); err != nil {
			t.Fatal(err)
		}
		for _, e := range events.Items {
			if e.Regarding.Name == "bad" && e.Reason == "Quarantined" {
				return true
			}
		}
		return false
	})
	// A version that nginx takes is served.
	if err := w.plane.Client.Get(t.Context(), client.ObjectKeyFromObject(bad), bad); err != nil {
		t.Fatal(err)
	}
	bad.Spec.Rules[0].HTTP.Paths[0].Path = "/"
	if err := w.plane.Client.Update(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	w.eventually("the mended Ingress is served", func() bool { return status("bad.example.com") == http.StatusOK })
}

// The new certificate is served, and nginx has the workers it had.
func (w *world) certificateReplaced(t *testing.T) {
	w = w.in(t)
	const host = "tls.example.com"
	secret := &corev1.Secret{ObjectMeta: meta("cert"), Type: corev1.SecretTypeTLS, Data: keyPair(t, host, 1)}
	w.create(secret)
	ing := ingress("tls", host, "/")
	ing.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{host}, SecretName: "cert"}}
	w.create(ing)
	w.eventually("the first certificate is served", func() bool { return serial(host) == 1 })
	before := w.workers()
	secret.Data = keyPair(t, host, 2)
	if err := w.plane.Client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	w.eventually("the second certificate is served", func() bool { return serial(host) == 2 })
	w.sameWorkers(before)
}

// serial is that of the certificate which a host answers with.
func serial(host string) int64 {
	c, err := tls.Dial("tcp", "198.18.0.1:443", &tls.Config{ServerName: host, InsecureSkipVerify: true})
	if err != nil {
		return 0
	}
	defer func() { _ = c.Close() }()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func keyPair(t *testing.T, host string, serial int64) map[string][]byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var cert, k bytes.Buffer
	if err := pem.Encode(&cert, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		t.Fatal(err)
	}
	if err := pem.Encode(&k, &pem.Block{Type: "PRIVATE KEY", Bytes: private}); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{corev1.TLSCertKey: cert.Bytes(), corev1.TLSPrivateKeyKey: k.Bytes()}
}

// The addresses are written by the leader, and taken away at the end.
func (w *world) lastPodEnds(t *testing.T) {
	w = w.in(t)
	address := func() string {
		var ing networkingv1.Ingress
		if err := w.plane.Client.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "first"}, &ing); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(ing.Status.LoadBalancer.Ingress)
	}
	w.eventually("the status is written", func() bool { return strings.Contains(address(), "192.0.2.1") })
	w.create(controllerPod("sidegate"))
	// QUIT, which is the stop signal of nginx's images, as TERM.
	if err := w.gateway.StopController(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	if got := address(); got != "[]" {
		t.Errorf("the status is %s after the end", got)
	}
}
