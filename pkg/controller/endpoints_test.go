package controller

import (
	"context"
	"testing"

	"github.com/sidegate/sidegate/pkg/snapshot"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// late is a Source in which something happens just after a snapshot was taken.
type late struct {
	Source
	happens func()
}

func (l late) Snapshot(ctx context.Context) (*snapshot.Snapshot, error) {
	s, err := l.Source.Snapshot(ctx)
	l.happens()
	return s, err
}

// TestEndpointsDuringRun: a pod becomes ready while a run is under way, for an
// upstream that the run adds, and then again for one that was there. No event
// follows, so it must not be forgotten.
func TestEndpointsDuringRun(t *testing.T) {
	r := newRig(t, "")
	key := types.NamespacedName{Namespace: "default", Name: "late"}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)}}},
	}
	slice := func(address string) []*discoveryv1.EndpointSlice {
		return []*discoveryv1.EndpointSlice{{
			AddressType: discoveryv1.AddressTypeIPv4,
			Ports:       []discoveryv1.EndpointPort{{Name: ptr.To("http"), Port: ptr.To[int32](8080)}},
			Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)}}},
		}}
	}
	r.put("late", `
apiVersion: v1
kind: Service
metadata: {name: late, namespace: default}
spec:
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: late, namespace: default}
spec:
  ingressClassName: nginx
  rules:
    - host: late.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: late, port: {number: 80}}}}]}
`)
	source := r.Pipeline.Source
	for _, address := range []string{"10.0.0.1", "10.0.0.2"} {
		r.Pipeline.Source = late{source, func() { r.Pipeline.Endpoints(key, service, slice(address)) }}
		check := func(when string) {
			var got []string
			for _, s := range r.Pipeline.Table.States() {
				for _, a := range s.Addresses {
					got = append(got, a.String())
				}
			}
			if len(got) != 1 || got[0] != address {
				t.Errorf("%s discovery has %v, want %s, which was told during the run", when, got, address)
			}
		}
		r.Pipeline.Report = func(_, _ *State) { check("while the run goes on") }
		if _, err := r.Pipeline.Run(t.Context(), "test"); err != nil {
			t.Log(err) // nginx may not run yet
		}
		check("after the run")
	}
}
