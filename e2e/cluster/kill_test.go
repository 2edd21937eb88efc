package cluster_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// gone looks whether a pod is no more.
func gone(w *world, pod *corev1.Pod) func(context.Context) error {
	return func(ctx context.Context) error {
		var now corev1.Pod
		err := w.client.Get(ctx, types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}, &now)
		switch {
		case apierrors.IsNotFound(err) || (err == nil && now.UID != pod.UID):
			return nil
		case err != nil:
			return err
		}
		return fmt.Errorf("%s is there still", pod.Name)
	}
}

// confirmed waits until the controller of a pod is ready: nginx serves what it
// has published.
func (w *world) confirmed(pod *corev1.Pod) time.Duration {
	w.Helper()
	return w.until("the controller of "+pod.Name+" is ready", func(ctx context.Context) error {
		status, body, err := get(ctx, health(pod), "localhost", "/readyz")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d: %.200s", status, body)
		}
		return err
	})
}

// restarted waits until the kubelet says that a container runs again, and the
// pod is ready.
func (w *world) restarted(pod *corev1.Pod, container string, times int32) time.Duration {
	w.Helper()
	return w.until("the container "+container+" runs again", func(context.Context) error {
		if err := w.fetch(pod); err != nil {
			return err
		}
		status, err := statusOf(pod, container)
		if err == nil && (status.RestartCount < times || status.State.Running == nil || !ready(pod)) {
			err = fmt.Errorf("it was restarted %d times, its state is %+v, the pod is ready: %t", status.RestartCount, status.State, ready(pod))
		}
		return err
	})
}

// TestNginxKilled kills nginx's master twice. Its workers, its sockets and its
// pid file stay behind, in volumes and in a process namespace that outlive the
// container; the next nginx must come up all the same.
func TestNginxKilled(t *testing.T) {
	w := enter(t)
	r := w.install("nginx-killed", "nginx-killed")
	a := w.deploy("stays", r.class, 1)
	entry := r.entry("node1", "http")
	w.until("the first answer", answers(entry, a.host))
	pod := r.pod()
	for kill := int32(1); kill <= 2; kill++ {
		old := w.processes(&pod, "nginx", nginxWorker)
		w.kill(&pod, "nginx", nginxMaster)
		start := time.Now()
		// The connection must be one that a worker of the new master took: the old
		// ones go on for a moment.
		w.until("a new master", func(context.Context) error {
			if err := w.fetch(&pod); err != nil {
				return err
			}
			if status, err := statusOf(&pod, "nginx"); err != nil || status.RestartCount < kill || status.State.Running == nil {
				return fmt.Errorf("%+v %w", status.State, err)
			}
			return nil
		})
		w.until("an answer", answers(entry, a.host))
		served := time.Since(start)
		w.restarted(&pod, "nginx", kill)
		w.confirmed(&pod)
		t.Logf("kill %d: served again after %.1f s, ready after %.1f s", kill, served.Seconds(), time.Since(start).Seconds())
		for _, pid := range old {
			if alive(pid) {
				t.Errorf("kill %d: the old worker %d is still there", kill, pid)
			}
		}
		status, err := statusOf(&pod, "nginx")
		w.must(err)
		if status.RestartCount != kill {
			t.Errorf("kill %d: the container was started %d times anew, want %d: what the killed one left held it up", kill, status.RestartCount, kill)
		}
	}
	// The new master is the one that is reloaded.
	b := w.deploy("newcomer", r.class, 1)
	w.until("a new Ingress is served", answers(entry, b.host))
	if status, err := statusOf(&pod, "controller"); err != nil || status.RestartCount != 0 {
		t.Errorf("the controller was restarted %d times (%v)", status.RestartCount, err)
	}
}

// TestControllerKilled kills the controller of one of two pods. Its nginx serves
// on, is not reloaded when the controller is back, and the controller then works
// as before. A kubelet calls a pod unready while its sidecar is down, so new
// connections by the Service go to the other pod meanwhile.
func TestControllerKilled(t *testing.T) {
	w := enter(t)
	r := w.install("controller-killed", "controller-killed", "controller.replicaCount=2")
	a := w.deploy("serves-on", r.class, 2)
	r.steady(a.host)
	pod := r.pods()[0]
	w.confirmed(&pod)
	workers := w.processes(&pod, "nginx", nginxWorker)

	byService, byPod := r.load(a.host), w.loadBy(a.host, map[string]string{"the pod itself": pod.Status.PodIP + ":80"})
	w.kill(&pod, "controller", controller)
	start := time.Now()
	w.restarted(&pod, "controller", 1)
	w.confirmed(&pod)
	t.Logf("the controller is ready %.1f s after it was killed", time.Since(start).Seconds())
	time.Sleep(2 * time.Second) // for a reload that should not be
	byService()
	byPod()
	if now := w.processes(&pod, "nginx", nginxWorker); fmt.Sprint(now) != fmt.Sprint(workers) {
		t.Errorf("nginx has the workers %v, and had %v: it was reloaded", now, workers)
	}
	if status, err := statusOf(&pod, "nginx"); err != nil || status.RestartCount != 0 {
		t.Errorf("nginx was restarted %d times (%v)", status.RestartCount, err)
	}
	b := w.deploy("after-it", r.class, 1)
	w.until("a new Ingress is served", answers(pod.Status.PodIP+":80", b.host))
}
