package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	"github.com/sidegate/sidegate/e2e/kit"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	rolloutName = "rollout"
	rolloutRate = 500 // requests a second
	// rolloutEvery is how many requests there are to a slow one.
	rolloutEvery = 10
	rolloutDelay = "500ms"
)

// rollouts replaces all pods of a Deployment again and again under load, and
// counts the requests that fail and the reloads. The cluster is one of its own,
// with the controllers that make pods and endpoints.
func rollouts(ctx context.Context, o options, results *Results) (err error) {
	s := &suite{ctx: ctx, options: o, results: results}
	defer func() { err = errors.Join(err, s.close()) }()
	if s.sidegate, s.nginx, err = programs(); err != nil {
		return err
	}
	if err := results.describeMachine(s.nginx); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "sg"); err != nil {
		return err
	}
	if s.plane, err = kit.Start(kit.ControlPlaneOptions{Controllers: kit.Controllers}); err != nil {
		return err
	}
	if s.api, err = unlimited(s.plane.Config); err != nil {
		return err
	}
	stop, err := s.startPods()
	if err != nil {
		return err
	}
	defer stop()
	if err := s.startGateway(); err != nil {
		return err
	}
	if err := s.served(rolloutName, http.StatusOK); err != nil {
		return err
	}
	before, err := reloads(s.gateway)
	if err != nil {
		return err
	}
	load := startLoad(ctx, rolloutRate, func(i int) string {
		if i%rolloutEvery == 0 {
			return "http://" + entry + "/?delay=" + rolloutDelay
		}
		return "http://" + entry + "/"
	}, host(rolloutName))
	seconds, err := s.replaceAll(o.rollouts, load)
	total := load.stop()
	if err != nil {
		return err
	}
	after, err := reloads(s.gateway)
	if err != nil {
		return err
	}
	progress("  %d requests, %d failed %v; %.0f reloads", total.sent, total.failed, total.reasons, after-before)
	if total.sent < rolloutRate { // it never got going
		return fmt.Errorf("only %d requests were sent", total.sent)
	}
	results.set("rollout", 0, "", "s", seconds)
	results.set("rollout-requests", 0, "", "", []float64{float64(total.sent)})
	results.set("rollout-failed", 0, "", "", []float64{float64(total.failed)})
	results.set("rollout-reloads", 0, "", "", []float64{after - before})
	return nil
}

// startPods makes the Deployment with its Service and Ingress, and the kubelet
// that runs its pods as processes.
func (s *suite) startPods() (stop func(), err error) {
	echo, err := builtProgram("echo")
	if err != nil {
		return nil, err
	}
	logs := filepath.Join(s.dir, "pods")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(s.ctx)
	kubelet, err := kit.StartKubelet(ctx, s.plane.Config, kit.KubeletOptions{
		Runtime: kit.Processes{Images: map[string]string{"echo": echo}, LogDir: logs}, Log: logr.Discard(),
	})
	if err != nil {
		cancel()
		return nil, err
	}
	labels := map[string]string{"app": rolloutName}
	service := &corev1.Service{ObjectMeta: meta(rolloutName), Spec: corev1.ServiceSpec{
		Selector: labels, Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(backendPort)}},
	}}
	for _, o := range []client.Object{
		ingressClass(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ingress-nginx"}},
		service, deployment(labels), ingress(rolloutName),
	} {
		if err := s.api.Create(s.ctx, o); err != nil {
			cancel()
			return nil, err
		}
	}
	return func() { cancel(); kubelet.Wait() }, nil
}

// deployment has the strategy that Kubernetes has by itself: one pod more at a
// time, none less.
func deployment(labels map[string]string) *appsv1.Deployment {
	return &appsv1.Deployment{ObjectMeta: meta(rolloutName), Spec: appsv1.DeploymentSpec{
		Replicas: ptr.To[int32](3),
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "echo", Image: "echo",
				Ports: []corev1.ContainerPort{{ContainerPort: backendPort}},
				ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{
					HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt32(backendPort)},
				}},
			}}},
		},
	}}
}

// replaceAll makes n replacements and returns how long each took, in seconds.
func (s *suite) replaceAll(n int, load *load) (seconds []float64, err error) {
	for i := range n {
		start := time.Now()
		var d appsv1.Deployment
		if err := s.api.Get(s.ctx, client.ObjectKey{Namespace: namespace, Name: rolloutName}, &d); err != nil {
			return nil, err
		}
		changed := d.DeepCopy()
		// What `kubectl rollout restart` changes.
		changed.Spec.Template.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": strconv.Itoa(i)}
		if err := s.api.Patch(s.ctx, changed, client.MergeFrom(&d)); err != nil {
			return nil, err
		}
		if err := until(s.ctx, "the end of a rolling replacement", 50*time.Millisecond, func() (bool, error) {
			var now appsv1.Deployment
			err := s.api.Get(s.ctx, client.ObjectKeyFromObject(changed), &now)
			return now.Status.ObservedGeneration >= changed.Generation && now.Status.UpdatedReplicas == 3 &&
				now.Status.Replicas == 3 && now.Status.AvailableReplicas == 3, err
		}); err != nil {
			return nil, err
		}
		seconds = append(seconds, time.Since(start).Seconds())
		if (i+1)%10 == 0 {
			now := load.total()
			progress("  %d of %d, %.1f s each: %d requests, %d failed", i+1, n, percentile(seconds, 50), now.sent, now.failed)
		}
	}
	return seconds, s.sleep(3 * time.Second) // the last pods end under load, too
}
