package snapshot

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/tools/cache"
	ctrlcache "sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// CacheOptions make controller-runtime's cache hold what is needed and no
// more. Of Secrets it must only be asked for SecretMetadata: whoever asks it
// for a Secret has it fetch and keep all of them.
func CacheOptions(scope Scope) ctrlcache.Options {
	o := ctrlcache.Options{
		DefaultTransform: strip(func(any) {}),
		// What is read is never changed: see Snapshot.
		DefaultUnsafeDisableDeepCopy: new(true),
		ByObject: map[client.Object]ctrlcache.ByObject{
			&corev1.Service{}:            {Transform: strip(stripService)},
			&discoveryv1.EndpointSlice{}: {Transform: strip(stripSlice)},
			&networkingv1.Ingress{}:      {Transform: strip(func(any) {})},
			&corev1.Secret{}: {
				Field:     fields.ParseSelectorOrDie(heavySecrets),
				Transform: strip(stripMetadata),
			},
		},
	}
	for object, b := range o.ByObject {
		if _, ingress := object.(*networkingv1.Ingress); !ingress {
			o.ByObject[object] = scope.byObject(object, b)
		}
	}
	if scope.ConfigMap.Name != "" {
		o.ByObject[&corev1.ConfigMap{}] = scope.configMaps()
	}
	o.DefaultNamespaces = scope.namespaces(nil)
	return o
}

// heavySecrets leaves out the types that are many or large and never ours.
const heavySecrets = "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token," +
	"type!=kubernetes.io/dockerconfigjson,type!=kubernetes.io/dockercfg,type!=bootstrap.kubernetes.io/token"

// strip removes what nobody reads before an object is kept.
func strip(more func(any)) cache.TransformFunc {
	return func(object any) (any, error) {
		if m, err := meta.Accessor(object); err == nil {
			m.SetManagedFields(nil)
			if a := m.GetAnnotations(); a != nil {
				delete(a, corev1.LastAppliedConfigAnnotation)
			}
		}
		more(object)
		return object, nil
	}
}

func stripService(object any) {
	if s, ok := object.(*corev1.Service); ok {
		s.Labels, s.Annotations, s.OwnerReferences = nil, nil, nil
		s.Spec.Selector, s.Spec.SessionAffinityConfig = nil, nil
	}
}

func stripSlice(object any) {
	s, ok := object.(*discoveryv1.EndpointSlice)
	if !ok {
		return
	}
	s.Labels = map[string]string{discoveryv1.LabelServiceName: s.Labels[discoveryv1.LabelServiceName]}
	s.Annotations, s.OwnerReferences = nil, nil
	for i := range s.Endpoints {
		e := &s.Endpoints[i]
		e.TargetRef, e.NodeName, e.Zone, e.Hints, e.Hostname, e.DeprecatedTopology = nil, nil, nil, nil, nil, nil
	}
}

// stripMetadata is for Secrets, of which nothing but metadata is asked for.
func stripMetadata(object any) {
	if m, ok := object.(*metav1.PartialObjectMetadata); ok {
		m.Labels, m.Annotations, m.OwnerReferences = nil, nil, nil
	}
}
