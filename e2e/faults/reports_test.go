package faults_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What the whole controller writes to the API, and what does not stop it.
func TestReports(t *testing.T) {
	w := newWorld(t, "--publish-status-address=192.0.2.1")
	t.Run("a restart makes no Event again", w.eventsOnce)
	t.Run("the port of health is taken", w.healthPortTaken)
	t.Run("whether others run is not known", w.othersUnknown)
	t.Run("another pod runs", w.anotherRuns)
}

// events are those of an Ingress that has a finding.
func (w *world) events(name string) (out []eventsv1.Event) {
	w.t.Helper()
	var list eventsv1.EventList
	if err := w.plane.Client.List(w.t.Context(), &list, client.InNamespace("default")); err != nil {
		w.t.Fatal(err)
	}
	for _, e := range list.Items {
		if e.Regarding.Name == name {
			out = append(out, e)
		}
	}
	return out
}

func (w *world) wrong(name string) *networkingv1.Ingress {
	w.t.Helper()
	i := ingress(name, name+".example.com", "/")
	i.Annotations = map[string]string{"nginx.ingress.kubernetes.io/proxy-read-timeout": "soon"}
	w.create(i)
	return i
}

func (w *world) eventsOnce(t *testing.T) {
	w = w.in(t)
	first := w.wrong("wrong")
	w.eventually("the Event", func() bool { return len(w.events("wrong")) == 1 })
	before := w.events("wrong")[0]
	if before.Regarding.UID != first.UID {
		t.Errorf("the Event is of the UID %q, which kubectl describe does not ask for", before.Regarding.UID)
	}
	if err := w.gateway.RestartController(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.wrong("later")
	w.eventually("the Event of a later Ingress", func() bool { return len(w.events("later")) == 1 })
	after := w.events("wrong")
	if len(after) != 1 || after[0].ResourceVersion != before.ResourceVersion {
		t.Errorf("after a restart the Events are %v", after)
	}
}

// The controller goes on, and answers for its health once the port is free.
func (w *world) healthPortTaken(t *testing.T) {
	w = w.in(t)
	if err := w.gateway.StopController(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", ":10254")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.gateway.StartController(); err != nil {
		t.Fatal(err)
	}
	w.create(ingress("taken", "taken.example.com", "/"))
	w.eventually("an Ingress is served while the port is taken", func() bool { return status("taken.example.com") == http.StatusOK })
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.gateway.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(w.gateway.HealthURL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the metrics are %s", response.Status)
	}
}

func (w *world) shown(name string) string {
	w.t.Helper()
	var ing networkingv1.Ingress
	if err := w.plane.Client.Get(w.t.Context(), client.ObjectKey{Namespace: "default", Name: name}, &ing); err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprint(ing.Status.LoadBalancer.Ingress)
}

// endsAndKeeps ends the controller and looks whether the status has stayed.
func (w *world) endsAndKeeps() {
	w.t.Helper()
	w.eventually("the status is written", func() bool { return strings.Contains(w.shown("first"), "192.0.2.1") })
	if err := w.gateway.StopController(syscall.SIGTERM); err != nil {
		w.t.Fatal(err)
	}
	if got := w.shown("first"); !strings.Contains(got, "192.0.2.1") {
		w.t.Errorf("the status is %s", got)
	}
	var lease coordinationv1.Lease
	if err := w.plane.Client.Get(w.t.Context(), client.ObjectKey{Namespace: "ingress-nginx", Name: "ingress-controller-leader"}, &lease); err != nil {
		w.t.Error(err)
	} else if lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "" {
		w.t.Errorf("the lease is still held by %s", *lease.Spec.HolderIdentity)
	}
	if err := w.gateway.StartController(); err != nil {
		w.t.Fatal(err)
	}
	if err := w.gateway.WaitReady(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// The API does not say which pod this is.
func (w *world) othersUnknown(t *testing.T) { w.in(t).endsAndKeeps() }

func (w *world) anotherRuns(t *testing.T) {
	w = w.in(t)
	for _, name := range []string{"sidegate", "another"} {
		pod := controllerPod(name)
		w.create(pod)
		pod.Status.Phase = corev1.PodRunning
		if err := w.plane.Client.Status().Update(t.Context(), pod); err != nil {
			t.Fatal(err)
		}
	}
	w.endsAndKeeps()
}

// controllerPod is a pod as the controller runs in, by whose labels it knows
// others.
func controllerPod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ingress-nginx", Name: name, Labels: map[string]string{"app": "sidegate"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "controller", Image: "sidegate"}}},
	}
}
