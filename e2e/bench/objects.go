package main

import (
	"fmt"
	"net/netip"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	namespace   = "default"
	backendPort = 8080
	// writers is how many requests to the API server are under way at once.
	writers = 16
)

// createCommon makes what every cluster has once.
func (s *suite) createCommon() error {
	for _, o := range []client.Object{ingressClass(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ingress-nginx"}}} {
		if err := s.api.Create(s.ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// grow makes Ingresses until there are size of them, each with a host, a
// Service and an EndpointSlice of its own.
func (s *suite) grow(size int) error {
	progress("growing from %d to %d Ingresses", s.size, size)
	if err := s.stopGateway(); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(s.ctx)
	group.SetLimit(writers)
	for i := s.size; i < size; i++ {
		group.Go(func() error {
			name := fillerName(i)
			for _, o := range append(application(name, s.backends.first), ingress(name)) {
				if err := s.api.Create(ctx, o); err != nil {
					return err
				}
			}
			return nil
		})
	}
	s.size = size
	return group.Wait()
}

func fillerName(i int) string { return fmt.Sprintf("app-%05d", i) }

// host is the one of the Ingress with this name.
func host(name string) string { return name + ".example.com" }

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

func ingressClass() *networkingv1.IngressClass {
	return &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "nginx"}, Spec: networkingv1.IngressClassSpec{Controller: "k8s.io/ingress-nginx"}}
}

// application is a Service and its EndpointSlice.
func application(name string, endpoints []netip.Addr) []client.Object {
	return []client.Object{
		&corev1.Service{ObjectMeta: meta(name), Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}},
		&discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: name + "-1", Labels: map[string]string{discoveryv1.LabelServiceName: name},
			},
			AddressType: discoveryv1.AddressTypeIPv4,
			Ports:       []discoveryv1.EndpointPort{{Name: ptr.To(""), Port: ptr.To[int32](backendPort)}},
			Endpoints:   endpointList(endpoints),
		},
	}
}

func endpointList(addresses []netip.Addr) []discoveryv1.Endpoint {
	var out []discoveryv1.Endpoint
	for _, a := range addresses {
		out = append(out, discoveryv1.Endpoint{
			Addresses:  []string{a.String()},
			Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true), Serving: ptr.To(true), Terminating: ptr.To(false)},
		})
	}
	return out
}

// ingress is a plain one: a host, two paths, the Service of the same name.
func ingress(name string) *networkingv1.Ingress {
	path := func(p string) networkingv1.HTTPIngressPath {
		return networkingv1.HTTPIngressPath{Path: p, PathType: ptr.To(networkingv1.PathTypePrefix), Backend: networkingv1.IngressBackend{
			Service: &networkingv1.IngressServiceBackend{Name: name, Port: networkingv1.ServiceBackendPort{Number: 80}},
		}}
	}
	return &networkingv1.Ingress{ObjectMeta: meta(name), Spec: networkingv1.IngressSpec{
		IngressClassName: ptr.To("nginx"),
		Rules: []networkingv1.IngressRule{{Host: host(name), IngressRuleValue: networkingv1.IngressRuleValue{
			HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{path("/"), path("/api")}},
		}}},
	}}
}
