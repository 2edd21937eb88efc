package snapshot

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Source says what to read.
type Source struct {
	// Reader reads from caches, Live from the API server.
	Reader, Live client.Reader
	Classes      Classes
	Scope        Scope
	// References lists the Secrets that an Ingress refers to elsewhere than
	// in its tls section.
	References func(*networkingv1.Ingress) []types.NamespacedName

	// fetched are the Secrets whose contents the cache does not hold.
	mu      sync.Mutex
	fetched map[types.NamespacedName]*corev1.Secret
	// wanted are the Secrets that something referred to.
	wanted map[types.NamespacedName]bool
}

// Snapshot copies the state of the cluster.
func (s *Source) Snapshot(ctx context.Context) (*Snapshot, error) {
	out := &Snapshot{
		Time:           time.Now(),
		Services:       map[types.NamespacedName]*corev1.Service{},
		EndpointSlices: map[types.NamespacedName][]*discoveryv1.EndpointSlice{},
		Secrets:        map[types.NamespacedName]*corev1.Secret{},
	}
	if err := s.readIngresses(ctx, out); err != nil {
		return nil, err
	}
	if err := s.readBackends(ctx, out); err != nil {
		return nil, err
	}
	if s.Scope.ConfigMap.Name != "" {
		var cm corev1.ConfigMap
		switch err := s.Reader.Get(ctx, s.Scope.ConfigMap, &cm); {
		case err == nil:
			out.ConfigMap = &cm
		case !apierrors.IsNotFound(err):
			return nil, err
		}
	}
	return out, s.readSecrets(ctx, out)
}

func (s *Source) readIngresses(ctx context.Context, out *Snapshot) error {
	var classes networkingv1.IngressClassList
	if !s.Classes.Offline {
		if err := s.Reader.List(ctx, &classes); err != nil {
			return err
		}
	}
	byName := make(map[string]*networkingv1.IngressClass, len(classes.Items))
	for i := range classes.Items {
		byName[classes.Items[i].Name] = &classes.Items[i]
	}
	var list networkingv1.IngressList
	if err := s.Reader.List(ctx, &list); err != nil {
		return err
	}
	for i := range list.Items {
		if ing := &list.Items[i]; ing.DeletionTimestamp == nil && s.Classes.Ours(ing, byName) {
			out.Ingresses = append(out.Ingresses, ing)
		}
	}
	SortIngresses(out.Ingresses)
	return nil
}

func (s *Source) readBackends(ctx context.Context, out *Snapshot) error {
	var services corev1.ServiceList
	if err := s.Reader.List(ctx, &services); err != nil {
		return err
	}
	for i := range services.Items {
		out.Services[client.ObjectKeyFromObject(&services.Items[i])] = &services.Items[i]
	}
	var list discoveryv1.EndpointSliceList
	if err := s.Reader.List(ctx, &list); err != nil {
		return err
	}
	for i := range list.Items {
		out.AddSlice(&list.Items[i])
	}
	out.sortSlices()
	return nil
}

// Backend reads one Service and its EndpointSlices. The Service is nil where
// there is none.
func (s *Source) Backend(ctx context.Context, key types.NamespacedName) (*corev1.Service, []*discoveryv1.EndpointSlice, error) {
	var service corev1.Service
	if err := s.Reader.Get(ctx, key, &service); err != nil {
		return nil, nil, client.IgnoreNotFound(err)
	}
	var list discoveryv1.EndpointSliceList
	err := s.Reader.List(ctx, &list, client.InNamespace(key.Namespace), client.MatchingFields{ServiceIndex: key.Name})
	if err != nil {
		return nil, nil, err
	}
	out := make([]*discoveryv1.EndpointSlice, len(list.Items))
	for i := range list.Items {
		out[i] = &list.Items[i]
	}
	return &service, out, nil
}

// readSecrets reads the Secrets that something refers to. One that the cache
// holds without its contents is fetched once for each of its versions.
func (s *Source) readSecrets(ctx context.Context, out *Snapshot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.fetched
	s.fetched = map[types.NamespacedName]*corev1.Secret{}
	s.wanted = map[types.NamespacedName]bool{}
	read := func(key types.NamespacedName) error {
		if s.wanted[key] || key.Name == "" || !s.Scope.holds(key.Namespace) {
			return nil
		}
		s.wanted[key] = true
		var secret corev1.Secret
		if err := s.Reader.Get(ctx, key, &secret); err != nil {
			return client.IgnoreNotFound(err)
		}
		found := &secret
		if secret.Type != corev1.SecretTypeTLS {
			if found = old[key]; found == nil || found.ResourceVersion != secret.ResourceVersion {
				found = &corev1.Secret{}
				if err := s.Live.Get(ctx, key, found); err != nil {
					return client.IgnoreNotFound(err)
				}
			}
			s.fetched[key] = found
		}
		out.Secrets[key] = found
		return nil
	}
	for _, key := range s.Scope.Secrets {
		if err := read(key); err != nil {
			return err
		}
	}
	for _, ing := range out.Ingresses {
		for _, key := range secretsOf(ing, s.References) {
			if err := read(key); err != nil {
				return err
			}
		}
	}
	return nil
}

// secretsOf lists the Secrets that an Ingress refers to.
func secretsOf(ing *networkingv1.Ingress, references func(*networkingv1.Ingress) []types.NamespacedName) []types.NamespacedName {
	out := references(ing)
	for _, t := range ing.Spec.TLS {
		out = append(out, types.NamespacedName{Namespace: ing.Namespace, Name: t.SecretName})
	}
	return out
}

// ServiceIndex is the cache's index of EndpointSlices by their Service.
const ServiceIndex = "service"

// IndexService is the function of ServiceIndex.
func IndexService(object client.Object) []string {
	return []string{object.GetLabels()[discoveryv1.LabelServiceName]}
}

// Wants tells whether the last snapshot had, or missed, the Secret.
func (s *Source) Wants(key types.NamespacedName) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wanted[key]
}

// Ingresses lists those of our classes.
func (s *Source) Ingresses(ctx context.Context) ([]*networkingv1.Ingress, error) {
	var out Snapshot
	err := s.readIngresses(ctx, &out)
	return out.Ingresses, err
}
