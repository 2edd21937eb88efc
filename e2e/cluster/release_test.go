package cluster_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// chart and tag are what is installed: images.sh makes the image.
const (
	chart = "../../charts/sidegate"
	tag   = "e2e"
)

// release is an installation of the chart, in a namespace of the same name.
type release struct {
	*world
	name, class string
	values      []string // of --set
}

// install installs the chart as a user does, in a namespace that enforces the
// restricted Pod Security standard, and waits until its pods are ready. It is
// removed when the test ends.
func (w *world) install(name, class string, values ...string) *release {
	w.Helper()
	r := w.prepare(name, class, values...)
	start := time.Now()
	r.helm("install", r.name, chart, "--wait", "--timeout", patience.String())
	w.Logf("helm install %s: ready after %.1f s", name, time.Since(start).Seconds())
	return r
}

// prepare makes the namespace for a release.
func (w *world) prepare(name, class string, values ...string) *release {
	w.Helper()
	r := &release{world: w, name: name, class: class, values: append([]string{
		"global.image.registry=localhost",
		"controller.image.tag=" + tag,
		"controller.ingressClassResource.name=" + class,
		"controller.ingressClass=" + class,
	}, values...)}
	if class != "nginx" {
		r.values = append(r.values, "controller.ingressClassResource.controllerValue="+controllerOf(class))
	}
	w.namespace(name, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	w.Cleanup(func() {
		if w.Failed() {
			r.explain()
		}
		// The namespace takes the pods with it.
		if out, err := r.try(context.Background(), "uninstall", name, "--ignore-not-found", "--wait=false"); err != nil {
			w.Errorf("%v\n%s", err, out)
		}
	})
	return r
}

func controllerOf(class string) string { return "sidegate.test/" + class }

// namespace makes a namespace that is removed when the test ends.
func (w *world) namespace(name string, labels map[string]string) {
	w.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	// One of the same name may be going still, of a test before.
	w.until("the namespace "+name, func(ctx context.Context) error { return w.client.Create(ctx, ns.DeepCopy()) })
	w.Cleanup(func() {
		w.empty(name)
		w.must(client.IgnoreNotFound(w.client.Delete(context.Background(), ns)))
	})
}

// empty ends the pods of a namespace without their grace. The controller that
// removes a namespace would look again only after half of that.
func (w *world) empty(namespace string) {
	ctx := context.Background()
	w.must(w.clientset.AppsV1().Deployments(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	_, err := eventually(ctx, func(ctx context.Context) error {
		pods := w.clientset.CoreV1().Pods(namespace)
		if err := pods.DeleteCollection(ctx, *metav1.NewDeleteOptions(0), metav1.ListOptions{}); err != nil {
			return err
		}
		list, err := pods.List(ctx, metav1.ListOptions{})
		if err == nil && len(list.Items) > 0 {
			err = fmt.Errorf("%d pods are still there", len(list.Items))
		}
		return err
	})
	if err != nil {
		w.Errorf("emptying the namespace %s: %v", namespace, err)
	}
}

// helm runs helm on the release, with its values where they are due.
func (r *release) helm(command string, args ...string) string {
	r.Helper()
	if command == "install" || command == "upgrade" {
		for _, v := range r.values {
			args = append(args, "--set", v)
		}
	}
	out, err := r.try(r.Context(), append([]string{command}, args...)...)
	if err != nil {
		r.Fatalf("%v\n%s", err, out)
	}
	return out
}

func (r *release) try(ctx context.Context, args ...string) (string, error) {
	args = append(args, "--namespace", r.name)
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "helm", args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("helm %s: %w", strings.Join(args, " "), err)
	}
	return out.String(), nil
}

// upgrade changes values and waits until the new pods are ready; pods of before
// may still be going.
func (r *release) upgrade(values ...string) {
	r.Helper()
	r.values = append(r.values, values...)
	start := time.Now()
	r.helm("upgrade", r.name, chart, "--wait", "--timeout", patience.String())
	r.Logf("helm upgrade %s (%s): ready after %.1f s", r.name, strings.Join(values, " "), time.Since(start).Seconds())
}

var controllerLabels = client.MatchingLabels{"app.kubernetes.io/component": "controller"}

func (r *release) pods() []corev1.Pod { return r.podsOf(r.name, controllerLabels) }

// pod is the only pod of the release.
func (r *release) pod() corev1.Pod {
	r.Helper()
	pods := r.pods()
	if len(pods) != 1 {
		r.Fatalf("%s has %d pods, want one", r.name, len(pods))
	}
	return pods[0]
}

func (r *release) service() *corev1.Service {
	r.Helper()
	var list corev1.ServiceList
	r.must(r.client.List(r.Context(), &list, client.InNamespace(r.name), controllerLabels))
	for i := range list.Items {
		if list.Items[i].Spec.Type == corev1.ServiceTypeLoadBalancer {
			return &list.Items[i]
		}
	}
	r.Fatalf("%s has no Service of type LoadBalancer among %d", r.name, len(list.Items))
	return nil
}

// entry is the node port of the Service, on a node.
func (r *release) entry(node, port string) string {
	r.Helper()
	for _, p := range r.service().Spec.Ports {
		if p.Name == port {
			return net.JoinHostPort(r.nodes[node].String(), strconv.Itoa(int(p.NodePort)))
		}
	}
	r.Fatalf("the Service of %s has no port %s", r.name, port)
	return ""
}

// deployment is the controller's.
func (r *release) deployment() *appsv1.Deployment {
	r.Helper()
	var list appsv1.DeploymentList
	r.must(r.client.List(r.Context(), &list, client.InNamespace(r.name), controllerLabels))
	if len(list.Items) != 1 {
		r.Fatalf("%s has %d Deployments, want one", r.name, len(list.Items))
	}
	return &list.Items[0]
}

// accessLog is a line of nginx's access log, of which there are too many.
var accessLog = regexp.MustCompile(`(?m)^[0-9a-f.:]+ - .*\n?`)

// explain prints what the containers say, after a failure.
func (r *release) explain() {
	const lines, size = 2000, 6000
	var list corev1.PodList
	if err := r.client.List(context.Background(), &list, client.InNamespace(r.name)); err != nil {
		r.Log(err)
	}
	for _, pod := range list.Items {
		for _, container := range []string{"controller", "nginx"} {
			status, _ := statusOf(&pod, container)
			log, err := r.clientset.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: container, TailLines: ptr.To[int64](lines)}).DoRaw(context.Background())
			log = accessLog.ReplaceAll(log, nil)
			r.Logf("--- %s of %s (restarts: %d, state: %+v, error: %v)\n%s", container, pod.Name, status.RestartCount, status.State, err, log[max(0, len(log)-size):])
		}
	}
}

// fetch reads an object anew.
func (w *world) fetch(object client.Object) error {
	return w.client.Get(w.Context(), types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}, object)
}
