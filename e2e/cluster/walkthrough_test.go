package cluster_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/e2e/walkthrough"
	manifests "github.com/sidegate/sidegate/examples/walkthrough"
)

// TestWalkthrough plays the story of `make demo-cluster` on real pods, through the node
// port of the Service. The release has the names of one of ingress-nginx.
func TestWalkthrough(t *testing.T) {
	w := enter(t)
	r := w.prepare("ingress-nginx", "nginx", "nameOverride=ingress-nginx")
	env := walkthrough.Env{Client: w.client, Manifests: manifests.Files}
	r.helm("install", r.name, chart, "--wait", "--timeout", patience.String())
	env.HTTP, env.HTTPS = r.entry("node1", "http"), r.entry("node2", "https")
	env.Install = func(_ context.Context, settings walkthrough.Settings) (string, error) {
		if settings.DefaultBackend == "" {
			return "helm install", nil // done above: it gives the node ports
		}
		value := "controller.extraArgs.default-backend-service=" + settings.DefaultBackend
		r.upgrade(value)
		return "helm upgrade --set " + value, nil
	}
	env.Health = func(context.Context) (string, error) {
		pod := r.pod()
		return health(&pod), nil
	}
	env.Debug = func(ctx context.Context, page string) ([]byte, error) {
		pod := r.pod()
		return w.debug(ctx, &pod, page)
	}
	t.Cleanup(func() {
		for _, file := range []string{"02-default-backend", "03-routing", "04-tls", "05-rewrite", "06-sticky", "07-legacy-prefix", "09-services", "11-refused", "12-new-ingress"} {
			if err := kit.Delete(context.Background(), w.client, manifests.Files, "default", file+".yaml"); err != nil {
				t.Error(err)
			}
		}
		secret := &corev1.Secret{}
		secret.Namespace, secret.Name = "default", "bar-com"
		if err := w.client.Delete(context.Background(), secret); err != nil {
			t.Error(err)
		}
		w.empty("default")
	})
	told := &reporter{T: t}
	if err := walkthrough.Play(t.Context(), &env, told); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d checks", told.checks)
}

// reporter fails the test by each check that fails.
type reporter struct {
	*testing.T
	checks int
}

func (r *reporter) Step(number int, title string) { r.Logf("step %d: %s", number, title) }
func (r *reporter) Did(what string)               { r.Log(what) }
func (r *reporter) Left(what string)              { r.Errorf("left out on a cluster: %s", what) }

func (r *reporter) Check(c walkthrough.Check) {
	r.Helper()
	r.checks++
	if !c.OK {
		r.Errorf("sent %s\ngot  %s\nwant %s", c.Sent, c.Got, c.Want)
	}
}
