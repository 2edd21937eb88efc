package annotations

import (
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Refs are the objects that annotations name.
type Refs struct {
	Secrets, Services []types.NamespacedName
}

// References lists what annotations of the Ingress name, whether or not the
// reference will be accepted. What it does not list is not read, and its
// changes make no run.
func References(prefixes []string, ing *networkingv1.Ingress) (out Refs) {
	for _, prefix := range prefixes {
		if v, ok := ing.Annotations[prefix+"/auth-secret"]; ok {
			if ref, err := secretRef(v); err == nil {
				out.Secrets = append(out.Secrets, Resolve(ing.Namespace, ref))
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
