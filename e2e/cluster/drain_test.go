package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"testing"
	"time"

	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestDrain drains the nodes one after the other, as an upgrade of them does,
// under load that comes in by the node that stays. Two pods that must not both
// be away: on one node, as they are after a node came back, they are evicted
// one by one, the second when the first has been replaced.
func TestDrain(t *testing.T) {
	w := enter(t)
	spread := "controller.topologySpreadConstraints[0]"
	r := w.install("drain", "drain", "controller.replicaCount=2", "controller.minAvailable=1",
		spread+".maxSkew=1", spread+".topologyKey=kubernetes.io/hostname", spread+".whenUnsatisfiable=ScheduleAnyway",
		spread+".labelSelector.matchLabels.app\\.kubernetes\\.io/instance=drain")
	a := w.deploy("drained", r.class, 2)
	r.steady(a.host)
	var budgets policyv1.PodDisruptionBudgetList
	w.must(w.client.List(t.Context(), &budgets, client.InNamespace(r.name)))
	if len(budgets.Items) != 1 {
		t.Fatalf("the release has %d PodDisruptionBudgets, want one", len(budgets.Items))
	}
	t.Cleanup(func() {
		for node := range w.nodes {
			w.kubectl(context.Background(), "uncordon", node)
		}
	})

	stop := r.load(a.host)
	// All pods to node2: then both are in the way of the second drain.
	w.drain("node1", r)
	w.kubectl(t.Context(), "uncordon", "node1")
	on := map[string]int{}
	for _, pod := range r.pods() {
		on[pod.Spec.NodeName]++
	}
	if on["node2"] != 2 {
		t.Fatalf("the pods are on %v, want both on node2", on)
	}
	w.drain("node2", r)
	stop()
	for _, pod := range r.pods() {
		if pod.Spec.NodeName != "node1" {
			t.Errorf("%s is on %s, which was drained", pod.Name, pod.Spec.NodeName)
		}
	}
}

// drain drains a node while it watches the pods of a release: at any time one
// of them must be ready, which is what the budget asks for.
func (w *world) drain(node string, r *release) {
	w.Helper()
	start := time.Now()
	done := make(chan error, 1)
	go func() {
		done <- w.try(w.Context(), "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout="+patience.String())
	}()
	least := 2
	for {
		n := 0
		for _, pod := range r.pods() {
			if ready(&pod) {
				n++
			}
		}
		least = min(least, n)
		select {
		case err := <-done:
			w.must(err)
			w.until("two pods are ready", func(context.Context) error {
				n := 0
				for _, pod := range r.pods() {
					if ready(&pod) {
						n++
					}
				}
				if n != 2 {
					return fmt.Errorf("%d are", n)
				}
				return nil
			})
			if least < 1 {
				w.Errorf("while %s was drained, no pod was ready and staying", node)
			}
			w.Logf("%s was drained in %.1f s, with never less than %d pods ready", node, time.Since(start).Seconds(), least)
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (w *world) kubectl(ctx context.Context, args ...string) {
	w.Helper()
	if err := w.try(ctx, args...); err != nil {
		w.Error(err)
	}
}

func (w *world) try(ctx context.Context, args ...string) error {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "kubectl", args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return errors.Join(fmt.Errorf("kubectl %v: %w", args, err), errors.New(out.String()))
	}
	return nil
}
