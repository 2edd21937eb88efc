package translate

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/snapshot"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A Secret that cannot be read is told to those who name it, with the reason;
// it guards by closing.
func TestUnreadableSecret(t *testing.T) {
	ing := &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a", Annotations: map[string]string{
			"nginx.ingress.kubernetes.io/auth-type": "basic", "nginx.ingress.kubernetes.io/auth-secret": "s",
		}},
		Spec: networkingv1.IngressSpec{
			TLS: []networkingv1.IngressTLS{{Hosts: []string{"a.example.com"}, SecretName: "s"}},
			Rules: []networkingv1.IngressRule{{Host: "a.example.com", IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: "/", Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "x"}}}},
			}}}},
		},
	}
	out := New(Options{AnnotationPrefixes: []string{annotations.DefaultPrefix}}).Translate(Input{Snapshot: &snapshot.Snapshot{
		Time: time.Now(), Ingresses: []*networkingv1.Ingress{ing},
		Unreadable: map[types.NamespacedName]error{{Namespace: "default", Name: "s"}: errors.New("not yours")},
	}})
	for _, reason := range []string{model.ReasonCertificateMissing, model.ReasonLocationClosed} {
		told := false
		for _, f := range out.Findings {
			told = told || f.Reason == reason && f.Object.Name == "a" && strings.Contains(f.Message, "cannot be read (not yours)")
		}
		if !told {
			t.Errorf("no finding %s says why: %v", reason, out.Findings)
		}
	}
}

// A write of the status does not have annotations parsed again; one of an
// annotation does.
func TestStatusKeepsWhatWasParsed(t *testing.T) {
	var m memo
	parsed := 0
	read := func(version, annotation string) {
		m.begin()
		defer m.end()
		ing := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: "a", UID: "u", ResourceVersion: version, Annotations: map[string]string{"a": annotation},
		}}
		recall(m.annotations, m.oldAnnotations, ing, func() parsedAnnotations { parsed++; return parsedAnnotations{} })
	}
	read("1", "x")
	read("2", "x")
	if parsed != 1 {
		t.Errorf("parsed %d times with the same annotations", parsed)
	}
	if read("3", "y"); parsed != 2 {
		t.Errorf("parsed %d times after a change", parsed)
	}
}
