package tenants_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/sidegate/sidegate/e2e/kit"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// plane is shared by the tests of this package, each of which has a gateway of
// its own.
var plane *kit.ControlPlane

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(kit.RunWithControlPlane(m, kit.ControlPlaneOptions{}, &plane))
}

// Where the tenants' pods are.
const (
	victimPod    = "198.18.200.1"
	evilPod      = "198.18.200.2"
	neighbourPod = "198.18.200.3"
	authPod      = "198.18.200.4"
	balancer     = "198.18.200.7:8090"
)

// private is a port on loopback, where clients must not get to.
const private = "127.0.0.1:7777"

// soon is how long another tenant's Ingress may take; it takes one second where
// nothing is wrong, and the machine may be busy.
const soon = 20 * time.Second

// world is a gateway, three tenants and their pods.
type world struct {
	t *testing.T
	*shared
}

// shared is what all subtests have in common.
type shared struct {
	client  client.Client
	gateway *kit.Gateway
	options kit.GatewayOptions
	pods    map[string]*pod
	// certificates are made once for each host.
	certificates map[string]keyPair
	// added counts the Ingresses of the third tenant.
	added int
	// rounds counts what the balancer passed on.
	rounds atomic.Int64
}

// in has the helpers fail the right test.
func (w *world) in(t *testing.T) *world { return &world{t, w.shared} }

// newWorld starts all of it, with the victim in place.
func newWorld(t *testing.T, flags ...string) *world {
	t.Helper()
	kit.RequireNetns(t)
	config := rest.CopyConfig(plane.Config)
	config.QPS, config.Burst = 500, 1000
	c, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t, &shared{client: c, pods: map[string]*pod{}, certificates: map[string]keyPair{}}}
	for name, address := range map[string]string{
		"victim": victimPod + ":8080", "evil": evilPod + ":8080", "neighbour": neighbourPod + ":8080", "auth": authPod + ":8080", "private": private,
	} {
		w.pods[name] = startPod(t, name, netip.MustParseAddrPort(address))
	}
	// Names that lead to where nothing may be sent.
	kit.ServeNames(t, map[string]netip.Addr{
		"loopback.outside.test.": netip.MustParseAddr("127.0.0.1"), "metadata.outside.test.": netip.MustParseAddr("169.254.169.254"),
		"gateway.outside.test.": kit.NodeIP, "balancer.outside.test.": netip.MustParseAddrPort(balancer).Addr(),
	})
	startBalancer(t, &w.rounds)
	for _, name := range []string{"victim", "evil", "neighbour", "ingress-nginx"} {
		err := c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
		if client.IgnoreAlreadyExists(err) != nil {
			t.Fatal(err)
		}
	}
	w.apply("tenants.yaml")
	dir, err := os.MkdirTemp("", "sg") // sockets need a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w.options = kit.GatewayOptions{
		Dir: dir, Sidegate: kit.Binary(t, "sidegate"), Nginx: kit.Nginx(t), Kubeconfig: plane.Kubeconfig,
		Flags: append([]string{"--election-ttl=4s", "--configmap=ingress-nginx/settings"}, flags...),
	}
	w.start()
	t.Cleanup(func() {
		if err := w.gateway.Stop(); err != nil {
			t.Error(err)
		}
	})
	w.victimServed()
	return w
}

func (w *world) start() {
	w.t.Helper()
	var err error
	if w.gateway, err = kit.StartGateway(w.t.Context(), w.options); err != nil {
		w.t.Fatal(err)
	}
}

// startAnew ends the gateway and starts it with nothing on disk.
func (w *world) startAnew() {
	w.t.Helper()
	if err := w.gateway.Stop(); err != nil {
		w.t.Error(err)
	}
	for _, dir := range []string{"nginx", "secrets"} {
		if err := os.RemoveAll(filepath.Join(w.options.Dir, dir)); err != nil {
			w.t.Fatal(err)
		}
	}
	w.start()
}

// within waits until f returns nil.
func (w *world) within(patience time.Duration, what string, f func() error) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(30 * time.Millisecond) {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("not within %v: %s: %v", patience, what, err)
		}
	}
}

// background is for what goes on after a test.
func background() context.Context { return context.Background() }
