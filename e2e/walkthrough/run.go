package walkthrough

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// namespace is where the manifests that name none go.
const namespace = "default"

// patience is how long something may take to become what it should be. It is
// for slow machines: the times that were taken are printed.
const patience = 45 * time.Second

// poll is how often it is looked whether it has.
const poll = 50 * time.Millisecond

// run is one playing of the walkthrough.
type run struct {
	*Env
	ctx      context.Context
	reporter Reporter
	failed   bool
}

func (r *run) apply(file string) error {
	did, err := r.Env.apply(r.ctx, file)
	if err != nil {
		return err
	}
	r.did("%s", did)
	return nil
}

func (r *run) install(settings Settings) error {
	did, err := r.Install(r.ctx, settings)
	if err != nil {
		return err
	}
	r.did("%s", did)
	return nil
}

// left says what of a step needs a cluster.
func (r *run) left(what string) { r.reporter.Left(what) }

func (r *run) did(format string, args ...any) { r.reporter.Did(fmt.Sprintf(format, args...)) }

func (r *run) check(c Check) {
	if !c.OK {
		r.failed = true
	}
	r.reporter.Check(c)
}

// verdict is what a look found, and whether it is right.
type verdict struct {
	got string
	ok  bool
}

// until looks again and again until it is right, and checks what was seen last.
// It returns how long that took.
func (r *run) until(sent, want string, look func() verdict) time.Duration {
	start := time.Now()
	for {
		v := look()
		took := time.Since(start)
		if v.ok || took > patience || r.ctx.Err() != nil {
			r.check(Check{Sent: sent, Got: v.got, Want: want, OK: v.ok})
			return took
		}
		select {
		case <-time.After(poll):
		case <-r.ctx.Done():
		}
	}
}

// expect sends a request until the answer is as it should be.
func (r *run) expect(req request, want string, right func(answer) bool) {
	r.until(req.String(), want, func() verdict {
		a := r.send(req)
		return verdict{a.String(), a.err == nil && right(a)}
	})
}

// scale sets the number of replicas of a Deployment.
func (r *run) scale(deployment string, replicas int) error {
	patch := fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas)
	if err := r.patch(deployment, patch); err != nil {
		return err
	}
	r.did("kubectl scale deployment %s --replicas=%d", deployment, replicas)
	return nil
}

// pods are the Pods of an application that are not about to go.
func (r *run) pods(app string) ([]corev1.Pod, error) {
	var list corev1.PodList
	if err := r.Client.List(r.ctx, &list, client.InNamespace(namespace), client.MatchingLabels{"app": app}); err != nil {
		return nil, err
	}
	var pods []corev1.Pod
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil {
			pods = append(pods, pod)
		}
	}
	return pods, nil
}

// settle waits until an application has exactly n ready pods, and no other one
// unless pods that are leaving may still be there.
func (r *run) settle(app string, n int, leaving bool) error {
	deadline := time.Now().Add(patience)
	for {
		var list corev1.PodList
		if err := r.Client.List(r.ctx, &list, client.InNamespace(namespace), client.MatchingLabels{"app": app}); err != nil {
			return err
		}
		ready := 0
		for _, pod := range list.Items {
			if isReady(pod) {
				ready++
			}
		}
		if ready == n && (leaving || len(list.Items) == n) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s has %d pods, %d of them ready, after %s; want %d", app, len(list.Items), ready, patience, n)
		}
		select {
		case <-time.After(poll):
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
	}
}

func isReady(pod corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}
