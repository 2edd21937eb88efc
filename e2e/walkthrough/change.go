package walkthrough

import (
	"fmt"
	"net/http"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sidegate/sidegate/e2e/kit"
)

// The load of the last step.
const (
	loadInterval = 5 * time.Millisecond // between two requests
	slowEvery    = 10                   // how many requests have a slow one among them
)

func change(r *run) error {
	if !r.onCluster() {
		r.left("kubectl scale and kubectl rollout restart under load, without a failed request or a reload")
		return r.underLoad(r.newcomer)
	}
	before, err := r.reloads()
	if err != nil {
		return err
	}
	if err := r.underLoad(func() error {
		for _, n := range []int{6, 2, 3} {
			if err := r.scale("echo", n); err != nil {
				return err
			}
			if err := r.settle("echo", n, true); err != nil {
				return err
			}
		}
		if err := r.patch("echo", fmt.Sprintf(
			`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`,
			time.Now().Format(time.RFC3339))); err != nil {
			return err
		}
		r.did("kubectl rollout restart deployment echo")
		return r.rolledOut("echo", 3)
	}); err != nil {
		return err
	}
	if err := r.checkReloads("scaling and rolling out", before); err != nil {
		return err
	}
	return r.newcomer()
}

// underLoad makes changes while requests go on, none of which may fail.
func (r *run) underLoad(changes func() error) error {
	stop := r.load(request{host: fooBar, path: "/backend"})
	err := changes()
	sent, failures := stop()
	if err != nil {
		return err
	}
	c := Check{
		Sent: fmt.Sprintf("GET http://%s/backend, %d times meanwhile, every tenth taking 0.5 s", fooBar, sent),
		Want: "200 every time", Got: "200 every time", OK: len(failures) == 0 && sent > 0,
	}
	if len(failures) > 0 {
		c.Got = fmt.Sprintf("%d failures, such as: %s", len(failures), failures[0])
	}
	r.check(c)
	return nil
}

// newcomer adds an Ingress and waits until it is served.
func (r *run) newcomer() error {
	newcomer := request{host: "new.bar.com", path: "/"}
	r.expect(newcomer, "404: there is no such host yet", func(a answer) bool { return a.status == http.StatusNotFound })
	if err := r.apply("12-new-ingress.yaml"); err != nil {
		return err
	}
	var last answer
	start := time.Now()
	for last = r.send(newcomer); !isOK(last) && time.Since(start) < patience; last = r.send(newcomer) {
		time.Sleep(poll / 5)
	}
	r.check(Check{
		Sent: newcomer.String(), Want: "200, within a second or so",
		Got: fmt.Sprintf("%s, %.2f s after the Ingress", last, time.Since(start).Seconds()), OK: isOK(last),
	})
	return nil
}

// load sends a request every loadInterval until it is stopped, over connections
// that are kept alive, and returns how many there were and what failed.
func (r *run) load(q request) (stop func() (sent int, failures []string)) {
	transport := r.transport(q.proxyFrom)
	load := kit.StartLoad(r.ctx, kit.LoadOptions{
		URL: q.url(), Transport: transport, Interval: loadInterval, SlowEvery: slowEvery, Timeout: requestTimeout,
	})
	return func() (int, []string) {
		defer transport.CloseIdleConnections()
		return load.Stop()
	}
}

func (r *run) patch(deployment, patch string) error {
	d := &appsv1.Deployment{}
	d.Namespace, d.Name = namespace, deployment
	return r.Client.Patch(r.ctx, d, client.RawPatch(types.MergePatchType, []byte(patch)))
}

// rolledOut waits until all pods of a Deployment are of its newest template.
func (r *run) rolledOut(name string, replicas int) error {
	deadline := time.Now().Add(patience)
	for {
		var d appsv1.Deployment
		if err := r.Client.Get(r.ctx, types.NamespacedName{Namespace: namespace, Name: name}, &d); err != nil {
			return err
		}
		s := d.Status
		if s.ObservedGeneration >= d.Generation && int(s.UpdatedReplicas) == replicas && int(s.AvailableReplicas) == replicas && int(s.Replicas) == replicas {
			return r.settle(name, replicas, false)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: %d of %d pods are new and available after %s", name, s.UpdatedReplicas, replicas, patience)
		}
		select {
		case <-time.After(poll):
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
	}
}
