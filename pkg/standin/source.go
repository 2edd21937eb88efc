package standin

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sidegate/sidegate/pkg/snapshot"
)

// Source hands on the snapshots of another one, in which Services without
// EndpointSlices have pods. It must be closed.
type Source struct {
	// From is where the snapshots come from.
	From interface {
		Snapshot(context.Context) (*snapshot.Snapshot, error)
	}
	Log logr.Logger
	// DefaultBackend is the Service whose pods answer 404 and a page, as
	// ingress-nginx asks it of a default backend; an empty name is none.
	DefaultBackend types.NamespacedName
	// Reserved are ports that something listens on at all addresses, or will:
	// nginx. What a Service has there is answered on another number.
	Reserved []int32

	mu     sync.Mutex
	groups map[types.NamespacedName]*group
}

// Snapshot starts and stops pods so that they are those of the snapshot. What
// cannot be listened on is logged, and that Service has fewer endpoints.
func (s *Source) Snapshot(ctx context.Context) (*snapshot.Snapshot, error) {
	from, err := s.From.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups == nil {
		s.groups = map[types.NamespacedName]*group{}
	}
	out := *from
	out.EndpointSlices = maps.Clone(from.EndpointSlices)
	if out.EndpointSlices == nil {
		out.EndpointSlices = map[types.NamespacedName][]*discoveryv1.EndpointSlice{}
	}
	for _, key := range slices.SortedFunc(maps.Keys(from.Services), compare) {
		service := from.Services[key]
		if service.Spec.Type == corev1.ServiceTypeExternalName || len(from.EndpointSlices[key]) > 0 {
			s.stop(key)
			continue
		}
		if slice := s.run(key, portsOf(service)).slice(); slice != nil {
			out.EndpointSlices[key] = []*discoveryv1.EndpointSlice{slice}
		}
	}
	for key := range s.groups {
		if from.Services[key] == nil {
			s.stop(key)
		}
	}
	return &out, nil
}

// run returns the pods of a Service with these ports.
func (s *Source) run(key types.NamespacedName, ports []port) *group {
	old := s.groups[key]
	if old != nil && slices.Equal(old.ports, ports) {
		return old
	}
	// The old ones answer until nginx has the new ones: see leave.
	g := s.start(key, ports)
	s.stop(key)
	s.groups[key] = g
	return g
}

func (s *Source) stop(key types.NamespacedName) {
	if g := s.groups[key]; g != nil {
		g.end()
		delete(s.groups, key)
	}
}

// Close ends all pods. It does not wait for requests that are under way.
func (s *Source) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.groups {
		g.close()
	}
	s.groups = nil
}

func compare(a, b types.NamespacedName) int {
	return slices.Compare([]string{a.Namespace, a.Name}, []string{b.Namespace, b.Name})
}
