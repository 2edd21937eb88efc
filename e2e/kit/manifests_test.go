package kit_test

import (
	"io/fs"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"

	manifests "github.com/sidegate/sidegate/examples/walkthrough"

	"github.com/sidegate/sidegate/e2e/kit"
)

// The API server takes every manifest of the walkthrough, twice, and what a
// cloud would do for its Services is done.
func TestWalkthroughManifestsApply(t *testing.T) {
	ctx := t.Context()
	if err := kit.ServeBalancers(ctx, plane.Config, kit.OneAddress, newLog(t)); err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(manifests.Files, "*.yaml")
	if err != nil || len(names) < 10 {
		t.Fatalf("manifests %v: %v", names, err)
	}
	for range 2 {
		if err := kit.Apply(ctx, plane.Client, manifests.Files, "default", names...); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the publishing Service has an address", func() error {
		var service corev1.Service
		key := types.NamespacedName{Namespace: "ingress-nginx", Name: "ingress-nginx-controller"}
		if err := plane.Client.Get(ctx, key, &service); err != nil {
			return err
		}
		if len(service.Status.LoadBalancer.Ingress) == 0 {
			return errNotYet
		}
		return nil
	})
	if err := kit.Delete(ctx, plane.Client, manifests.Files, "default", names...); err != nil {
		t.Fatal(err)
	}
	var ingresses networkingv1.IngressList
	if err := plane.Client.List(ctx, &ingresses); err != nil {
		t.Fatal(err)
	}
	if n := len(ingresses.Items); n != 0 {
		t.Errorf("%d Ingresses are left after Delete", n)
	}
}
