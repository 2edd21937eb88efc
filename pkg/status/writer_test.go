package status

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// edge is an API in memory, whose publishing Service and refusals a test sets.
type edge struct {
	client.Client
	mu      sync.Mutex
	service *corev1.Service
	err     error
	// refused are the Ingresses whose status is refused, written how often each
	// was tried.
	refused map[string]bool
	tried   map[string]int
}

func newEdge(names ...string) *edge {
	e := &edge{refused: map[string]bool{}, tried: map[string]int{}}
	b := fake.NewClientBuilder().WithStatusSubresource(&networkingv1.Ingress{})
	for _, n := range names {
		b = b.WithObjects(&networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: n}})
	}
	e.Client = b.WithInterceptorFuncs(interceptor.Funcs{
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			e.mu.Lock()
			e.tried[o.GetName()]++
			refused := e.refused[o.GetName()]
			e.mu.Unlock()
			if refused {
				return errors.New("refused")
			}
			return c.SubResource(sub).Patch(ctx, o, p, opts...)
		},
	}).Build()
	return e
}

func (e *edge) Ingresses(ctx context.Context) (out []*networkingv1.Ingress, err error) {
	var list networkingv1.IngressList
	err = e.List(ctx, &list)
	for i := range list.Items {
		out = append(out, &list.Items[i])
	}
	return out, err
}

func (e *edge) Backend(context.Context, types.NamespacedName) (*corev1.Service, []*discoveryv1.EndpointSlice, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.service, nil, e.err
}

func (e *edge) set(s *corev1.Service, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.service, e.err = s, err
}

func (e *edge) refuse(name string, is bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refused[name] = is
}

func (e *edge) shows(t *testing.T, name string) string {
	t.Helper()
	var ing networkingv1.Ingress
	if err := e.Get(t.Context(), types.NamespacedName{Namespace: "default", Name: name}, &ing); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(ing.Status.LoadBalancer.Ingress)
}

func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !check(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within a minute: " + what)
		}
	}
}

func balancer(ip string) *corev1.Service {
	s := &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}}
	if ip != "" {
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: ip}}
	}
	return s
}

// What is not known queues nothing.
func TestUnknownAddressesQueueNothing(t *testing.T) {
	e := newEdge("a")
	w := New(Config{Service: types.NamespacedName{Name: "entry"}}, testr.New(t), e, e)
	e.set(balancer("192.0.2.1"), nil)
	if got, ok := w.addresses(t.Context()); !ok || len(got) != 1 {
		t.Errorf("%v, %t", got, ok)
	}
	for name, unknown := range map[string]func(){
		"a Service that is gone":  func() { e.set(nil, nil) },
		"one that cannot be read": func() { e.set(nil, errors.New("refused")) },
		"one without an address":  func() { e.set(balancer(""), nil) },
		"a headless one": func() {
			e.set(&corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, ClusterIP: "None"}}, nil)
		},
	} {
		unknown()
		if got, ok := w.addresses(t.Context()); ok || fmt.Sprint(got) != fmt.Sprint(OfService(balancer("192.0.2.1"))) {
			t.Errorf("%s: %v, %t", name, got, ok)
		}
	}
}

func TestEachStatusByItself(t *testing.T) {
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("i%02d", i))
	}
	e := newEdge(names...)
	e.refuse("i00", true)
	w := New(Config{Addresses: []string{"192.0.2.1"}}, testr.New(t), e, e)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	want := fmt.Sprint(Fixed([]string{"192.0.2.1"}))
	for _, n := range names[1:] {
		eventually(t, "the status of "+n, func() bool { return e.shows(t, n) == want })
	}
	// However often it is compared, one that fails waits for its turn.
	for range 200 {
		w.Changed()
		time.Sleep(time.Millisecond)
	}
	e.mu.Lock()
	if tried := e.tried["i00"]; tried > 20 {
		t.Errorf("one that is refused was tried %d times", tried)
	}
	e.mu.Unlock()
	e.refuse("i00", false)
	eventually(t, "the status that was refused", func() bool { return e.shows(t, "i00") == want })
	cancel()
	<-done

	e.refuse("i01", true)
	over, stop := context.WithCancel(t.Context())
	stop()
	w.Remove(over)
	if got := e.shows(t, "i02"); got != want {
		t.Errorf("past its time it writes %s", got)
	}
	w.Remove(t.Context())
	for _, n := range names {
		if got := e.shows(t, n); (got == want) != (n == "i01") {
			t.Errorf("the status of %s is %s in the end", n, got)
		}
	}
}
