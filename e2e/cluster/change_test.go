package cluster_test

import (
	"fmt"
	"testing"
	"time"
)

// restart is the patch of kubectl rollout restart.
func restart() string {
	return fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`, time.Now().Format(time.RFC3339Nano))
}

// TestPodsComeAndGo scales an application and replaces its pods under load: no
// request fails, and nginx is not reloaded.
func TestPodsComeAndGo(t *testing.T) {
	w := enter(t)
	r := w.install("come-and-go", "come-and-go")
	a := w.deploy("shop", r.class, 1)
	r.steady(a.host)
	pod := r.pod()
	before := w.reloads(&pod)

	stop := r.load(a.host)
	for _, n := range []int{10, 3} {
		a.patch(fmt.Sprintf(`{"spec":{"replicas":%d}}`, n))
		a.settled(n)
	}
	a.patch(restart())
	a.settled(3)
	stop()
	if after := w.reloads(&pod); after != before {
		t.Errorf("nginx was reloaded %d times meanwhile", after-before)
	}
}

// TestUpgradeUnderLoad replaces both pods of the controller under load: no
// request fails.
func TestUpgradeUnderLoad(t *testing.T) {
	w := enter(t)
	r := w.install("upgrade", "upgrade", "controller.replicaCount=2")
	a := w.deploy("upgraded", r.class, 2)
	r.steady(a.host)
	old := r.pods()
	stop := r.load(a.host)
	r.upgrade("controller.podAnnotations.upgrade=once")
	// The old ones still serve what they had begun, and end.
	for _, pod := range old {
		took := w.until(pod.Name+" is gone", gone(w, &pod))
		t.Logf("%s has gone after %.1f s more", pod.Name, took.Seconds())
	}
	stop()
	for _, pod := range r.pods() {
		for _, before := range old {
			if pod.UID == before.UID {
				t.Errorf("%s was not replaced", pod.Name)
			}
		}
	}
}
