package charts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sidegate/sidegate/e2e/kit"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A release of ingress-nginx is upgraded to this chart and rolled back, as
// docs/install.md says: the Service, with the balancer's address, stays the same
// object, and so does the Deployment, whose pods are replaced.
func inPlace(t *testing.T, plane *kit.ControlPlane) {
	helm := func(args ...string) {
		t.Helper()
		cmd := exec.Command(tool(t, "bin/helm"), append(args, "--namespace", namespace)...)
		cmd.Env = append(os.Environ(), "KUBECONFIG="+plane.Kubeconfig, "HELM_CACHE_HOME="+filepath.Join(t.TempDir(), "cache"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("helm %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	// As helm 3 did, with which most releases were installed.
	helm("install", "ingress-nginx", "testdata/ingress-nginx", "--server-side=false")
	before := look(t, plane)
	if before.webhooks != 1 || !cmp.Equal(before.containers, []string{"controller"}) {
		t.Fatalf("before: %+v", before)
	}

	helm("upgrade", "ingress-nginx", chart, "--set", "nameOverride=ingress-nginx", "--values", "testdata/cases/ingress-nginx-defaults.yaml")
	after := look(t, plane)
	if after.service != before.service || after.deployment != before.deployment || after.address != before.address || !cmp.Equal(after.ports, before.ports) {
		t.Errorf("not the same objects: %+v, and before %+v", after, before)
	}
	if !cmp.Equal(after.containers, []string{"controller (init)", "nginx"}) || after.webhooks != 0 ||
		!cmp.Equal(after.volumes, []string{"config", "run", "secrets", "private", "token"}) {
		t.Errorf("after: %+v", after)
	}

	helm("rollback", "ingress-nginx")
	if back := look(t, plane); !cmp.Equal(back.containers, before.containers) || back.service != before.service || back.webhooks != 1 {
		t.Errorf("rolled back: %+v, and before %+v", back, before)
	}
	helm("uninstall", "ingress-nginx")
}

// seen is what of a release must stay, and what must not.
type seen struct {
	service, deployment types.UID
	address             string
	ports               []int32
	containers, volumes []string
	webhooks            int
}

func look(t *testing.T, plane *kit.ControlPlane) (out seen) {
	t.Helper()
	key := types.NamespacedName{Namespace: namespace, Name: "ingress-nginx-controller"}
	var s corev1.Service
	var d appsv1.Deployment
	var w admissionv1.ValidatingWebhookConfigurationList
	if err := plane.Client.Get(t.Context(), key, &s); err != nil {
		t.Fatal(err)
	}
	if err := plane.Client.Get(t.Context(), key, &d); err != nil {
		t.Fatal(err)
	}
	if err := plane.Client.List(t.Context(), &w); err != nil {
		t.Fatal(err)
	}
	out = seen{service: s.UID, deployment: d.UID, address: s.Spec.ClusterIP, webhooks: len(w.Items)}
	for _, p := range s.Spec.Ports {
		out.ports = append(out.ports, p.NodePort)
	}
	for _, c := range d.Spec.Template.Spec.InitContainers {
		out.containers = append(out.containers, c.Name+" (init)")
	}
	for _, c := range d.Spec.Template.Spec.Containers {
		out.containers = append(out.containers, c.Name)
	}
	for _, v := range d.Spec.Template.Spec.Volumes {
		out.volumes = append(out.volumes, v.Name)
	}
	return out
}
