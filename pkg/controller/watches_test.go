package controller

import (
	"testing"

	"github.com/sidegate/sidegate/pkg/snapshot"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What is written to an Ingress by us, or says nothing that is read, makes no
// run; nor does an Ingress of somebody else.
func TestIngressEvents(t *testing.T) {
	w := watches{source: &snapshot.Source{Classes: snapshot.Classes{Class: "nginx", Offline: true}}}
	ing := func(change func(*networkingv1.Ingress)) client.Object {
		out := &networkingv1.Ingress{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a", UID: "u", Annotations: map[string]string{"x": "1"}},
			Spec:       networkingv1.IngressSpec{IngressClassName: ptr.To("nginx")},
		}
		if change != nil {
			change(out)
		}
		return out
	}
	foreign := func(i *networkingv1.Ingress) { i.Spec.IngressClassName = ptr.To("other") }
	ending := func(i *networkingv1.Ingress) { i.DeletionTimestamp = ptr.To(metav1.Now()) }
	tests := map[string]struct {
		old, now client.Object
		want     bool
	}{
		"created":    {nil, ing(nil), true},
		"deleted":    {ing(nil), nil, true},
		"annotation": {ing(nil), ing(func(i *networkingv1.Ingress) { i.Annotations["x"] = "2" }), true},
		"spec":       {ing(nil), ing(func(i *networkingv1.Ingress) { i.Spec.TLS = []networkingv1.IngressTLS{{SecretName: "s"}} }), true},
		"status": {ing(nil), ing(func(i *networkingv1.Ingress) {
			i.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.1"}}
		}), false},
		"labels":                      {ing(nil), ing(func(i *networkingv1.Ingress) { i.Labels = map[string]string{"a": "b"} }), false},
		"finalizers":                  {ing(nil), ing(func(i *networkingv1.Ingress) { i.Finalizers = []string{"a/b"} }), false},
		"begins to end":               {ing(nil), ing(ending), true},
		"ends on":                     {ing(ending), ing(ending), false},
		"has ended":                   {ing(ending), nil, false},
		"another one of its name":     {ing(nil), ing(func(i *networkingv1.Ingress) { i.UID = "v" }), true},
		"created, foreign":            {nil, ing(foreign), false},
		"deleted, foreign":            {ing(foreign), nil, false},
		"changed, foreign":            {ing(foreign), ing(func(i *networkingv1.Ingress) { foreign(i); i.Annotations["x"] = "2" }), false},
		"from another class to ours":  {ing(foreign), ing(nil), true},
		"from our class to another":   {ing(nil), ing(foreign), true},
		"from another to our, ending": {ing(foreign), ing(ending), false},
	}
	for name, tt := range tests {
		if got := w.ingress(t.Context(), tt.old, tt.now); got != tt.want {
			t.Errorf("%s: makes a run: %v", name, got)
		}
	}
}

func TestClassEvents(t *testing.T) {
	w := watches{source: &snapshot.Source{Classes: snapshot.Classes{Controller: "ours"}}}
	class := func(controller, isDefault string) client.Object {
		return &networkingv1.IngressClass{
			ObjectMeta: metav1.ObjectMeta{Name: "c", Annotations: map[string]string{networkingv1.AnnotationIsDefaultIngressClass: isDefault}},
			Spec:       networkingv1.IngressClassSpec{Controller: controller},
		}
	}
	tests := map[string]struct {
		old, now client.Object
		want     bool
	}{
		"ours comes":         {nil, class("ours", ""), true},
		"ours goes":          {class("ours", ""), nil, true},
		"becomes default":    {class("ours", ""), class("ours", "true"), true},
		"is the same":        {class("ours", ""), class("ours", ""), false},
		"is given to us":     {class("theirs", ""), class("ours", ""), true},
		"is taken from us":   {class("ours", ""), class("theirs", ""), true},
		"theirs comes":       {nil, class("theirs", ""), false},
		"theirs is default":  {class("theirs", ""), class("theirs", "true"), false},
		"theirs goes":        {class("theirs", ""), nil, false},
		"theirs is not ours": {class("theirs", ""), class("another's", ""), false},
	}
	for name, tt := range tests {
		if got := w.class(t.Context(), tt.old, tt.now); got != tt.want {
			t.Errorf("%s: makes a run: %v", name, got)
		}
	}
}

// Services that nobody names make no run, but the writer of the status hears
// of them: the publishing Service need not be named by an Ingress.
func TestServiceEvents(t *testing.T) {
	published := 0
	w := watches{source: &snapshot.Source{}, publishing: func(client.Object) { published++ }}
	old := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a"}}
	now := old.DeepCopy()
	now.Spec.Ports = []corev1.ServicePort{{Port: 80}}
	if w.service(t.Context(), old, now) || w.service(t.Context(), nil, now) || w.service(t.Context(), now, nil) {
		t.Error("a Service that nobody names makes a run")
	}
	if published != 3 {
		t.Errorf("the writer of the status hears of %d of 3 changes", published)
	}
}
