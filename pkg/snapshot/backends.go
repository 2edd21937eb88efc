package snapshot

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// readBackends reads the Services and their EndpointSlices by name: a cluster
// has many that no Ingress leads to.
func (s *Source) readBackends(ctx context.Context, out, last *Snapshot, wanted map[types.NamespacedName]bool) error {
	backends := s.Scope.namespaces(s.Scope.services())
	var service corev1.Service // one for all: each is copied only when it has changed
	for key := range wanted {
		if !holds(backends, key.Namespace) {
			continue
		}
		switch err := s.Reader.Get(ctx, key, &service); {
		case apierrors.IsNotFound(err):
			continue
		case err != nil:
			return err
		}
		old, ok := last.Services[key]
		if !ok || !same(old, &service) {
			old = new(service)
		}
		out.Services[key] = old
		found, err := s.slices(ctx, key, last.EndpointSlices[key])
		if err != nil {
			return err
		}
		if len(found) > 0 {
			out.EndpointSlices[key] = found
		}
	}
	out.sortSlices()
	return nil
}

// slices lists the EndpointSlices of a Service. Those that are unchanged in
// last are taken from there.
func (s *Source) slices(ctx context.Context, key types.NamespacedName, last []*discoveryv1.EndpointSlice) ([]*discoveryv1.EndpointSlice, error) {
	var list discoveryv1.EndpointSliceList
	err := s.Reader.List(ctx, &list, client.InNamespace(key.Namespace), client.MatchingFields{ServiceIndex: key.Name})
	if err != nil {
		return nil, err
	}
	out := make([]*discoveryv1.EndpointSlice, len(list.Items))
	for i := range list.Items {
		for _, old := range last {
			if same(old, &list.Items[i]) {
				out[i] = old
			}
		}
		if out[i] == nil {
			out[i] = new(list.Items[i])
		}
	}
	return out, nil
}

// Backend reads one Service and its EndpointSlices. The Service is nil where
// there is none.
func (s *Source) Backend(ctx context.Context, key types.NamespacedName) (*corev1.Service, []*discoveryv1.EndpointSlice, error) {
	var service corev1.Service
	if err := s.Reader.Get(ctx, key, &service); err != nil {
		return nil, nil, client.IgnoreNotFound(err)
	}
	found, err := s.slices(ctx, key, nil)
	if err != nil {
		return nil, nil, err
	}
	return &service, found, nil
}

// ServiceIndex is the cache's index of EndpointSlices by their Service.
const ServiceIndex = "service"

// IndexService is the function of ServiceIndex.
func IndexService(object client.Object) []string {
	return []string{object.GetLabels()[discoveryv1.LabelServiceName]}
}
