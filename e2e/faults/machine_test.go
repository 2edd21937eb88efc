package faults_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sidegate/sidegate/e2e/kit"
)

// A machine that is short of something is told on the controller's own pod, by
// a process that does not lead as well; nobody is blamed, and when it has what
// it needs again, all goes on by itself.
func TestMachineIsToldByEachProcess(t *testing.T) {
	dir := t.TempDir()
	short, binary := filepath.Join(dir, "short"), filepath.Join(dir, "nginx")
	// In a test of a configuration nginx may open hardly any file while that is there.
	script := fmt.Sprintf(`#!/bin/sh
case " $* " in *" -t "*) if [ -e %s ]; then ulimit -n 5; fi ;; esac
exec %s "$@"
`, short, kit.Nginx(t))
	if err := os.WriteFile(binary, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.create(leaseOfAnother("another"))
	if err := w.gateway.RestartController(t.Context(), "--nginx-binary="+binary, "--nginx-modules-dir="+kit.NginxModules(kit.Nginx(t)), "--election-id=another"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(short, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	w.create(ingress("second", "second.example.com", "/"))
	w.eventually("the Event on the pod", func() bool {
		return slices.ContainsFunc(w.podEvents(), func(e eventsv1.Event) bool { return e.Reason == "NothingCanBeTested" })
	})
	if list := w.events("second"); len(list) > 0 {
		t.Errorf("an Ingress is blamed: %v", list)
	}
	if code := status("first.example.com"); code != http.StatusOK {
		t.Errorf("what runs answers %d", code)
	}
	if err := w.gateway.WaitReady(t.Context()); err != nil {
		t.Error(err)
	}
	if err := os.Remove(short); err != nil {
		t.Fatal(err)
	}
	w.eventually("the change is served", func() bool { return status("second.example.com") == http.StatusOK })
}

// leaseOfAnother is one that another pod holds for longer than any test.
func leaseOfAnother(name string) *coordinationv1.Lease {
	now := metav1.NewMicroTime(time.Now())
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ingress-nginx", Name: name},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: ptr.To("another-pod"), LeaseDurationSeconds: ptr.To[int32](3600), AcquireTime: &now, RenewTime: &now,
		},
	}
}

// podEvents are those about the controller's pod.
func (w *world) podEvents() []eventsv1.Event {
	w.t.Helper()
	var list eventsv1.EventList
	if err := w.plane.Client.List(w.t.Context(), &list, client.InNamespace("ingress-nginx")); err != nil {
		w.t.Fatal(err)
	}
	return slices.DeleteFunc(list.Items, func(e eventsv1.Event) bool { return e.Regarding.Kind != "Pod" || e.Regarding.Name != "sidegate" })
}
