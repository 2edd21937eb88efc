package controller

import (
	"context"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"github.com/sidegate/sidegate/pkg/metrics"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// StatusConfig says what the status of Ingresses is and who writes it.
type StatusConfig struct {
	// Service is the publishing Service, Addresses what is said without one.
	Service   types.NamespacedName
	Addresses []string
	Update    bool
	// RemoveOnShutdown takes the addresses away when the last pod ends.
	RemoveOnShutdown bool

	// The election among pods. Without one, this process writes.
	DisableElection bool
	ElectionID      string
	ElectionTTL     time.Duration
	// Namespace and Pod are this process's.
	Namespace, Pod string
}

// statusWriters is how many statuses are written at once: an API server
// takes some milliseconds for each.
const statusWriters = 16

// statusWriter writes the addresses of the entry point to the Ingresses. Only
// the leader does; losing the election ends nothing else.
type statusWriter struct {
	StatusConfig
	log     logr.Logger
	client  client.Client
	leases  kubernetes.Interface
	source  *snapshot.Source
	wake    chan struct{}
	metrics *metrics.Metrics
}

func newStatusWriter(mgr manager.Manager, c ClusterConfig, source *snapshot.Source, r *reporter, m *metrics.Metrics) *statusWriter {
	return &statusWriter{
		StatusConfig: c.Status, log: c.Log.WithName("status"), client: mgr.GetClient(),
		leases: kubernetes.NewForConfigOrDie(mgr.GetConfig()), source: source, wake: r.wake, metrics: m,
	}
}

// Start runs until ctx ends.
func (w *statusWriter) Start(ctx context.Context) error {
	if !w.Update || w.Service.Name == "" && len(w.Addresses) == 0 {
		<-ctx.Done()
		return nil
	}
	if w.DisableElection {
		w.lead(ctx)
		w.shutdown()
		return nil
	}
	for ctx.Err() == nil {
		if err := w.elect(ctx); err != nil {
			return err
		}
	}
	return nil
}

// elect stands for election once.
func (w *statusWriter) elect(ctx context.Context) error {
	name := w.Pod
	if name == "" {
		name = "sidegate"
	}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: w.Namespace, Name: w.ElectionID},
			Client:     w.leases.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: name},
		},
		LeaseDuration: w.ElectionTTL, RenewDeadline: w.ElectionTTL / 2, RetryPeriod: w.ElectionTTL / 4,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				w.metrics.Leader(w.ElectionID, true)
				w.log.Info("this process writes the status of Ingresses")
				w.lead(ctx)
			},
			OnStoppedLeading: func() {
				w.metrics.Leader(w.ElectionID, false)
				if ctx.Err() != nil {
					w.shutdown()
				}
			},
		},
	})
	if err != nil {
		return err
	}
	elector.Run(ctx)
	return nil
}

// lead writes the status whenever something has changed.
func (w *statusWriter) lead(ctx context.Context) {
	again := time.NewTicker(time.Minute)
	defer again.Stop()
	for {
		addresses, err := w.addresses(ctx)
		if err == nil {
			err = w.write(ctx, addresses)
		}
		if err != nil && ctx.Err() == nil {
			w.log.Error(err, "the status of Ingresses cannot be written; it is tried again")
			time.AfterFunc(time.Second, func() {
				select {
				case w.wake <- struct{}{}:
				default:
				}
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-again.C:
		}
	}
}

// addresses are those of the entry point, sorted.
func (w *statusWriter) addresses(ctx context.Context) ([]networkingv1.IngressLoadBalancerIngress, error) {
	list := w.Addresses
	if w.Service.Name != "" {
		service, _, err := w.source.Backend(ctx, w.Service)
		if err != nil || service == nil {
			return nil, err
		}
		list = append(serviceAddresses(service), w.Addresses...)
	}
	var out []networkingv1.IngressLoadBalancerIngress
	for _, a := range slices.Compact(slices.Sorted(slices.Values(list))) {
		if _, err := netip.ParseAddr(a); err == nil {
			out = append(out, networkingv1.IngressLoadBalancerIngress{IP: a})
		} else {
			out = append(out, networkingv1.IngressLoadBalancerIngress{Hostname: a})
		}
	}
	return out, nil
}

// serviceAddresses are how a Service is reached, by its type.
func serviceAddresses(s *corev1.Service) (out []string) {
	switch s.Spec.Type {
	case corev1.ServiceTypeExternalName:
		return []string{s.Spec.ExternalName}
	case corev1.ServiceTypeClusterIP:
		if len(s.Spec.ExternalIPs) > 0 {
			return s.Spec.ExternalIPs
		}
		return []string{s.Spec.ClusterIP}
	case corev1.ServiceTypeNodePort:
		if len(s.Spec.ExternalIPs) > 0 {
			return s.Spec.ExternalIPs
		}
		return []string{s.Spec.ClusterIP}
	}
	for _, i := range s.Status.LoadBalancer.Ingress {
		if i.IP != "" {
			out = append(out, i.IP)
		} else if i.Hostname != "" {
			out = append(out, i.Hostname)
		}
	}
	return append(out, s.Spec.ExternalIPs...)
}

// write brings every Ingress that says something else up to date.
func (w *statusWriter) write(ctx context.Context, want []networkingv1.IngressLoadBalancerIngress) error {
	list, err := w.source.Ingresses(ctx)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(statusWriters)
	written := 0
	for _, ing := range list {
		if reflect.DeepEqual(bare(ing.Status.LoadBalancer.Ingress), want) {
			continue
		}
		written++
		group.Go(func() error {
			next := ing.DeepCopy()
			next.Status.LoadBalancer.Ingress = want
			return client.IgnoreNotFound(w.client.Status().Patch(ctx, next, client.MergeFrom(ing)))
		})
	}
	err = group.Wait()
	if written > 0 && err == nil {
		w.log.Info("status written", "ingresses", written)
	}
	return err
}

// bare leaves out the ports, which we do not write. An empty list is nil.
func bare(list []networkingv1.IngressLoadBalancerIngress) (out []networkingv1.IngressLoadBalancerIngress) {
	for _, i := range list {
		i.Ports = nil
		out = append(out, i)
	}
	return out
}

// shutdown takes the addresses away, and the lease of the election, when no
// other pod of ours goes on.
func (w *statusWriter) shutdown() {
	if !w.RemoveOnShutdown {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if addresses, err := w.addresses(ctx); err == nil && len(addresses) > 1 || w.othersRun(ctx) {
		return // the next leader writes
	}
	if err := w.write(ctx, nil); err != nil {
		w.log.Error(err, "the status of Ingresses cannot be removed")
	}
	if w.DisableElection {
		return
	}
	err := w.leases.CoordinationV1().Leases(w.Namespace).Delete(ctx, w.ElectionID, metav1.DeleteOptions{})
	if client.IgnoreNotFound(err) != nil {
		w.log.Error(err, "the lease of the election cannot be removed", "lease", w.Namespace+"/"+w.ElectionID)
	}
}

// othersRun tells whether pods with the labels of this one run.
func (w *statusWriter) othersRun(ctx context.Context) bool {
	if w.Pod == "" {
		return false
	}
	own, err := w.leases.CoreV1().Pods(w.Namespace).Get(ctx, w.Pod, metav1.GetOptions{})
	if err != nil {
		return false
	}
	labels := own.Labels
	for _, l := range []string{"pod-template-hash", "controller-revision-hash", "pod-template-generation"} {
		delete(labels, l)
	}
	pods, err := w.leases.CoreV1().Pods(w.Namespace).List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: labels})})
	if err != nil {
		return false
	}
	return slices.ContainsFunc(pods.Items, func(p corev1.Pod) bool {
		return p.Name != w.Pod && p.DeletionTimestamp == nil && p.Status.Phase == corev1.PodRunning
	})
}
