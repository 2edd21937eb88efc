package kit

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// KubeletOptions says how a Kubelet runs pods.
type KubeletOptions struct {
	// Node is the name of the Node object, which is made; "node-1" when empty.
	Node string
	// Namespace is the only one whose pods are run; all are when it is empty.
	Namespace string
	// Runtime runs the containers.
	Runtime Runtime
	// Addresses is where pods get theirs; a block is reserved when it is nil.
	Addresses *Block
	Log       logr.Logger
}

// Kubelet stands in for the kubelet and the scheduler of a one-node cluster:
// it takes every Pod, runs it by its Runtime on an address of its own, probes
// it, writes its status, and ends it as a kubelet does. What it leaves out is
// what needs a container: volumes, exec, logs, init containers, limits. The
// objects on both sides of it are real, as are the controllers that make
// ReplicaSets and EndpointSlices.
type Kubelet struct {
	client  kubernetes.Interface
	options KubeletOptions
	owned   *Block // reserved here, to be given back

	ctx  context.Context // ends when pods are no longer looked after
	pods sync.WaitGroup

	mu      sync.Mutex
	workers map[types.UID]*podWorker
}

// StartKubelet starts to run pods, until ctx ends. Wait then waits for the
// pods, which are killed: their objects stay, as with a node that loses power.
func StartKubelet(ctx context.Context, config *rest.Config, options KubeletOptions) (*Kubelet, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = 1000, 2000 // a roll-out of hundreds of pods must not wait here
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	k := &Kubelet{client: client, options: options, ctx: ctx, workers: map[types.UID]*podWorker{}}
	if k.options.Node == "" {
		k.options.Node = "node-1"
	}
	if k.options.Addresses == nil {
		if k.owned, err = ReserveBlock(); err != nil {
			return nil, err
		}
		k.options.Addresses = k.owned
	}
	if err := k.register(ctx); err != nil {
		return nil, fmt.Errorf("making the Node %s: %w", k.options.Node, err)
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(k.options.Namespace))
	informer := factory.Core().V1().Pods().Informer()
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { k.see(o.(*corev1.Pod)) },
		UpdateFunc: func(_, o any) { k.see(o.(*corev1.Pod)) },
		DeleteFunc: func(o any) {
			if tomb, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = tomb.Obj
			}
			k.gone(o.(*corev1.Pod))
		},
	}); err != nil {
		return nil, err
	}
	factory.Start(ctx.Done())
	k.pods.Go(func() {
		<-ctx.Done()
		factory.Shutdown()
	})
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return nil, errors.New("listing pods: " + context.Cause(ctx).Error())
	}
	return k, nil
}

// Wait returns when all pods have ended, which they do when ctx has.
func (k *Kubelet) Wait() {
	k.pods.Wait()
	if k.owned != nil {
		k.owned.Close()
	}
}

// register makes the Node that the pods are bound to. kube-controller-manager
// runs no node lifecycle controller here, so it needs no heartbeat.
func (k *Kubelet) register(ctx context.Context) error {
	now := metav1.Now()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name:   k.options.Node,
		Labels: map[string]string{corev1.LabelHostname: k.options.Node, corev1.LabelOSStable: "linux"},
	}}
	made, err := k.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return err
	}
	made.Status = corev1.NodeStatus{
		Addresses: []corev1.NodeAddress{
			{Type: corev1.NodeInternalIP, Address: NodeIP.String()},
			{Type: corev1.NodeHostName, Address: k.options.Node},
		},
		Conditions: []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady",
			LastHeartbeatTime: now, LastTransitionTime: now,
		}},
		NodeInfo: corev1.NodeSystemInfo{KubeletVersion: "v0.0.0-stand-in"},
	}
	_, err = k.client.CoreV1().Nodes().UpdateStatus(ctx, made, metav1.UpdateOptions{})
	return err
}

// see is told of every new state of a Pod.
func (k *Kubelet) see(pod *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if worker, ok := k.workers[pod.UID]; ok {
		worker.update(pod)
		return
	}
	if k.ctx.Err() != nil || (pod.Spec.NodeName != "" && pod.Spec.NodeName != k.options.Node) {
		return
	}
	worker := newPodWorker(k, pod)
	k.workers[pod.UID] = worker
	k.pods.Go(func() {
		worker.run()
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.workers, pod.UID)
	})
}

// gone is told when a Pod's object is no more: after its end, or before it when
// it was deleted by force.
func (k *Kubelet) gone(pod *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if worker, ok := k.workers[pod.UID]; ok {
		worker.removed()
	}
}

// retry repeats a request to the API until it is accepted, ctx ends or the
// object is gone: pods go on while the API server is away.
func retry(ctx context.Context, log logr.Logger, what string, request func() error) error {
	pause := 50 * time.Millisecond
	for {
		err := request()
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) || apierrors.IsInvalid(err) {
			return err
		}
		log.V(1).Info("retrying", "what", what, "error", err.Error())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, time.Second)
	}
}

// addresses is the pair of addresses of one pod, and gives them back.
func (k *Kubelet) addresses() (four, six netip.Addr, release func(), err error) {
	four, err = k.options.Addresses.Take()
	if err != nil {
		return four, six, nil, err
	}
	return four, IPv6(four), func() { k.options.Addresses.Release(four) }, nil
}
