package controller

import (
	"context"
	"maps"

	"github.com/sidegate/sidegate/pkg/snapshot"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// watches asks for a run for every change that can need one, and for no other:
// a run costs what the whole configuration costs, and a cluster changes all
// the time.
type watches struct {
	source  *snapshot.Source
	trigger func(why string)
	// publishing is called with every Service that changes.
	publishing func(client.Object)
}

// start begins to watch. Objects that are there already make no run: the run
// of the start is after them.
func (w watches) start(ctx context.Context, c cache.Cache) error {
	objects := map[string]client.Object{"Ingress": &networkingv1.Ingress{}, "Service": &corev1.Service{}, "Secret": snapshot.SecretMetadata()}
	relevant := map[string]func(ctx context.Context, old, now client.Object) bool{
		"Ingress": w.ingress, "Service": w.service, "Secret": w.secret,
	}
	if !w.source.Classes.Offline {
		objects["IngressClass"], relevant["IngressClass"] = &networkingv1.IngressClass{}, w.class
	}
	if w.source.Scope.ConfigMap.Name != "" {
		objects["ConfigMap"], relevant["ConfigMap"] = &corev1.ConfigMap{}, w.configMap
	}
	for kind, object := range objects {
		informer, err := c.GetInformer(ctx, object, cache.BlockUntilSynced(false))
		if err != nil {
			return err
		}
		changed := func(old, now client.Object) {
			o := now
			if o == nil {
				o = old
			}
			if relevant[kind](ctx, old, now) {
				w.trigger(kind + " " + client.ObjectKeyFromObject(o).String())
			}
		}
		_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerDetailedFuncs{
			AddFunc: func(o any, initial bool) {
				if now, ok := o.(client.Object); ok && !initial {
					changed(nil, now)
				}
			},
			UpdateFunc: func(o, n any) {
				old, ok1 := o.(client.Object)
				now, ok2 := n.(client.Object)
				if ok1 && ok2 && old.GetResourceVersion() != now.GetResourceVersion() {
					changed(old, now)
				}
			},
			DeleteFunc: func(o any) {
				if unknown, ok := o.(toolscache.DeletedFinalStateUnknown); ok {
					o = unknown.Obj
				}
				if old, ok := o.(client.Object); ok {
					changed(old, nil)
				}
			},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// In what follows, old is nil for an object that is new, and now for one that
// is gone.

// ingress passes what changes what is read of Ingresses of ours: not the
// status, which we write ourselves, labels or finalizers. One that is being
// deleted is as good as gone.
func (w watches) ingress(ctx context.Context, old, now client.Object) bool {
	before, after := w.ours(ctx, old), w.ours(ctx, now)
	if before == nil || after == nil {
		return before != nil || after != nil
	}
	return before.UID != after.UID || snapshot.Version(before) != snapshot.Version(after)
}

// ours returns the Ingress where it is one that is served.
func (w watches) ours(ctx context.Context, o client.Object) *networkingv1.Ingress {
	ing, ok := o.(*networkingv1.Ingress)
	if !ok || ing.DeletionTimestamp != nil || !w.source.Ours(ctx, ing) {
		return nil
	}
	return ing
}

// service passes what is read of Services that something names.
func (w watches) service(_ context.Context, old, now client.Object) bool {
	before, ok1 := old.(*corev1.Service)
	after, ok2 := now.(*corev1.Service)
	either := after
	if !ok2 {
		either = before
	}
	changed := !ok1 || !ok2 || !equality.Semantic.DeepEqual(before.Spec, after.Spec)
	if changed || !equality.Semantic.DeepEqual(before.Status, after.Status) {
		w.publishing(either)
	}
	return changed && w.source.WantsService(client.ObjectKeyFromObject(either))
}

// secret passes Secrets that something names.
func (w watches) secret(_ context.Context, old, now client.Object) bool {
	if now == nil {
		now = old
	}
	return w.source.Wants(client.ObjectKeyFromObject(now))
}

// class passes what changes which Ingresses are ours.
func (w watches) class(_ context.Context, old, now client.Object) bool {
	before, after := w.ourClass(old), w.ourClass(now)
	if before == nil || after == nil {
		return before != nil || after != nil
	}
	return !maps.Equal(before.Annotations, after.Annotations)
}

// ourClass returns the IngressClass where its Ingresses are ours.
func (w watches) ourClass(o client.Object) *networkingv1.IngressClass {
	class, ok := o.(*networkingv1.IngressClass)
	if !ok || !w.source.Classes.OursByController(class) {
		return nil
	}
	return class
}

// configMap passes what changes the settings.
func (w watches) configMap(_ context.Context, old, now client.Object) bool {
	return old == nil || now == nil || snapshot.Version(old) != snapshot.Version(now)
}
