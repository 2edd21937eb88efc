package kit

import (
	"context"
	"errors"
	"net/netip"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// OneAddress gives all load balancers the address NodeIP.
func OneAddress() netip.Addr { return NodeIP }

// ServeBalancers stands in for a cloud's controller of load balancers, until
// ctx ends: every Service of type LoadBalancer gets an address.
func ServeBalancers(ctx context.Context, config *rest.Config, address func() netip.Addr, log logr.Logger) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	informer := factory.Core().V1().Services().Informer()
	assign := func(o any) {
		service := o.(*corev1.Service)
		if service.Spec.Type != corev1.ServiceTypeLoadBalancer || len(service.Status.LoadBalancer.Ingress) > 0 {
			return
		}
		service = service.DeepCopy()
		service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address().String()}}
		err := retry(ctx, log, "balancer", func() error {
			_, err := client.CoreV1().Services(service.Namespace).UpdateStatus(ctx, service, metav1.UpdateOptions{})
			return err
		})
		if err != nil && ctx.Err() == nil {
			// A conflict is followed by the event of the change that it is with.
			log.V(1).Info("the Service got no address", "service", service.Namespace+"/"+service.Name, "error", err.Error())
		}
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    assign,
		UpdateFunc: func(_, o any) { assign(o) },
	}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return errors.New("listing services: " + context.Cause(ctx).Error())
	}
	return nil
}
