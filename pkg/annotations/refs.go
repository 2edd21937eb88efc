package annotations

import (
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
)

// SecretRefs lists the Secrets that annotations of the Ingress name, whether
// or not the reference will be accepted.
func SecretRefs(prefixes []string, ing *networkingv1.Ingress) []types.NamespacedName {
	var out []types.NamespacedName
	for _, prefix := range prefixes {
		if v, ok := ing.Annotations[prefix+"/auth-secret"]; ok {
			if ref, err := secretRef(v); err == nil {
				out = append(out, Resolve(ing.Namespace, ref))
			}
		}
	}
	return out
}

// Resolve completes NAME or NAMESPACE/NAME.
func Resolve(namespace, ref string) types.NamespacedName {
	if ns, name, ok := strings.Cut(ref, "/"); ok {
		return types.NamespacedName{Namespace: ns, Name: name}
	}
	return types.NamespacedName{Namespace: namespace, Name: ref}
}
