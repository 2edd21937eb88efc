package translate_test

import (
	"fmt"
	"testing"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/utils/ptr"
)

// TestCookiesCannotMultiplyEndpoints: each cookie of a Service is an upstream with
// all of its endpoints, which everybody's nginx holds and looks up.
func TestCookiesCannotMultiplyEndpoints(t *testing.T) {
	s := fuzzSnapshot("foo.bar.com", "/", "")
	paths := func(from, to int) (out []networkingv1.HTTPIngressPath) {
		for i := from; i < to; i++ {
			out = append(out, networkingv1.HTTPIngressPath{
				Path: fmt.Sprintf("/p%03d", i), PathType: ptr.To(networkingv1.PathTypePrefix),
				Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "echo", Port: networkingv1.ServiceBackendPort{Number: 80}}},
			})
		}
		return out
	}
	hostile := s.Ingresses[0]
	hostile.Annotations = map[string]string{annotations.DefaultPrefix + "/affinity": "cookie"}
	hostile.Spec.Rules[0].HTTP.Paths = paths(0, 200)
	// As many Ingresses with a name each for the cookie.
	for i := range 200 {
		named := hostile.DeepCopy()
		named.Name = fmt.Sprintf("named%03d", i)
		named.Annotations[annotations.DefaultPrefix+"/session-cookie-name"] = named.Name
		named.Spec.Rules[0].HTTP.Paths = paths(200+i, 201+i)
		s.Ingresses = append(s.Ingresses, named)
	}
	out, _ := renderAll(t, s)
	if n := len(out.Config.Upstreams); n > 65 {
		t.Errorf("there are %d upstreams of one Service port", n)
	}
	if len(findings(out, model.ReasonApproximated)) == 0 {
		t.Error("nothing is said of it")
	}
	for _, l := range server(t, out.Config, "foo.bar.com").Locations {
		if l.Claim.Object.Name != "" && l.Pass() == nil {
			t.Errorf("%s is not served", l.Claim.Path)
		}
	}
}
