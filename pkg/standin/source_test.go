package standin

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/sidegate/sidegate/pkg/echo"
	"github.com/sidegate/sidegate/pkg/snapshot"
)

// manifests are a source with some Services.
type manifests struct{ snapshot *snapshot.Snapshot }

func (m manifests) Snapshot(context.Context) (*snapshot.Snapshot, error) { return m.snapshot, nil }

type failing struct{}

func (failing) Snapshot(context.Context) (*snapshot.Snapshot, error) {
	return nil, errors.New("no manifests")
}

// world is a source and what it logs.
type world struct {
	*testing.T
	*snapshot.Snapshot
	source Source
	log    strings.Builder
}

func start(t *testing.T, services map[string]corev1.ServiceSpec) *world {
	t.Helper()
	w := &world{T: t, Snapshot: &snapshot.Snapshot{}}
	w.Services = map[types.NamespacedName]*corev1.Service{}
	for name, spec := range services {
		w.Services[key(t, name)] = &corev1.Service{Spec: spec}
	}
	w.source = Source{From: manifests{w.Snapshot}, Log: funcr.New(func(_, text string) { w.log.WriteString(text + "\n") }, funcr.Options{})}
	t.Cleanup(w.source.Close)
	return w
}

// key names a Service so that no other run of the tests has its addresses.
func key(t *testing.T, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: strings.ToLower(t.Name()) + strconv.Itoa(portOf(t)), Name: name}
}

var unique = map[string]int{}

func portOf(t *testing.T) int {
	if unique[t.Name()] == 0 {
		unique[t.Name()] = freePort(t)
	}
	return unique[t.Name()]
}

// freePort is a port that is free at all addresses.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// slice is what the snapshot has for a Service; nil where it has nothing.
func (w *world) slice(name string) *discoveryv1.EndpointSlice {
	w.Helper()
	s, err := w.source.Snapshot(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	switch list := s.EndpointSlices[key(w.T, name)]; len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	default:
		w.Fatalf("%s has %d slices", name, len(list))
		return nil
	}
}

// answers asks all pods of a Service at one of its ports.
func (w *world) answers(slice *discoveryv1.EndpointSlice, port int) (pods []string) {
	w.Helper()
	for _, e := range slice.Endpoints {
		address := net.JoinHostPort(e.Addresses[0], strconv.Itoa(int(*slice.Ports[port].Port)))
		response, err := http.Get("http://" + address + "/some/where")
		if err != nil {
			w.Fatal(err)
		}
		defer response.Body.Close()
		var seen echo.Response
		if err := json.NewDecoder(response.Body).Decode(&seen); err != nil {
			w.Fatal(err)
		}
		if seen.Path != "/some/where" || net.JoinHostPort(seen.IP, strconv.Itoa(seen.Port)) != address {
			w.Errorf("%s answers %+v", address, seen)
		}
		pods = append(pods, seen.Namespace+"/"+seen.Pod)
	}
	return pods
}

func tcp(name string, number int32, target intstr.IntOrString) corev1.ServicePort {
	return corev1.ServicePort{Name: name, Port: number, TargetPort: target}
}

func ports(list ...corev1.ServicePort) corev1.ServiceSpec { return corev1.ServiceSpec{Ports: list} }

func TestServiceWithoutSliceIsAnswered(t *testing.T) {
	port := intstr.FromInt(portOf(t))
	headless := ports(tcp("http", 80, port))
	headless.ClusterIP = corev1.ClusterIPNone
	w := start(t, map[string]corev1.ServiceSpec{"app": ports(tcp("http", 80, port)), "headless": headless})
	for _, name := range []string{"app", "headless"} {
		slice := w.slice(name)
		if slice == nil || len(slice.Ports) != 1 || int(*slice.Ports[0].Port) != port.IntValue() || *slice.Ports[0].Name != "http" {
			t.Fatalf("%s has the slice %+v", name, slice)
		}
		pods := w.answers(slice, 0)
		namespace := key(t, name).Namespace + "/" + name
		if want := namespace + "-1 " + namespace + "-2 " + namespace + "-3"; strings.Join(pods, " ") != want {
			t.Errorf("the pods are %v, want %s", pods, want)
		}
		for _, e := range slice.Endpoints {
			if a := netip.MustParseAddr(e.Addresses[0]); !a.IsLoopback() || a == netip.MustParseAddr("127.0.0.1") {
				t.Errorf("a pod has the address %s", a)
			}
		}
		// A sticky session is bound to the address.
		if again := w.slice(name); again.Endpoints[0].Addresses[0] != slice.Endpoints[0].Addresses[0] {
			t.Errorf("the address changes from %v to %v", slice.Endpoints[0].Addresses, again.Endpoints[0].Addresses)
		}
	}
	if len(w.EndpointSlices) != 0 {
		t.Error("the snapshot of the source was changed")
	}
}

func TestOthersAreLeftAlone(t *testing.T) {
	port := intstr.FromInt(portOf(t))
	external := ports(tcp("", 80, port))
	external.Type, external.ExternalName = corev1.ServiceTypeExternalName, "example.com"
	udp := tcp("", 80, port)
	udp.Protocol = corev1.ProtocolUDP
	w := start(t, map[string]corev1.ServiceSpec{
		"external": external, "udp": ports(udp), "portless": {}, "own": ports(tcp("", 80, port)),
	})
	own := &discoveryv1.EndpointSlice{} // without endpoints, as that may be what is to be tried
	w.EndpointSlices = map[types.NamespacedName][]*discoveryv1.EndpointSlice{key(t, "own"): {own}}
	for _, name := range []string{"external", "udp", "portless"} {
		if slice := w.slice(name); slice != nil {
			t.Errorf("%s got %+v", name, slice)
		}
	}
	if w.slice("own") != own {
		t.Error("the slice of the manifests was replaced")
	}
	w.source.From = failing{}
	if _, err := w.source.Snapshot(t.Context()); err == nil {
		t.Error("an error of the manifests is lost")
	}
}

// What cannot be listened on is answered on another number, or logged, and
// nobody else is affected.
func TestPortsThatCannotBeHad(t *testing.T) {
	everywhere, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer everywhere.Close()
	taken := everywhere.Addr().(*net.TCPAddr).Port
	reserved := freePort(t)
	w := start(t, map[string]corev1.ServiceSpec{
		"taken":    ports(tcp("a", 80, intstr.FromInt(taken)), tcp("b", 81, intstr.FromInt(portOf(t)))),
		"reserved": ports(tcp("", 80, intstr.FromInt(reserved))),
		"invalid":  ports(tcp("", 80, intstr.FromInt(70000))),
	})
	w.source.Reserved = []int32{int32(reserved)}
	for name, wanted := range map[string]int{"taken": taken, "reserved": reserved} {
		slice := w.slice(name)
		if slice == nil || int(*slice.Ports[0].Port) == wanted {
			t.Fatalf("%s has the slice %+v", name, slice)
		}
		if pods := w.answers(slice, 0); len(pods) != replicas {
			t.Errorf("%s is answered by %v", name, pods)
		}
	}
	if slice := w.slice("taken"); int(*slice.Ports[1].Port) != portOf(t) {
		t.Errorf("the other port of the Service has become %d", *slice.Ports[1].Port)
	}
	if slice := w.slice("invalid"); slice != nil {
		t.Errorf("a port that there is not got %+v", slice)
	}
	if n := strings.Count(w.log.String(), "answered on another number"); n != 2 {
		t.Errorf("%d of 2 other numbers were logged:\n%s", n, w.log.String())
	}

	// Neither the number nor those that stand in for it are to be had.
	w.source.Reserved = []int32{int32(reserved), int32(reserved) + elsewhere, int32(reserved) - elsewhere}
	w.Services[key(t, "hopeless")] = &corev1.Service{Spec: ports(tcp("", 80, intstr.FromInt(reserved)))}
	if slice := w.slice("hopeless"); slice != nil {
		t.Errorf("what is reserved got %+v", slice)
	}
	if !strings.Contains(w.log.String(), key(t, "hopeless").String()) || !strings.Contains(w.log.String(), "cannot be listened on") {
		t.Errorf("the log is\n%s", w.log.String())
	}
	if w.slice("taken") == nil {
		t.Error("another Service is affected")
	}
}

// A second `sidegate serve` of the same manifests has other addresses.
func TestTwoAtOnce(t *testing.T) {
	services := map[string]corev1.ServiceSpec{"app": ports(tcp("", 80, intstr.FromInt(portOf(t))))}
	a, b := start(t, services), start(t, services)
	first, second := a.slice("app"), b.slice("app")
	if *first.Ports[0].Port != *second.Ports[0].Port || first.Endpoints[0].Addresses[0] == second.Endpoints[0].Addresses[0] {
		t.Errorf("they are %v and %v", first.Endpoints, second.Endpoints)
	}
	b.answers(second, 0)
}

func TestServicesComeAndGo(t *testing.T) {
	w := start(t, map[string]corev1.ServiceSpec{"app": ports(tcp("", 80, intstr.FromInt(portOf(t))))})
	first := w.slice("app")
	other := freePort(t)
	w.Services[key(t, "app")] = &corev1.Service{Spec: ports(tcp("", 80, intstr.FromInt(other)))}
	second := w.slice("app")
	if int(*second.Ports[0].Port) != other {
		t.Errorf("the slice is %+v", second)
	}
	w.answers(second, 0)
	w.answers(first, 0) // nginx goes on asking there until it is reloaded
	delete(w.Services, key(t, "app"))
	if slice := w.slice("app"); slice != nil {
		t.Errorf("a Service that is gone has %+v", slice)
	}
	if len(w.source.groups) != 0 {
		t.Errorf("%d groups are left", len(w.source.groups))
	}
}

func TestDefaultBackend(t *testing.T) {
	w := start(t, map[string]corev1.ServiceSpec{"app": ports(tcp("", 80, intstr.FromInt(portOf(t))))})
	w.source.DefaultBackend = key(t, "app")
	slice := w.slice("app")
	response, err := http.Get("http://" + net.JoinHostPort(slice.Endpoints[0].Addresses[0], strconv.Itoa(int(*slice.Ports[0].Port))) + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("the default backend answers %s", response.Status)
	}
}

func TestPortsOf(t *testing.T) {
	http, admin := intstr.FromString("http"), intstr.FromString("admin")
	none := intstr.IntOrString{}
	for _, c := range []struct {
		what  string
		ports []corev1.ServicePort
		want  []port
	}{
		{"a number", []corev1.ServicePort{tcp("", 80, intstr.FromInt32(3000))}, []port{{"", 3000}}},
		{"no target", []corev1.ServicePort{tcp("", 80, none)}, []port{{"", 80}}},
		{"a name", []corev1.ServicePort{tcp("web", 80, http)}, []port{{"web", 8080}}},
		{"one name twice, and another", []corev1.ServicePort{tcp("a", 80, http), tcp("b", 81, http), tcp("c", 82, admin)}, []port{{"a", 8080}, {"b", 8080}, {"c", 8081}}},
		{"a name beside its number", []corev1.ServicePort{tcp("a", 80, http), tcp("b", 81, intstr.FromInt32(8080))}, []port{{"a", 8081}, {"b", 8080}}},
		{"no number at all", []corev1.ServicePort{tcp("a", 0, none), tcp("b", 1, intstr.FromInt32(-5)), tcp("c", 65536, none)}, nil},
	} {
		got := portsOf(&corev1.Service{Spec: ports(c.ports...)})
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.what, got, c.want)
			}
		}
	}
}
