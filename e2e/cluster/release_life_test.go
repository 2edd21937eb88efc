package cluster_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestTwoClasses runs two releases beside each other: each serves the Ingresses
// of its own class, and reports its own address on them.
func TestTwoClasses(t *testing.T) {
	w := enter(t)
	first, second := w.install("first", "first"), w.install("second", "second")
	a, b := w.deploy("of-first", first.class, 1), w.deploy("of-second", second.class, 1)
	for _, c := range []struct {
		r           *release
		own, others *app
	}{{first, a, b}, {second, b, a}} {
		entry := c.r.entry("node1", "http")
		w.until("an answer", answers(entry, c.own.host))
		status, body, err := get(t.Context(), entry, c.others.host, "/")
		if err != nil || status != http.StatusNotFound || !strings.Contains(body, "default backend - 404") {
			t.Errorf("the release of the class %s answers %d %q (%v) for an Ingress of the other", c.r.class, status, body, err)
		}
		w.until("the address of "+c.own.name, c.own.hasAddress(c.r.service().Status.LoadBalancer.Ingress[0].IP))
	}
}

// hasAddress looks whether the Ingress shows an address, or none when that is empty.
func (a *app) hasAddress(want string) func(context.Context) error {
	return func(ctx context.Context) error {
		var ingress networkingv1.Ingress
		if err := a.client.Get(ctx, types.NamespacedName{Namespace: a.name, Name: "echo"}, &ingress); err != nil {
			return err
		}
		got := join(ingress.Status.LoadBalancer.Ingress, func(i networkingv1.IngressLoadBalancerIngress) string { return i.IP })
		if got != want {
			return fmt.Errorf("the Ingress shows %q, want %q", got, want)
		}
		return nil
	}
}

// TestRelease installs, upgrades, rolls back and uninstalls. What the controller
// itself wrote, it removes when its last pod ends, for which it must still be
// permitted to: helm takes the permissions away first, so docs/install.md says
// to scale down before.
func TestRelease(t *testing.T) {
	w := enter(t)
	r := w.install("life", "life")
	a := w.deploy("lives", r.class, 1)
	entry := r.entry("node1", "http")
	w.until("an answer", answers(entry, a.host))
	w.until("an address", a.hasAddress(r.service().Status.LoadBalancer.Ingress[0].IP))

	setting := func(want string) {
		t.Helper()
		w.until("the setting "+want, func(ctx context.Context) error {
			resp, err := w.clientset.CoreV1().ConfigMaps(r.name).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=controller"})
			if err != nil {
				return err
			}
			if got := resp.Items[0].Data["keep-alive"]; got != want {
				return fmt.Errorf("keep-alive is %q", got)
			}
			return nil
		})
		w.until("an answer", answers(entry, a.host))
	}
	r.upgrade("controller.config.keep-alive=33", "controller.podAnnotations.upgrade=once")
	setting("33")
	r.helm("rollback", r.name, "1", "--wait", "--timeout", patience.String())
	setting("")

	d := r.deployment()
	w.must(w.client.Patch(t.Context(), d, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"replicas":0}}`))))
	took := w.until("the address is gone", a.hasAddress(""))
	t.Logf("the last pod took its address from the Ingress after %.1f s", took.Seconds())
	r.helm("uninstall", r.name, "--wait", "--timeout", patience.String())
	w.until("nothing is left", func(ctx context.Context) error { return r.leftovers(ctx) })
}

// leftovers says what is still there of a release that was removed: in its
// namespace, and with its name beside namespaces.
func (r *release) leftovers(ctx context.Context) error {
	resources, err := r.clientset.Discovery().ServerPreferredResources()
	if err != nil {
		return err
	}
	var left []string
	for _, list := range resources {
		for _, resource := range list.APIResources {
			if !strings.Contains(strings.Join(resource.Verbs, " "), "list") {
				continue
			}
			objects, err := r.objects(ctx, list.GroupVersion, resource)
			if err != nil {
				return fmt.Errorf("%s: %w", resource.Name, err)
			}
			for _, o := range objects {
				if !kubernetesOwn(resource.Kind, o.GetName()) && (resource.Namespaced || strings.HasPrefix(o.GetName(), r.name)) {
					left = append(left, resource.Kind+" "+o.GetName())
				}
			}
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("there are %s", strings.Join(left, ", "))
	}
	return nil
}

// kubernetesOwn says whether every namespace has such an object, or whether it
// is about what was.
func kubernetesOwn(kind, name string) bool {
	switch kind {
	case "Event", "Namespace":
		return true
	case "ConfigMap":
		return name == "kube-root-ca.crt"
	case "ServiceAccount":
		return name == "default"
	}
	return false
}

func (r *release) objects(ctx context.Context, groupVersion string, resource metav1.APIResource) ([]metav1.PartialObjectMetadata, error) {
	path := "/apis/" + groupVersion
	if groupVersion == "v1" {
		path = "/api/v1"
	}
	if resource.Namespaced {
		path += "/namespaces/" + r.name
	}
	var list metav1.PartialObjectMetadataList
	text, err := r.clientset.RESTClient().Get().AbsPath(path + "/" + resource.Name).DoRaw(ctx)
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(text, &list)
	return list.Items, err
}
