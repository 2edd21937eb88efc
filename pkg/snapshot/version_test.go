package snapshot

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A version of an Ingress is what its spec and annotations say, and its age.
func TestVersion(t *testing.T) {
	base := newIngress("a", "app", "cert")
	base.UID, base.ResourceVersion = "u", "1"
	base.Annotations = map[string]string{"x": "1", corev1.LastAppliedConfigAnnotation: "{}"}
	tests := map[string]struct {
		change func(*networkingv1.Ingress)
		same   bool
	}{
		"nothing": {func(*networkingv1.Ingress) {}, true},
		"status": {func(i *networkingv1.Ingress) {
			i.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}
		}, true},
		"labels":                      {func(i *networkingv1.Ingress) { i.Labels = map[string]string{"a": "b"} }, true},
		"finalizers":                  {func(i *networkingv1.Ingress) { i.Finalizers = []string{"a/b"} }, true},
		"kubectl's annotation":        {func(i *networkingv1.Ingress) { i.Annotations[corev1.LastAppliedConfigAnnotation] = "{...}" }, true},
		"without it":                  {func(i *networkingv1.Ingress) { delete(i.Annotations, corev1.LastAppliedConfigAnnotation) }, true},
		"no UID":                      {func(i *networkingv1.Ingress) { i.UID = "" }, true},
		"annotation":                  {func(i *networkingv1.Ingress) { i.Annotations["x"] = "2" }, false},
		"new annotation":              {func(i *networkingv1.Ingress) { i.Annotations["y"] = "" }, false},
		"spec":                        {func(i *networkingv1.Ingress) { i.Spec.Rules[0].Host = "b.example.com" }, false},
		"age, which gives precedence": {func(i *networkingv1.Ingress) { i.CreationTimestamp = metav1.Unix(1, 0) }, false},
	}
	want := Version(base)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			other := base.DeepCopy()
			other.ResourceVersion = "of " + name
			tt.change(other)
			for range 2 { // computed, and remembered
				if got := Version(other); (got == want) != tt.same {
					t.Errorf("the version is %s, and was %s", got, want)
				}
			}
		})
	}
	cm := &corev1.ConfigMap{Data: map[string]string{"a": "b"}}
	before := Version(cm)
	if cm.ResourceVersion, cm.Labels = "2", map[string]string{"a": "b"}; Version(cm) != before {
		t.Error("a ConfigMap with the same data is another version")
	}
	if cm.Data["a"] = "c"; Version(cm) == before {
		t.Error("a ConfigMap with other data is the same version")
	}
	if a, b := newService("a"), newService("b"); Version(a) == Version(b) {
		t.Error("two Services from files are one version")
	}
}
