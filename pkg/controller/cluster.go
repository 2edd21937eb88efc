package controller

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/status"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// ClusterConfig says how a cluster is read and reported to.
type ClusterConfig struct {
	Config
	Classes        snapshot.Classes
	WatchNamespace string
	ConfigMap      types.NamespacedName
	// HealthAddress serves metrics and health, at HealthPath and beside it.
	HealthAddress, HealthPath string
	Election                  ElectionConfig
	// Status is what Ingresses report; DisableStatus has nothing written, and
	// KeepStatus nothing removed at the end.
	Status                                   status.Config
	DisableStatus, KeepStatus, DisableEvents bool
	// ShutdownGrace is for everything to end in order.
	ShutdownGrace time.Duration
	// Debug is started with the rest; nil is none.
	Debug func(*Core) manager.Runnable
}

// RunCluster runs the controller against an API server until ctx ends.
func RunCluster(ctx context.Context, rc *rest.Config, c ClusterConfig) error {
	source := &snapshot.Source{
		Classes: c.Classes,
		Scope: snapshot.Scope{
			Namespace: c.WatchNamespace, ConfigMap: c.ConfigMap,
			Services: []types.NamespacedName{c.Status.Service},
			Backends: []types.NamespacedName{c.Translate.DefaultBackend},
			Secrets:  []types.NamespacedName{c.Translate.DefaultCertificate},
		},
		References: func(ing *networkingv1.Ingress) snapshot.References {
			return snapshot.References(annotations.References(c.Translate.AnnotationPrefixes, ing))
		},
		Log: c.Log.WithName("snapshot"),
	}
	core, err := NewCore(ctx, c.Config, source)
	if err != nil {
		return err
	}
	mgr, err := newManager(rc, c, source.Scope)
	if err != nil {
		return err
	}
	source.Reader, source.Live = mgr.GetCache(), mgr.GetAPIReader()
	source.Again = func(after time.Duration, why string) { time.AfterFunc(after, func() { core.Trigger(why) }) }
	// The last good versions, in case that a newer one is refused. Snapshots are
	// taken by runs, and it is those that write here.
	source.Held = core.Pipeline.admission.ingresses
	if err := mgr.GetFieldIndexer().IndexField(ctx, &discoveryv1.EndpointSlice{}, snapshot.ServiceIndex, snapshot.IndexService); err != nil {
		return err
	}
	leader, reporter, err := newReports(mgr, c, core, source)
	if err != nil {
		return err
	}
	core.Pipeline.Report = reporter.report
	w := watches{source: source, trigger: core.Trigger, publishing: reporter.serviceChanged}
	if err := w.start(ctx, mgr.GetCache()); err != nil {
		return err
	}
	if err := watchEndpoints(mgr, core, source); err != nil {
		return err
	}
	runnables := []manager.Runnable{
		manager.RunnableFunc(func(ctx context.Context) error {
			if !mgr.GetCache().WaitForCacheSync(ctx) {
				return fmt.Errorf("the caches could not be filled")
			}
			return core.Run(ctx, func() { core.Trigger("start") })
		}),
		leader,
	}
	if reporter.own != nil {
		runnables = append(runnables, manager.RunnableFunc(func(ctx context.Context) error { reporter.own.Run(ctx); return nil }))
	}
	if c.Debug != nil {
		runnables = append(runnables, c.Debug(core))
	}
	for _, r := range runnables {
		if err := mgr.Add(r); err != nil {
			return err
		}
	}
	var group sync.WaitGroup
	defer group.Wait()
	ending, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end() // health answers until all else has ended
	group.Go(func() { newHealth(c, core).Serve(ending) })
	return mgr.Start(ctx)
}

// newManager makes a manager whose caches hold what is needed.
func newManager(rc *rest.Config, c ClusterConfig, scope snapshot.Scope) (manager.Manager, error) {
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, err
	}
	grace := c.ShutdownGrace
	return ctrl.NewManager(rc, ctrl.Options{
		Scheme: scheme,
		Logger: c.Log,
		Cache:  snapshot.CacheOptions(scope),
		// A client that reads a Secret by the cache has all of them kept.
		Client:                  client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}},
		Metrics:                 metricsserver.Options{BindAddress: "0"}, // see newHealth
		GracefulShutdownTimeout: &grace,
	})
}

// watchEndpoints takes endpoints to discovery, past the runs.
func watchEndpoints(mgr manager.Manager, core *Core, source *snapshot.Source) error {
	toService := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		name := o.GetLabels()[discoveryv1.LabelServiceName]
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: name}}}
	})
	return builder.ControllerManagedBy(mgr).Named("endpoints").
		Watches(&discoveryv1.EndpointSlice{}, toService).
		WithOptions(controller.Options{NeedLeaderElection: new(false), SkipNameValidation: new(true)}).
		Complete(reconcile.Func(func(ctx context.Context, r reconcile.Request) (reconcile.Result, error) {
			service, slices, err := source.Backend(ctx, r.NamespacedName)
			if err != nil {
				return reconcile.Result{}, err
			}
			if core.Pipeline.Endpoints(r.NamespacedName, service, slices) {
				core.Trigger("endpoints of Service " + r.String())
			}
			return reconcile.Result{}, nil
		}))
}
