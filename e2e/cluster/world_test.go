package cluster_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/testr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/sidegate/sidegate/e2e/kit"
)

// TestMain says where warnings of the API server go: nobody reads them here.
func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// world is the cluster, seen from beside its nodes.
type world struct {
	*testing.T
	config    *rest.Config
	client    client.Client
	clientset *kubernetes.Clientset
	// nodes are the names and addresses of the nodes.
	nodes map[string]netip.Addr
}

// patience is how long something may take on a busy machine. The times that
// were taken are printed.
const patience = 2 * time.Minute

// enter connects to the cluster, and skips the test where there is none.
func enter(t *testing.T) *world {
	t.Helper()
	dir := os.Getenv("SIDEGATE_CLUSTER_DIR")
	if dir == "" {
		t.Skip("SKIPPED: this needs the cluster of `make e2e-cluster`")
	}
	w := &world{T: t, nodes: map[string]netip.Addr{}}
	var err error
	w.config, err = clientcmd.BuildConfigFromFlags("", filepath.Join(dir, "kubeconfig"))
	w.must(err)
	w.config.QPS, w.config.Burst = 100, 200
	w.client, err = client.New(w.config, client.Options{})
	w.must(err)
	w.clientset, err = kubernetes.NewForConfig(w.config)
	w.must(err)
	var nodes corev1.NodeList
	w.must(w.client.List(t.Context(), &nodes))
	for _, n := range nodes.Items {
		for _, a := range n.Status.Addresses {
			if a.Type == corev1.NodeInternalIP {
				w.nodes[n.Name] = netip.MustParseAddr(a.Address)
			}
		}
	}
	if len(w.nodes) != 2 {
		t.Fatalf("the cluster has the nodes %v, want two", w.nodes)
	}
	w.balance()
	return w
}

// balancers are addresses that lead to node1, where kube-proxy takes them.
var balancers struct {
	sync.Mutex
	last netip.Addr
}

// balance gives Services of type LoadBalancer their addresses while the test runs.
func (w *world) balance() {
	next := func() netip.Addr {
		balancers.Lock()
		defer balancers.Unlock()
		if !balancers.last.IsValid() {
			balancers.last = netip.MustParseAddr("198.19.128.0")
		}
		balancers.last = balancers.last.Next()
		return balancers.last
	}
	w.must(kit.ServeBalancers(w.Context(), w.config, next, testr.New(w.T)))
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// until waits until a look finds nothing amiss, and returns how long it took.
func (w *world) until(what string, look func(context.Context) error) time.Duration {
	w.Helper()
	took, err := eventually(w.Context(), look)
	if err != nil {
		w.Fatalf("%s: not within %s: %v", what, patience, err)
	}
	return took
}

func eventually(ctx context.Context, look func(context.Context) error) (time.Duration, error) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := look(ctx)
		if err == nil {
			return time.Since(start), nil
		}
		select {
		case <-ctx.Done():
			return time.Since(start), err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// podsOf are the Pods with a label that are not about to go.
func (w *world) podsOf(namespace string, labels client.MatchingLabels) []corev1.Pod {
	w.Helper()
	var list corev1.PodList
	w.must(w.client.List(w.Context(), &list, client.InNamespace(namespace), labels))
	var pods []corev1.Pod
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil {
			pods = append(pods, pod)
		}
	}
	return pods
}

func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// statusOf is what the kubelet says of a container of a pod.
func statusOf(pod *corev1.Pod, container string) (corev1.ContainerStatus, error) {
	for _, s := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if s.Name == container {
			return s, nil
		}
	}
	return corev1.ContainerStatus{}, fmt.Errorf("%s/%s tells nothing of a container %s", pod.Namespace, pod.Name, container)
}

// join is for lists in messages.
func join[T any](items []T, text func(T) string) string {
	var all []string
	for _, i := range items {
		all = append(all, text(i))
	}
	return strings.Join(all, ", ")
}
