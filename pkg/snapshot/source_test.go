package snapshot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	fakecache "k8s.io/client-go/tools/cache/testing"
	"k8s.io/utils/ptr"
	ctrlcache "sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// cluster is an API server as informers see it: the caches are the real ones.
// It is also the API server that is asked for a Secret.
type cluster struct {
	client.Reader // of the caches
	t             testing.TB
	lists         map[string]*fakecache.FakeControllerSource // by the type of the objects

	mu      sync.Mutex
	secrets map[types.NamespacedName]*corev1.Secret
	// refuse says why a Secret cannot be read.
	refuse map[types.NamespacedName]error
	reads  int
}

func newCluster(t testing.TB) *cluster {
	c := &cluster{
		t: t, lists: map[string]*fakecache.FakeControllerSource{},
		secrets: map[types.NamespacedName]*corev1.Secret{}, refuse: map[types.NamespacedName]error{},
	}
	mapper := meta.NewDefaultRESTMapper(nil)
	for _, o := range []struct {
		gvk   schema.GroupVersionKind
		scope meta.RESTScope
	}{
		{corev1.SchemeGroupVersion.WithKind("Service"), meta.RESTScopeNamespace},
		{corev1.SchemeGroupVersion.WithKind("Secret"), meta.RESTScopeNamespace},
		{corev1.SchemeGroupVersion.WithKind("ConfigMap"), meta.RESTScopeNamespace},
		{discoveryv1.SchemeGroupVersion.WithKind("EndpointSlice"), meta.RESTScopeNamespace},
		{networkingv1.SchemeGroupVersion.WithKind("Ingress"), meta.RESTScopeNamespace},
		{networkingv1.SchemeGroupVersion.WithKind("IngressClass"), meta.RESTScopeRoot},
	} {
		mapper.Add(o.gvk, o.scope)
	}
	o := CacheOptions(Scope{})
	o.Scheme, o.Mapper, o.HTTPClient = scheme.Scheme, mapper, http.DefaultClient
	o.NewInformer = func(_ cache.ListerWatcher, object runtime.Object, resync time.Duration, indexers cache.Indexers) cache.SharedIndexInformer {
		return cache.NewSharedIndexInformer(c.list(object), object, resync, indexers)
	}
	caches, err := ctrlcache.New(&rest.Config{}, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := caches.IndexField(t.Context(), &discoveryv1.EndpointSlice{}, ServiceIndex, IndexService); err != nil {
		t.Fatal(err)
	}
	go func() { _ = caches.Start(t.Context()) }() // it ends with the test
	if !caches.WaitForCacheSync(t.Context()) {
		t.Fatal("the caches do not start")
	}
	c.Reader = caches
	return c
}

// list holds the objects of a type.
func (c *cluster) list(o runtime.Object) *fakecache.FakeControllerSource {
	c.mu.Lock()
	defer c.mu.Unlock()
	kind := fmt.Sprintf("%T", o)
	if c.lists[kind] == nil {
		c.lists[kind] = fakecache.NewFakeControllerSource()
	}
	return c.lists[kind]
}

// put creates or replaces objects. The caches know of them soon.
func (c *cluster) put(objects ...client.Object) {
	c.t.Helper()
	for _, o := range objects {
		if o.GetUID() == "" {
			o.SetUID(types.UID(fmt.Sprintf("%T/%s/%s", o, o.GetNamespace(), o.GetName())))
		}
		secret, ok := o.(*corev1.Secret)
		if !ok {
			c.list(o).Modify(o) // which gives it a resourceVersion
			continue
		}
		m := SecretMetadata()
		m.ObjectMeta = secret.ObjectMeta
		c.list(m).Modify(m)
		stored := secret.DeepCopy()
		stored.ResourceVersion = m.ResourceVersion
		c.mu.Lock()
		c.secrets[client.ObjectKeyFromObject(secret)] = stored
		c.mu.Unlock()
	}
}

// read is the API server's answer for a Secret.
func (c *cluster) read(key client.ObjectKey, out *corev1.Secret) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	if err := c.refuse[key]; err != nil {
		return err
	}
	s, ok := c.secrets[key]
	if !ok {
		return apierrors.NewNotFound(corev1.Resource("secrets"), key.Name)
	}
	s.DeepCopyInto(out)
	return nil
}

// live reads Secrets past the caches.
type live struct {
	client.Reader
	*cluster
}

func (l live) Get(_ context.Context, key client.ObjectKey, out client.Object, _ ...client.GetOption) error {
	secret, ok := out.(*corev1.Secret)
	if !ok {
		return fmt.Errorf("nothing but Secrets is read past the caches, not a %T", out)
	}
	return l.read(key, secret)
}

func (l live) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return errors.New("nothing is listed past the caches")
}

func (c *cluster) source() *Source {
	return &Source{Reader: c.Reader, Live: live{cluster: c}, Classes: Classes{Class: "nginx", Offline: true}}
}

func key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "default", Name: name}
}

func object(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "default", Name: name}
}

func newIngress(name, service, secret string) *networkingv1.Ingress {
	ing := &networkingv1.Ingress{ObjectMeta: object(name), Spec: networkingv1.IngressSpec{
		IngressClassName: ptr.To("nginx"),
		Rules: []networkingv1.IngressRule{{Host: name + ".example.com", IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
			Paths: []networkingv1.HTTPIngressPath{{Path: "/", Backend: networkingv1.IngressBackend{
				Service: &networkingv1.IngressServiceBackend{Name: service, Port: networkingv1.ServiceBackendPort{Number: 80}},
			}}},
		}}}},
	}}
	if secret != "" {
		ing.Spec.TLS = []networkingv1.IngressTLS{{SecretName: secret}}
	}
	return ing
}

func newSecret(name, content string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: object(name), Type: corev1.SecretTypeTLS, Data: map[string][]byte{"tls.key": []byte(content)}}
}

func newService(name string) *corev1.Service { return &corev1.Service{ObjectMeta: object(name)} }

func newSlice(name, service string) *discoveryv1.EndpointSlice {
	o := object(name)
	o.Labels = map[string]string{discoveryv1.LabelServiceName: service}
	return &discoveryv1.EndpointSlice{ObjectMeta: o, AddressType: discoveryv1.AddressTypeIPv4}
}

// eventually takes snapshots until one is as it should be: caches are filled
// soon and not at once.
func eventually(t testing.TB, s *Source, what string, good func(*Snapshot) bool) *Snapshot {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		out, err := s.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if good(out) {
			return out
		}
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s: %+v", what, out)
		}
	}
}

// A snapshot holds what an Ingress or a flag names, and nothing else of the
// cluster; what is named and missing is waited for.
func TestSnapshotHoldsWhatIsNamed(t *testing.T) {
	c := newCluster(t)
	c.put(newService("app"), newService("other"), newService("fallback"), newService("annotated"),
		newSlice("app-1", "app"), newSlice("other-1", "other"),
		newSecret("cert", "1"), newSecret("other", "2"), newSecret("users", "3"), newIngress("a", "app", "cert"))
	b := newIngress("b", "missing", "missing")
	b.Spec.DefaultBackend = &networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "default"}}
	c.put(b)
	foreign := newIngress("foreign", "other", "other")
	foreign.Spec.IngressClassName = ptr.To("another")
	gone := newIngress("gone", "other", "other")
	gone.DeletionTimestamp = ptr.To(metav1.Now())
	c.put(foreign, gone)

	s := c.source()
	s.Scope.Backends = []types.NamespacedName{key("fallback"), {}}
	s.References = func(ing *networkingv1.Ingress) References {
		if ing.Name != "a" {
			return References{}
		}
		return References{Secrets: []types.NamespacedName{key("users")}, Services: []types.NamespacedName{key("annotated")}}
	}
	out := eventually(t, s, "everything that is named", func(out *Snapshot) bool {
		return len(out.Ingresses) == 2 && len(out.Services) == 3 && len(out.EndpointSlices) == 1 && len(out.Secrets) == 2
	})
	for _, name := range []string{"app", "fallback", "annotated"} {
		if out.Services[key(name)] == nil {
			t.Errorf("the Service %s is missing", name)
		}
	}
	if len(out.EndpointSlices[key("app")]) != 1 {
		t.Error("the endpoints of app are missing")
	}
	for _, name := range []string{"app", "missing", "default", "fallback", "annotated"} {
		if !s.WantsService(key(name)) {
			t.Errorf("a change of the Service %s would make no run", name)
		}
	}
	if s.WantsService(key("other")) || s.Wants(key("other")) {
		t.Error("a change of what nobody names would make a run")
	}
	if !s.Wants(key("missing")) || !s.Wants(key("cert")) || !s.Wants(key("users")) {
		t.Error("a change of a Secret that is named would make no run")
	}
}

// What has not changed is handed on by the same pointer; a changed object gets
// another one, and what somebody kept stays as it was.
func TestUnchangedObjectsKeepTheirPlace(t *testing.T) {
	c := newCluster(t)
	a, b := newIngress("a", "app", "cert"), newIngress("b", "app", "")
	c.put(a, b, newService("app"), newSlice("app-1", "app"), newSecret("cert", "1"))
	s := c.source()
	all := func(out *Snapshot) bool {
		return len(out.Ingresses) == 2 && len(out.Services) == 1 && len(out.EndpointSlices) == 1 && len(out.Secrets) == 1
	}
	first := eventually(t, s, "everything", all)
	reads := c.reads
	second := eventually(t, s, "everything", all)
	if first.Ingresses[0] != second.Ingresses[0] || first.Ingresses[1] != second.Ingresses[1] ||
		first.Services[key("app")] != second.Services[key("app")] ||
		first.EndpointSlices[key("app")][0] != second.EndpointSlices[key("app")][0] ||
		first.Secrets[key("cert")] != second.Secrets[key("cert")] {
		t.Error("an unchanged object was copied")
	}
	if c.reads != reads {
		t.Error("an unchanged Secret was read again")
	}
	changed := a.DeepCopy()
	changed.Spec.Rules[0].Host = "changed.example.com"
	c.put(changed)
	third := eventually(t, s, "the change", func(out *Snapshot) bool { return out.Ingresses[0].Spec.Rules[0].Host == "changed.example.com" })
	if third.Ingresses[0] == first.Ingresses[0] || first.Ingresses[0].Spec.Rules[0].Host != "a.example.com" {
		t.Error("a version that was kept has changed")
	}
	if third.Ingresses[1] != first.Ingresses[1] {
		t.Error("the other Ingress was copied")
	}
}

// What a held version names is read as well, and its rotations arrive.
func TestHeldVersionsKeepWhatTheyName(t *testing.T) {
	c := newCluster(t)
	s := c.source()
	good := newIngress("a", "old", "old")
	s.Held = func() []*networkingv1.Ingress { return []*networkingv1.Ingress{good} }
	c.put(newIngress("a", "new", "new"), newService("old"), newService("new"), newSecret("old", "1"), newSecret("new", "2"))
	eventually(t, s, "what both versions name", func(out *Snapshot) bool { return len(out.Services) == 2 && len(out.Secrets) == 2 })
	if !s.Wants(key("old")) || !s.WantsService(key("old")) {
		t.Error("changes of what the held version names make no run")
	}
	c.put(newSecret("old", "rotated"))
	eventually(t, s, "the rotation", func(out *Snapshot) bool { return string(out.Secrets[key("old")].Data["tls.key"]) == "rotated" })
}
