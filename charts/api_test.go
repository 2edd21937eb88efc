package charts_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sidegate/sidegate/e2e/kit"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// namespaces are those that the cases name.
var namespaces = []string{namespace, "team-a", "team-a-settings", "certificates"}

// newPlane starts an API server with the namespaces, which take only pods of the
// restricted Pod Security standard.
func newPlane(t *testing.T) *kit.ControlPlane {
	t.Helper()
	kit.RequireNetns(t)
	plane, err := kit.Start(kit.ControlPlaneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, name := range namespaces {
		create(t, plane, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			"pod-security.kubernetes.io/enforce": "restricted",
		}}})
	}
	return plane
}

func create(t *testing.T, plane *kit.ControlPlane, o client.Object, options ...client.CreateOption) {
	t.Helper()
	if err := plane.Client.Create(t.Context(), o, options...); err != nil {
		t.Fatal(err)
	}
}

func TestAPIServer(t *testing.T) {
	plane := newPlane(t)
	t.Run("takes", func(t *testing.T) { taken(t, plane) })
	t.Run("in place of ingress-nginx", func(t *testing.T) { inPlace(t, plane) })
	// In this order: what the second may do, its service account may do for good.
	for _, c := range []struct{ name, served string }{{"scope", "team-a"}, {"default", "certificates"}} {
		t.Run("permissions/"+c.name, func(t *testing.T) { permitted(t, plane, c.name, c.served) })
	}
}

// A real API server takes every object, as kubectl apply --server-side
// --dry-run=server sends it, and the pods keep to the restricted standard; those
// that need the node's network say so.
func taken(t *testing.T, plane *kit.ControlPlane) {
	create(t, plane, &nodev1.RuntimeClass{ObjectMeta: metav1.ObjectMeta{Name: "gvisor"}, Handler: "runsc"})
	for name, file := range cases(t) {
		t.Run(name, func(t *testing.T) {
			r, err := install(t, file)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range r.objects(t) {
				if group := o.GroupVersionKind().Group; group == "monitoring.coreos.com" || group == "keda.sh" {
					continue // the API server does not know them; TestSchemas looks at them
				}
				err := plane.Client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("test"), client.DryRunAll)
				if err != nil {
					t.Errorf("%s %s: %v", o.GetKind(), o.GetName(), err)
				}
				if o.GetKind() != "Deployment" && o.GetKind() != "DaemonSet" {
					continue
				}
				err = plane.Client.Create(t.Context(), pod(t, o), client.DryRunAll)
				if name == "host-network" {
					if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "hostNetwork") {
						t.Errorf("want the node's network to be refused in a restricted namespace, not %v", err)
					}
				} else if err != nil {
					t.Errorf("a pod of %s %s: %v", o.GetKind(), o.GetName(), err)
				}
			}
		})
	}
}

// pod is one as the controller of a workload makes it.
func pod(t *testing.T, workload *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	template, found, err := unstructured.NestedMap(workload.Object, "spec", "template")
	if err != nil || !found {
		t.Fatalf("%s has no template (%v)", workload.GetName(), err)
	}
	p := &unstructured.Unstructured{Object: template}
	p.SetAPIVersion("v1")
	p.SetKind("Pod")
	p.SetNamespace(workload.GetNamespace())
	p.SetName(workload.GetName())
	return p
}

// With the permissions of the chart, and as its service account, the controller
// serves, writes the status of Ingresses and makes Events; and it asks for
// nothing that it may not have.
func permitted(t *testing.T, plane *kit.ControlPlane, name, served string) {
	r, err := install(t, cases(t)[name])
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range r.objects(t) {
		if o.GetKind() == "Deployment" {
			continue
		}
		if err := plane.Client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("test")); err != nil {
			t.Fatal(err)
		}
	}
	entry := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "sidegate-controller"}}
	entry.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}}
	if err := plane.Client.Status().Update(t.Context(), withVersion(t, plane, entry)); err != nil {
		t.Fatal(err)
	}
	ing := ingress(served)
	create(t, plane, ing)

	dir, err := os.MkdirTemp("", "sg") // sockets need a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	gateway, err := kit.StartGateway(t.Context(), kit.GatewayOptions{
		Dir: dir, Sidegate: kit.Binary(t, "sidegate"), Nginx: kit.Nginx(t),
		// Here there is no image with a copy of nginx for tests.
		Kubeconfig: asServiceAccount(t, plane, dir), Flags: append(flags(t, r), "--nginx-binary="+kit.Nginx(t)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := gateway.Stop(); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the Ingress reports the address of the Service", func() bool {
		var got networkingv1.Ingress
		err := plane.Client.Get(t.Context(), client.ObjectKeyFromObject(ing), &got)
		return err == nil && len(got.Status.LoadBalancer.Ingress) == 1 && got.Status.LoadBalancer.Ingress[0].IP == "192.0.2.1"
	})
	eventually(t, "there is an Event of the Ingress", func() bool {
		var list eventsv1.EventList
		return plane.Client.List(t.Context(), &list, client.InNamespace(served)) == nil && len(list.Items) > 0
	})
	log, err := os.ReadFile(filepath.Join(dir, "sidegate.log"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "forbidden") {
			t.Errorf("the controller asked for what it may not have: %s", line)
		}
	}
}

// withVersion is the object's status with the version that the API server has.
func withVersion(t *testing.T, plane *kit.ControlPlane, s *corev1.Service) *corev1.Service {
	t.Helper()
	var current corev1.Service
	if err := plane.Client.Get(t.Context(), client.ObjectKeyFromObject(s), &current); err != nil {
		t.Fatal(err)
	}
	current.Status = s.Status
	return &current
}

// ingress has no Service, which is a finding.
func ingress(namespace string) *networkingv1.Ingress {
	kind := networkingv1.PathTypePrefix
	return &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "app"},
		Spec: networkingv1.IngressSpec{
			IngressClassName: ptr.To("nginx"),
			Rules: []networkingv1.IngressRule{{Host: "app.example.com", IngressRuleValue: networkingv1.IngressRuleValue{
				HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: &kind, Backend: networkingv1.IngressBackend{
					Service: &networkingv1.IngressServiceBackend{Name: "app", Port: networkingv1.ServiceBackendPort{Number: 80}},
				}}}},
			}}},
		},
	}
}

// flags are those of the controller container.
func flags(t *testing.T, r *release) []string {
	t.Helper()
	args, found, err := unstructured.NestedStringSlice(container(t, r, "controller"), "args")
	if err != nil || !found {
		t.Fatalf("the controller has no arguments (%v)", err)
	}
	return args
}

// asServiceAccount is a kubeconfig of an administrator who acts as the chart's
// service account: there is no kubelet here to give the pod a token.
func asServiceAccount(t *testing.T, plane *kit.ControlPlane, dir string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(plane.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range config.AuthInfos {
		user.Impersonate = "system:serviceaccount:" + namespace + ":sidegate"
	}
	file := filepath.Join(dir, "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !f(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in time: " + what)
		}
	}
}
