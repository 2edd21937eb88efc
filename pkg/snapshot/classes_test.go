package snapshot

import (
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestOurs(t *testing.T) {
	class := func(name, controller string, isDefault bool) *networkingv1.IngressClass {
		c := &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: networkingv1.IngressClassSpec{Controller: controller}}
		if isDefault {
			c.Annotations = map[string]string{networkingv1.AnnotationIsDefaultIngressClass: "true"}
		}
		return c
	}
	const ours, theirs = "k8s.io/ingress-nginx", "example.com/other"
	tests := []struct {
		name       string
		classes    Classes
		className  *string
		annotation string
		cluster    []*networkingv1.IngressClass
		want       bool
	}{
		{name: "class of our controller", className: ptr.To("a"), cluster: []*networkingv1.IngressClass{class("a", ours, false)}, want: true},
		{name: "class of another controller", className: ptr.To("a"), cluster: []*networkingv1.IngressClass{class("a", theirs, false)}},
		{name: "another controller's class of our name", className: ptr.To("nginx"), cluster: []*networkingv1.IngressClass{class("nginx", theirs, false)}},
		{name: "the same by name", classes: Classes{ByName: true}, className: ptr.To("nginx"), cluster: []*networkingv1.IngressClass{class("nginx", theirs, false)}, want: true},
		{name: "class that does not exist", className: ptr.To("nginx")},
		{name: "the same without a cluster", classes: Classes{Offline: true}, className: ptr.To("nginx"), want: true},
		{name: "annotation", annotation: "nginx", want: true},
		{name: "annotation of another class", annotation: "other"},
		{name: "class wins over annotation", className: ptr.To("a"), annotation: "nginx", cluster: []*networkingv1.IngressClass{class("a", theirs, false)}},
		{name: "no class"},
		{name: "no class, wanted", classes: Classes{WithoutClass: true}, want: true},
		{name: "no class, ours is the default", cluster: []*networkingv1.IngressClass{class("a", ours, true)}, want: true},
		{name: "no class, another is the default", cluster: []*networkingv1.IngressClass{class("a", theirs, true)}},
		{name: "another class, default does not matter", annotation: "other", cluster: []*networkingv1.IngressClass{class("a", ours, true)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.classes.Controller, tt.classes.Class = ours, "nginx"
			ing := &networkingv1.Ingress{Spec: networkingv1.IngressSpec{IngressClassName: tt.className}}
			if tt.annotation != "" {
				ing.Annotations = map[string]string{classAnnotation: tt.annotation}
			}
			byName := map[string]*networkingv1.IngressClass{}
			for _, c := range tt.cluster {
				byName[c.Name] = c
			}
			if got := tt.classes.Ours(ing, byName); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
