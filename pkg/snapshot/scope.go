package snapshot

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	ctrlcache "sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Scope is what of the cluster is read.
type Scope struct {
	// Namespace is the one whose Ingresses are served; "" is all.
	Namespace string
	// ConfigMap holds the global settings; an empty name is none.
	ConfigMap types.NamespacedName
	// Services, Backends and Secrets are those that flags name. They may be in
	// another namespace than Namespace. Backends get requests, and so are in
	// every snapshot; Services are read by Source.Backend only.
	Services, Backends, Secrets []types.NamespacedName
}

// services are all Services that flags name.
func (s Scope) services() []types.NamespacedName { return slices.Concat(s.Services, s.Backends) }

// holds tells whether the cache has the objects of a namespace. To ask it for
// others is an error.
func holds(namespaces map[string]ctrlcache.Config, namespace string) bool {
	_, ok := namespaces[namespace]
	return ok || namespaces == nil
}

// namespaces are those to read; nil is all.
func (s Scope) namespaces(others []types.NamespacedName) map[string]ctrlcache.Config {
	if s.Namespace == "" {
		return nil
	}
	out := map[string]ctrlcache.Config{s.Namespace: {}}
	for _, o := range others {
		if o.Name != "" {
			out[o.Namespace] = ctrlcache.Config{}
		}
	}
	return out
}

// configMaps keeps all ConfigMaps but one out of the cache: every namespace
// has some.
func (s Scope) configMaps() ctrlcache.ByObject {
	return ctrlcache.ByObject{
		Namespaces: map[string]ctrlcache.Config{s.ConfigMap.Namespace: {}},
		Field:      fields.OneTermEqualSelector("metadata.name", s.ConfigMap.Name),
	}
}

// byObject says of which namespaces the cache holds what.
func (s Scope) byObject(object client.Object, b ctrlcache.ByObject) ctrlcache.ByObject {
	if _, secret := object.(*corev1.Secret); secret {
		b.Namespaces = s.namespaces(s.Secrets)
	} else {
		b.Namespaces = s.namespaces(s.services())
	}
	return b
}
