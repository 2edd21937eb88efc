package kit

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// restartPause is how long a container that ended by itself stays down. A
// kubelet begins with 10 s.
const restartPause = time.Second

// podWorker runs one Pod from its binding to its end. All its state belongs to
// the goroutine of run; everything else only sends to its channels.
type podWorker struct {
	kubelet *Kubelet
	log     logr.Logger
	pod     *corev1.Pod // as it was first seen

	deleted chan *corev1.Pod // its deletionTimestamp is set; one value
	dead    chan struct{}    // its object is gone
	events  chan func()      // what containers, probes and timers report

	four, six  netip.Addr
	started    metav1.Time
	readySince metav1.Time
	wasReady   bool
	written    []byte // the last status that the API server took
	ending     bool
	slots      []*slot
}

// slot is one container of the pod.
type slot struct {
	spec      corev1.Container
	process   Process
	stopProbe context.CancelFunc
	since     metav1.Time // it runs
	ended     metav1.Time
	restarts  int32
	running   bool
	ready     bool
}

func newPodWorker(k *Kubelet, pod *corev1.Pod) *podWorker {
	w := &podWorker{
		kubelet: k,
		log:     k.options.Log.WithValues("pod", pod.Namespace+"/"+pod.Name),
		pod:     pod,
		deleted: make(chan *corev1.Pod, 1),
		dead:    make(chan struct{}),
		events:  make(chan func(), 16),
	}
	w.update(pod)
	return w
}

// update and removed are called by the watch, one at a time.
func (w *podWorker) update(pod *corev1.Pod) {
	if pod.DeletionTimestamp == nil {
		return
	}
	select {
	case w.deleted <- pod:
	default: // told already
	}
}

func (w *podWorker) removed() { close(w.dead) }

func (w *podWorker) run() {
	ctx, cancel := context.WithCancel(w.kubelet.ctx)
	defer cancel()
	if w.pod.DeletionTimestamp == nil {
		release, err := w.begin(ctx)
		if err != nil {
			w.log.Error(err, "the Pod does not run")
			return
		}
		defer release()
	}
	defer w.kill()
	for {
		select {
		case event := <-w.events:
			event()
			w.writeStatus(ctx)
		case pod := <-w.deleted:
			w.terminate(ctx, pod)
		case <-w.dead:
			return
		case <-ctx.Done():
			return
		}
		if w.ending && !w.anyRunning() {
			w.finish(ctx)
			return
		}
	}
}

// begin binds the Pod, takes an address and starts the containers.
func (w *podWorker) begin(ctx context.Context) (release func(), err error) {
	if w.pod.Spec.NodeName == "" {
		if err := w.bind(ctx); err != nil {
			return nil, err
		}
	}
	if w.four, w.six, release, err = w.kubelet.addresses(); err != nil {
		return nil, err
	}
	w.started = metav1.Now()
	w.readySince = w.started
	for _, spec := range w.pod.Spec.Containers {
		s := &slot{spec: spec}
		w.slots = append(w.slots, s)
		w.start(ctx, s)
	}
	w.writeStatus(ctx)
	return release, nil
}

func (w *podWorker) bind(ctx context.Context) error {
	pods := w.kubelet.client.CoreV1().Pods(w.pod.Namespace)
	err := retry(ctx, w.log, "bind", func() error {
		return pods.Bind(ctx, &corev1.Binding{
			ObjectMeta: metav1.ObjectMeta{Name: w.pod.Name, UID: w.pod.UID},
			Target:     corev1.ObjectReference{Kind: "Node", Name: w.kubelet.options.Node},
		}, metav1.CreateOptions{})
	})
	if apierrors.IsConflict(err) {
		return nil // bound by an attempt of which the answer was lost
	}
	return err
}

// send hands something that changes the pod's state to run.
func (w *podWorker) send(ctx context.Context, event func()) {
	select {
	case w.events <- event:
	case <-ctx.Done():
	}
}

// after sends an event when some time has passed.
func (w *podWorker) after(ctx context.Context, d time.Duration, event func()) {
	time.AfterFunc(d, func() { w.send(ctx, event) })
}

// start starts a container, watches its readiness, and starts it again when it
// ends by itself.
func (w *podWorker) start(ctx context.Context, s *slot) {
	if w.ending {
		return
	}
	again := func() { s.restarts++; w.start(ctx, s) }
	process, err := w.kubelet.options.Runtime.Start(Container{Pod: w.pod, Spec: s.spec, Env: w.env(s.spec)})
	if err != nil {
		w.log.Error(err, "the container could not be started; it is tried again", "container", s.spec.Name)
		w.after(ctx, restartPause, again)
		return
	}
	probing, stop := context.WithCancel(ctx)
	s.process, s.stopProbe, s.running, s.since = process, stop, true, metav1.Now()
	if s.spec.ReadinessProbe == nil {
		s.ready = true // a container without a probe is ready when it runs
	} else {
		go watchReadiness(probing, s.spec, w.four.String(), func(ready bool) {
			w.send(probing, func() { s.ready = ready && s.running })
		})
	}
	go func() {
		<-process.Done()
		stop()
		w.send(ctx, func() {
			s.running, s.ready, s.ended = false, false, metav1.Now()
			if !w.ending {
				w.log.Info("the container ended by itself; it is started again", "container", s.spec.Name)
				w.after(ctx, restartPause, again)
			}
		})
	}()
}

// env is what a container is told by its environment: see Container.
func (w *podWorker) env(c corev1.Container) map[string]string {
	env := map[string]string{
		"POD_NAME":      w.pod.Name,
		"POD_NAMESPACE": w.pod.Namespace,
		"POD_IP":        w.four.String(),
		"POD_IPS":       w.four.String() + "," + w.six.String(),
	}
	var ports []string
	for _, p := range c.Ports {
		ports = append(ports, strconv.Itoa(int(p.ContainerPort)))
	}
	if len(ports) > 0 {
		env["PORT"], env["PORTS"] = ports[0], strings.Join(ports, ",")
	}
	for _, e := range c.Env {
		env[e.Name] = e.Value
	}
	return env
}

// terminate begins the end, as a kubelet does it: the preStop pause, SIGTERM,
// and SIGKILL when the grace period, which began with the deletion, is over.
// Readiness is probed on meanwhile: it tells who still serves.
func (w *podWorker) terminate(ctx context.Context, pod *corev1.Pod) {
	w.ending = true
	grace := time.Duration(ptr.Deref(pod.DeletionGracePeriodSeconds, 30)) * time.Second
	for _, s := range w.slots {
		if !s.running {
			continue
		}
		w.after(ctx, min(preStop(s.spec), grace), s.process.Terminate)
		w.after(ctx, grace, s.process.Kill)
	}
}

func preStop(c corev1.Container) time.Duration {
	if c.Lifecycle == nil || c.Lifecycle.PreStop == nil || c.Lifecycle.PreStop.Sleep == nil {
		return 0
	}
	return time.Duration(c.Lifecycle.PreStop.Sleep.Seconds) * time.Second
}

func (w *podWorker) anyRunning() bool {
	for _, s := range w.slots {
		if s.running {
			return true
		}
	}
	return false
}

// finish writes that all containers have ended and lets the object go.
func (w *podWorker) finish(ctx context.Context) {
	w.writeStatus(ctx)
	pods := w.kubelet.client.CoreV1().Pods(w.pod.Namespace)
	err := retry(ctx, w.log, "delete", func() error {
		return pods.Delete(ctx, w.pod.Name, metav1.DeleteOptions{
			GracePeriodSeconds: ptr.To[int64](0),
			Preconditions:      metav1.NewUIDPreconditions(string(w.pod.UID)),
		})
	})
	if err != nil && !apierrors.IsNotFound(err) && ctx.Err() == nil {
		w.log.Error(err, "the Pod has ended and its object could not be deleted")
	}
}

// kill ends what still runs, at once, and waits for it: the address must be
// free when the next pod gets it.
func (w *podWorker) kill() {
	for _, s := range w.slots {
		if s.process == nil {
			continue
		}
		s.stopProbe()
		s.process.Kill()
		<-s.process.Done()
	}
}
