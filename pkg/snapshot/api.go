package snapshot

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Source says what to read.
type Source struct {
	// Reader reads from the caches of CacheOptions, Live from the API server.
	Reader, Live client.Reader
	Classes      Classes
	Scope        Scope
	// References lists what the annotations of an Ingress name.
	References func(*networkingv1.Ingress) References
	// Held lists versions of Ingresses that are, or may come to be, served in
	// the place of newer ones. What they name is read as well; nil means none.
	Held func() []*networkingv1.Ingress
	// Again is asked for another snapshot after a time; it must not block.
	// nil means that nobody is asked.
	Again func(after time.Duration, why string)
	Log   logr.Logger

	// reading lets one Snapshot be under way.
	reading sync.Mutex
	// last is the one before. What has not changed since is handed on by the
	// same pointer, so that an unchanged object costs no memory, and a pointer
	// that somebody keeps holds one object and not a whole list.
	last    *Snapshot
	secrets secretReader

	// mu guards named, which handlers of events ask.
	mu    sync.Mutex
	named names
}

// References are the objects that an Ingress names, each once or more often.
type References struct {
	Secrets, Services []types.NamespacedName
}

// names are the objects that a snapshot looked for, whether or not they are
// there.
type names struct {
	secrets, services map[types.NamespacedName]bool
}

// Snapshot copies the state of the cluster.
func (s *Source) Snapshot(ctx context.Context) (*Snapshot, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	last := s.last
	if last == nil {
		last = &Snapshot{}
	}
	out := &Snapshot{
		Time:           time.Now(),
		Services:       map[types.NamespacedName]*corev1.Service{},
		EndpointSlices: map[types.NamespacedName][]*discoveryv1.EndpointSlice{},
		Secrets:        map[types.NamespacedName]*corev1.Secret{},
	}
	var err error
	if out.Ingresses, err = s.readIngresses(ctx, last.Ingresses); err != nil {
		return nil, err
	}
	wanted := s.names(out.Ingresses)
	// An event that comes from now on is about something that is read below, or
	// will be read by the run that the event makes. One that came before is in
	// the cache already.
	before := s.name(wanted)
	if err := s.read(ctx, out, last, wanted); err != nil {
		s.name(before.and(wanted)) // the live state is that of before
		return nil, err
	}
	s.last = out
	return out, nil
}

func (s *Source) read(ctx context.Context, out, last *Snapshot, wanted names) error {
	if err := s.readBackends(ctx, out, last, wanted.services); err != nil {
		return err
	}
	if s.Scope.ConfigMap.Name != "" {
		var cm corev1.ConfigMap
		switch err := s.Reader.Get(ctx, s.Scope.ConfigMap, &cm); {
		case err == nil:
			out.ConfigMap = &cm
		case !apierrors.IsNotFound(err):
			return err
		}
	}
	return s.readSecrets(ctx, out, wanted.secrets)
}

// Ingresses lists those of our classes.
func (s *Source) Ingresses(ctx context.Context) ([]*networkingv1.Ingress, error) {
	return s.readIngresses(ctx, nil)
}

// readIngresses lists those of our classes. One that is unchanged in last,
// which is sorted, is taken from there.
func (s *Source) readIngresses(ctx context.Context, last []*networkingv1.Ingress) ([]*networkingv1.Ingress, error) {
	classes, err := s.classes(ctx)
	if err != nil {
		return nil, err
	}
	var list networkingv1.IngressList
	if err := s.Reader.List(ctx, &list); err != nil {
		return nil, err
	}
	known := make(map[types.UID]*networkingv1.Ingress, len(last))
	for _, ing := range last {
		known[ing.UID] = ing
	}
	out := make([]*networkingv1.Ingress, 0, len(last))
	for i := range list.Items {
		ing := &list.Items[i]
		if ing.DeletionTimestamp != nil || !s.Classes.Ours(ing, classes) {
			continue
		}
		old, ok := known[ing.UID]
		if !ok || !same(old, ing) {
			old = new(*ing) // a pointer into the list would keep all of it
		}
		out = append(out, old)
	}
	SortIngresses(out)
	return out, nil
}

// classes lists the IngressClasses by name.
func (s *Source) classes(ctx context.Context) (map[string]*networkingv1.IngressClass, error) {
	var list networkingv1.IngressClassList
	if !s.Classes.Offline {
		if err := s.Reader.List(ctx, &list); err != nil {
			return nil, err
		}
	}
	out := make(map[string]*networkingv1.IngressClass, len(list.Items))
	for i := range list.Items {
		out[list.Items[i].Name] = &list.Items[i]
	}
	return out, nil
}

// Ours tells whether an Ingress is ours. Where the classes cannot be read, it
// may be.
func (s *Source) Ours(ctx context.Context, ing *networkingv1.Ingress) bool {
	classes, err := s.classes(ctx)
	return err != nil || s.Classes.Ours(ing, classes)
}

// same tells whether two objects of one name are one version of one object.
func same(a, b client.Object) bool {
	return a.GetResourceVersion() == b.GetResourceVersion() && a.GetResourceVersion() != "" && a.GetUID() == b.GetUID()
}

// names lists what the Ingresses, those that are held, and flags name.
func (s *Source) names(ingresses []*networkingv1.Ingress) names {
	out := names{secrets: map[types.NamespacedName]bool{}, services: map[types.NamespacedName]bool{}}
	for _, key := range s.Scope.Secrets {
		out.secrets[key] = true
	}
	for _, key := range s.Scope.Backends {
		out.services[key] = true
	}
	lists := [][]*networkingv1.Ingress{ingresses}
	if s.Held != nil {
		lists = append(lists, s.Held())
	}
	for _, list := range lists {
		for _, ing := range list {
			out.add(ing, s.References)
		}
	}
	for _, m := range []map[types.NamespacedName]bool{out.secrets, out.services} {
		delete(m, types.NamespacedName{})
	}
	return out
}

func (n names) add(ing *networkingv1.Ingress, references func(*networkingv1.Ingress) References) {
	if references != nil {
		refs := references(ing)
		for _, key := range refs.Secrets {
			n.secrets[key] = true
		}
		for _, key := range refs.Services {
			n.services[key] = true
		}
	}
	for _, t := range ing.Spec.TLS {
		if t.SecretName != "" {
			n.secrets[types.NamespacedName{Namespace: ing.Namespace, Name: t.SecretName}] = true
		}
	}
	service := func(b *networkingv1.IngressBackend) {
		if b != nil && b.Service != nil {
			n.services[types.NamespacedName{Namespace: ing.Namespace, Name: b.Service.Name}] = true
		}
	}
	service(ing.Spec.DefaultBackend)
	for _, rule := range ing.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for i := range rule.HTTP.Paths {
			service(&rule.HTTP.Paths[i].Backend)
		}
	}
}

// and returns the names that are in either.
func (n names) and(other names) names {
	out := names{secrets: map[types.NamespacedName]bool{}, services: map[types.NamespacedName]bool{}}
	for _, from := range []names{n, other} {
		for key := range from.secrets {
			out.secrets[key] = true
		}
		for key := range from.services {
			out.services[key] = true
		}
	}
	return out
}

// name makes these the names that matter, and returns those of before.
func (s *Source) name(n names) (before names) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, s.named = s.named, n
	return before
}

// Wants tells whether the last snapshot had, or missed, the Secret.
func (s *Source) Wants(key types.NamespacedName) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.named.secrets[key]
}

// WantsService tells whether the last snapshot had, or missed, the Service.
func (s *Source) WantsService(key types.NamespacedName) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.named.services[key]
}
