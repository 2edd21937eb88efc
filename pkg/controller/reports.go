package controller

import (
	"cmp"
	"context"

	"github.com/sidegate/sidegate/pkg/events"
	"github.com/sidegate/sidegate/pkg/held"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/status"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// newReports makes what is written to the API, and who writes it.
func newReports(mgr manager.Manager, c ClusterConfig, core *Core, source *snapshot.Source) (*leader, *reporter, error) {
	api, err := kubernetes.NewForConfig(mgr.GetConfig())
	if err != nil {
		return nil, nil, err
	}
	l := &leader{
		ElectionConfig: c.Election, log: c.Log.WithName("leader"), api: api, metrics: core.Pipeline.Metrics, grace: c.ShutdownGrace,
	}
	r := &reporter{log: c.Log.WithName("findings"), leads: l.Leads, self: core.Pipeline.Self}
	r.status = status.New(c.Status, c.Log.WithName("status"), mgr.GetClient(), source)
	if !c.DisableStatus && r.status.Reports() {
		l.duties = append(l.duties, r.status.Run)
		if !c.KeepStatus {
			l.last = r.status.Remove
		}
	}
	keeper := core.Pipeline.keeper
	keeper.shared = &held.ConfigMap{
		Client: api.CoreV1(), Namespace: c.Election.Namespace, Name: held.ConfigMapName(c.Election.ID), Log: c.Log.WithName("held"),
	}
	l.duties = append(l.duties, keeper.run)
	if !c.DisableEvents {
		instance := cmp.Or(c.Election.Pod, events.Controller)
		writer := func() *events.Writer {
			return events.New(c.Log.WithName("events"), api.EventsV1(), instance[:min(len(instance), 128)], uids(mgr.GetClient(), mgr.GetAPIReader()))
		}
		r.events, r.own = writer(), writer()
		l.duties = append(l.duties, r.events.Run)
	}
	return l, r, nil
}

// uids looks objects up that the caches hold, and the pod of this process,
// which they do not.
func uids(api, live client.Reader) func(context.Context, model.Object) types.UID {
	return func(ctx context.Context, o model.Object) types.UID {
		api := api
		var object client.Object
		switch o.Kind {
		case "Ingress":
			object = &networkingv1.Ingress{}
		case "Service":
			object = &corev1.Service{}
		case "Pod":
			api, object = live, &corev1.Pod{}
		default:
			return ""
		}
		if err := api.Get(ctx, types.NamespacedName{Namespace: o.Namespace, Name: o.Name}, object); err != nil {
			return "" // it is about one that is not there
		}
		return object.GetUID()
	}
}
