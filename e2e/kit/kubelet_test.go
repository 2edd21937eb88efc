package kit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/pkg/echo"
)

// A Deployment and a Service become endpoints that answer at the addresses of
// the slice, over both families, at both ports.
func TestDeploymentBecomesEndpoints(t *testing.T) {
	c := newCluster(t, kit.Functions{Images: map[string]kit.Program{"test/echo": echo.Program(echo.Echo, 0)}})
	d := c.deployment("echo", 2, corev1.Container{
		Name: "echo", Image: "test/echo:1",
		Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}, {Name: "admin", ContainerPort: 9090}},
	})
	service := c.service("echo", intstr.FromString("http"))
	service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Name: "admin", Port: 81, TargetPort: intstr.FromString("admin")})
	service.Spec.IPFamilyPolicy = ptr.To(corev1.IPFamilyPolicyRequireDualStack)
	c.create(d, service)

	var urls []string
	eventually(t, "two endpoints of each family and port", func() error {
		urls = nil
		for _, slice := range c.slices() {
			for _, e := range slice.Endpoints {
				for _, p := range slice.Ports {
					if ptr.Deref(e.Conditions.Ready, false) {
						urls = append(urls, "http://"+net.JoinHostPort(e.Addresses[0], fmt.Sprint(*p.Port))+"/x")
					}
				}
			}
		}
		if len(urls) != 8 {
			return fmt.Errorf("%d addresses: %v", len(urls), urls)
		}
		return nil
	})
	pods := map[string]bool{}
	for _, url := range urls {
		seen, err := ask(url)
		if err != nil {
			t.Fatal(err)
		}
		if seen.Namespace != c.namespace {
			t.Errorf("%s: namespace %q, want %q", url, seen.Namespace, c.namespace)
		}
		pods[seen.Pod] = true
	}
	if len(pods) != 2 {
		t.Errorf("pods that answered: %v, want two", pods)
	}
}

// A pod that is deleted leaves the ready endpoints at once, serves on until the
// preStop pause is over, and then its process ends and its object goes.
func TestDeletionIsGraceful(t *testing.T) {
	c := newCluster(t, kit.Processes{
		Images: map[string]string{"test/echo": kit.Binary(t, "echo")},
		LogDir: t.TempDir(),
	})
	c.create(c.deployment("echo", 1, corev1.Container{
		Name: "echo", Image: "test/echo", Args: []string{"--shutdown-delay=0"},
		Ports:          []corev1.ContainerPort{{ContainerPort: 8080}},
		ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt32(8080)}}},
		Lifecycle:      &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 3}}},
	}), c.service("echo", intstr.FromInt32(8080)))

	old := c.readyPods(1)[0]
	url := "http://" + old.Status.PodIP + ":8080/"
	if err := plane.Client.Delete(c.ctx, &old); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the endpoint terminates while it serves", func() error {
		for _, slice := range c.slices() {
			for _, e := range slice.Endpoints {
				if e.Addresses[0] == old.Status.PodIP && ptr.Deref(e.Conditions.Terminating, false) &&
					ptr.Deref(e.Conditions.Serving, false) && !ptr.Deref(e.Conditions.Ready, true) {
					return nil
				}
			}
		}
		return errors.New("not terminating and serving")
	})
	if _, err := ask(url); err != nil {
		t.Errorf("within the preStop pause: %v", err)
	}
	eventually(t, "the Pod's object is gone", func() error {
		err := plane.Client.Get(c.ctx, client.ObjectKeyFromObject(&old), &corev1.Pod{})
		if client.IgnoreNotFound(err) != nil || err == nil {
			return fmt.Errorf("still there (%v)", err)
		}
		return nil
	})
	if _, err := ask(url); err == nil {
		t.Error("the process answers after its Pod is gone")
	}
	if again := c.readyPods(1)[0]; again.Status.PodIP == old.Status.PodIP {
		t.Errorf("the new pod has the address %s of the old one", old.Status.PodIP)
	}
}

// A pod that is deleted by force takes its process with it.
func TestForcedDeletionKills(t *testing.T) {
	c := newCluster(t, kit.Processes{Images: map[string]string{"test/echo": kit.Binary(t, "echo")}})
	c.create(c.deployment("echo", 1, corev1.Container{Name: "echo", Image: "test/echo", Args: []string{"--shutdown-delay=1h"}}))
	pod := c.readyPods(1)[0]
	url := "http://" + pod.Status.PodIP + ":8080/"
	eventually(t, "the pod answers", func() error { _, err := ask(url); return err })
	if err := plane.Client.Delete(c.ctx, &pod, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nobody answers", func() error {
		if _, err := ask(url); err == nil {
			return errors.New("it answers")
		}
		return nil
	})
}

// A pod is ready when its probe says so, and no longer when it does not.
func TestReadinessFollowsTheProbe(t *testing.T) {
	var healthy atomic.Bool
	program := func(ctx context.Context, getenv func(string) string) error {
		server := &http.Server{Addr: getenv("POD_IP") + ":" + getenv("PORT"), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if !healthy.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})}
		context.AfterFunc(ctx, func() { server.Close() })
		return server.ListenAndServe()
	}
	c := newCluster(t, kit.Functions{Images: map[string]kit.Program{"test/fickle": program}})
	c.create(c.deployment("fickle", 1, corev1.Container{
		Name: "fickle", Image: "test/fickle", Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: 80}},
		ReadinessProbe: &corev1.Probe{
			ProbeHandler:     corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromString("web")}},
			FailureThreshold: 1,
			PeriodSeconds:    1,
		},
	}))
	running := func() error {
		if pods := c.pods(); len(pods) != 1 || pods[0].Status.Phase != corev1.PodRunning {
			return errors.New("it does not run")
		}
		return nil
	}
	eventually(t, "the pod runs", running)
	if ready := ready(c.pods()); ready != 0 {
		t.Errorf("%d pods are ready whose probe fails", ready)
	}
	healthy.Store(true)
	c.readyPods(1)
	healthy.Store(false)
	c.readyPods(0)
	if err := running(); err != nil {
		t.Error(err)
	}
}

// A container that ends by itself is started again and counted.
func TestContainerIsRestarted(t *testing.T) {
	program := func(context.Context, func(string) string) error { return errors.New("no") }
	c := newCluster(t, kit.Functions{Images: map[string]kit.Program{"test/crash": program}})
	c.create(c.deployment("crash", 1, corev1.Container{Name: "crash", Image: "test/crash"}))
	eventually(t, "two restarts", func() error {
		for _, pod := range c.pods() {
			if s := pod.Status.ContainerStatuses; len(s) == 1 && s[0].RestartCount >= 2 {
				return nil
			}
		}
		return errors.New("fewer")
	})
}

// cluster is a namespace and a kubelet for one test.
type cluster struct {
	t         *testing.T
	ctx       context.Context
	namespace string
}

func newCluster(t *testing.T, runtime kit.Runtime) *cluster {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	name := strings.ToLower(t.Name())
	if err := plane.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
		t.Fatal(err)
	}
	k, err := kit.StartKubelet(ctx, plane.Config, kit.KubeletOptions{
		Node: name, Namespace: name, Runtime: runtime, Log: newLog(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); k.Wait() })
	return &cluster{t: t, ctx: ctx, namespace: name}
}

func (c *cluster) create(objects ...client.Object) {
	c.t.Helper()
	for _, o := range objects {
		o.SetNamespace(c.namespace)
		if err := plane.Client.Create(c.ctx, o); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *cluster) deployment(name string, replicas int32, container corev1.Container) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{container}},
			},
		},
	}
}

func (c *cluster) service(name string, port intstr.IntOrString) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": name},
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: port}},
		},
	}
}

func (c *cluster) slices() []discoveryv1.EndpointSlice {
	var list discoveryv1.EndpointSliceList
	if err := plane.Client.List(c.ctx, &list, client.InNamespace(c.namespace)); err != nil {
		c.t.Fatal(err)
	}
	return list.Items
}

func (c *cluster) pods() []corev1.Pod {
	var list corev1.PodList
	if err := plane.Client.List(c.ctx, &list, client.InNamespace(c.namespace)); err != nil {
		c.t.Fatal(err)
	}
	return list.Items
}

// readyPods waits until exactly n pods are there, or none of them is ready.
func (c *cluster) readyPods(n int) (pods []corev1.Pod) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("%d ready pods", n), func() error {
		pods = c.pods()
		if got := ready(pods); got != n || (n > 0 && len(pods) != n) {
			return fmt.Errorf("%d pods, %d of them ready", len(pods), got)
		}
		return nil
	})
	return pods
}

func ready(pods []corev1.Pod) (n int) {
	for _, pod := range pods {
		for _, cond := range pod.Status.Conditions {
			if cond.Type == corev1.PodReady && cond.Status == corev1.ConditionTrue {
				n++
			}
		}
	}
	return n
}

var direct = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func ask(url string) (seen echo.Response, err error) {
	resp, err := direct.Get(url)
	if err != nil {
		return seen, err
	}
	defer resp.Body.Close()
	return seen, json.NewDecoder(resp.Body).Decode(&seen)
}
