package status

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestOfService(t *testing.T) {
	balancer := func(list ...corev1.LoadBalancerIngress) *corev1.Service {
		s := &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, ClusterIP: "10.0.0.1"}}
		s.Status.LoadBalancer.Ingress = list
		return s
	}
	with := func(s *corev1.Service, external ...string) *corev1.Service { s.Spec.ExternalIPs = external; return s }
	of := func(kind corev1.ServiceType, ip string) *corev1.Service {
		return &corev1.Service{Spec: corev1.ServiceSpec{Type: kind, ClusterIP: ip}}
	}
	for name, tt := range map[string]struct {
		service *corev1.Service
		want    string
	}{
		"a balancer with an address and a hostname keeps both": {balancer(corev1.LoadBalancerIngress{IP: "192.0.2.1", Hostname: "lb.example.com"}), "[192.0.2.1 lb.example.com]"},
		"a balancer of two, and external addresses":            {with(balancer(corev1.LoadBalancerIngress{Hostname: "b"}, corev1.LoadBalancerIngress{Hostname: "a"}), "192.0.2.9", "192.0.2.9"), "[ a] [ b] [192.0.2.9 ]"},
		"a balancer without an address yet":                    {balancer(), ""},
		"an address that is empty":                             {balancer(corev1.LoadBalancerIngress{}), ""},
		"a cluster address":                                    {of(corev1.ServiceTypeClusterIP, "10.0.0.1"), "[10.0.0.1 ]"},
		"a headless Service":                                   {of(corev1.ServiceTypeClusterIP, corev1.ClusterIPNone), ""},
		"a headless Service with external addresses":           {with(of(corev1.ServiceTypeClusterIP, corev1.ClusterIPNone), "192.0.2.3"), "[192.0.2.3 ]"},
		"ports of nodes":                                       {of(corev1.ServiceTypeNodePort, "10.0.0.2"), "[10.0.0.2 ]"},
		"external addresses win":                               {with(of(corev1.ServiceTypeNodePort, "10.0.0.2"), "2001:db8::1"), "[2001:db8::1 ]"},
		"a name":                                               {&corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "x.example.com"}}, "[ x.example.com]"},
	} {
		got := ""
		for _, i := range OfService(tt.service) {
			got += fmt.Sprintf("[%s %s] ", i.IP, i.Hostname)
		}
		if got = strings.TrimSpace(got); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
