package reports_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sidegate/sidegate/pkg/status"
)

// source reads a namespace from the API server.
type source struct {
	namespace string
	// reader can be taken another one, and asked counts the questions.
	reader atomic.Pointer[client.Client]
	asked  atomic.Int64
}

func (s *source) Ingresses(ctx context.Context) (out []*networkingv1.Ingress, err error) {
	var list networkingv1.IngressList
	err = plane.Client.List(ctx, &list, client.InNamespace(s.namespace))
	for i := range list.Items {
		out = append(out, &list.Items[i])
	}
	return out, err
}

func (s *source) Backend(ctx context.Context, key types.NamespacedName) (*corev1.Service, []*discoveryv1.EndpointSlice, error) {
	s.asked.Add(1)
	var service corev1.Service
	if err := (*s.reader.Load()).Get(ctx, key, &service); err != nil {
		return nil, nil, client.IgnoreNotFound(err)
	}
	return &service, nil, nil
}

type statusTest struct {
	*testing.T
	namespace string
	source    *source
	writer    *status.Writer
	log       journal
}

func newStatusTest(t *testing.T, namespace string, config status.Config) *statusTest {
	s := &statusTest{T: t, namespace: newNamespace(t, namespace), source: &source{namespace: namespace}}
	s.source.reader.Store(&plane.Client)
	s.writer = status.New(config, s.log.logger(), plane.Client, s.source)
	return s
}

func (s *statusTest) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *statusTest) ingress(name string) {
	s.Helper()
	s.must(plane.Client.Create(s.Context(), &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name},
		Spec: networkingv1.IngressSpec{DefaultBackend: &networkingv1.IngressBackend{
			Service: &networkingv1.IngressServiceBackend{Name: "app", Port: networkingv1.ServiceBackendPort{Number: 80}},
		}},
	}))
}

// service makes the publishing Service, with what its balancer has.
func (s *statusTest) service(list ...corev1.LoadBalancerIngress) *corev1.Service {
	s.Helper()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "entry"},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: []corev1.ServicePort{{Port: 80}}},
	}
	s.must(plane.Client.Create(s.Context(), service))
	s.balancer(service, list...)
	return service
}

func (s *statusTest) balancer(service *corev1.Service, list ...corev1.LoadBalancerIngress) {
	s.Helper()
	service.Status.LoadBalancer.Ingress = list
	s.must(plane.Client.Status().Update(s.Context(), service))
}

func shown(ing *networkingv1.Ingress) (out string) {
	for _, i := range ing.Status.LoadBalancer.Ingress {
		out += "[" + i.IP + " " + i.Hostname + "]"
	}
	return out
}

func (s *statusTest) becomes(name, want string) {
	s.Helper()
	eventually(s.T, "the status of "+name, func() error {
		s.writer.Changed()
		var ing networkingv1.Ingress
		if err := plane.Client.Get(s.Context(), types.NamespacedName{Namespace: s.namespace, Name: name}, &ing); err != nil {
			return err
		}
		if got := shown(&ing); got != want {
			return fmt.Errorf("it is %q and not %q", got, want)
		}
		return nil
	})
}

// compared waits until all was compared with what there is now.
func (s *statusTest) compared() {
	s.Helper()
	begin := s.source.asked.Load()
	eventually(s.T, "it is compared again", func() error {
		s.writer.Changed()
		if s.source.asked.Load() < begin+3 {
			return errors.New("not yet")
		}
		return nil
	})
}

// What is not known at the moment empties no status: not a Service that is
// gone, nor one without an address, nor an API that refuses to say.
func TestStatusStaysWhereTheAddressIsNotKnown(t *testing.T) {
	s := newStatusTest(t, "status-stays", status.Config{Service: types.NamespacedName{Namespace: "status-stays", Name: "entry"}})
	s.ingress("a")
	service := s.service(corev1.LoadBalancerIngress{IP: "192.0.2.1", Hostname: "lb.example.com"})
	// Every version of the Ingress is seen, also one that lasted a moment.
	api, err := client.NewWithWatch(plane.Config, client.Options{})
	s.must(err)
	watch, err := api.Watch(t.Context(), &networkingv1.IngressList{}, client.InNamespace(s.namespace))
	s.must(err)
	stop := running(t, s.writer.Run)
	const both = "[192.0.2.1 lb.example.com]"
	s.becomes("a", both)

	s.balancer(service) // it has no address now
	s.compared()
	s.must(plane.Client.Delete(t.Context(), service))
	s.compared()
	forbidden := rest.CopyConfig(plane.Config)
	forbidden.Impersonate = rest.ImpersonationConfig{UserName: "nobody"}
	refused, err := client.New(forbidden, client.Options{})
	s.must(err)
	s.source.reader.Store(&refused)
	s.compared()
	s.source.reader.Store(&plane.Client)
	s.service(corev1.LoadBalancerIngress{IP: "192.0.2.2"})
	s.becomes("a", "[192.0.2.2 ]")
	stop()
	watch.Stop()

	var versions []string
	for e := range watch.ResultChan() {
		if ing, ok := e.Object.(*networkingv1.Ingress); ok {
			versions = append(versions, shown(ing))
		}
	}
	if got := strings.TrimLeft(strings.Join(versions, ","), ","); got != both+",[192.0.2.2 ]" {
		t.Errorf("the versions of the Ingress were %s", got)
	}
	for _, want := range []string{"it has no address", "it does not exist", "forbidden"} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, &s.log)
		}
	}
}

// refuse has the API server refuse the status of one Ingress, until the
// function that it returns is called.
func (s *statusTest) refuse(name string) (end func()) {
	s.Helper()
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: s.namespace},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Update},
					Rule:       admissionv1.Rule{APIGroups: []string{"networking.k8s.io"}, APIVersions: []string{"v1"}, Resources: []string{"ingresses/status"}},
				},
			}}},
			Validations: []admissionv1.Validation{{Expression: fmt.Sprintf("object.metadata.namespace != '%s' || object.metadata.name != '%s'", s.namespace, name), Message: "refused by the test"}},
		},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: s.namespace},
		Spec:       admissionv1.ValidatingAdmissionPolicyBindingSpec{PolicyName: s.namespace, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny}},
	}
	s.must(plane.Client.Create(s.Context(), policy))
	s.must(plane.Client.Create(s.Context(), binding))
	key := types.NamespacedName{Namespace: s.namespace, Name: name}
	eventually(s.T, "the API server refuses", func() error {
		var ing networkingv1.Ingress
		s.must(plane.Client.Get(s.Context(), key, &ing))
		next := ing.DeepCopy()
		next.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "203.0.113.1"}}
		if err := plane.Client.Status().Patch(s.Context(), next, client.MergeFrom(&ing), client.DryRunAll); err == nil {
			return errors.New("it takes the status")
		}
		return nil
	})
	return func() { s.must(plane.Client.Delete(context.WithoutCancel(s.Context()), binding)) }
}

// A status that cannot be written starves no other, and is written when it can.
func TestOneStatusStarvesNoOther(t *testing.T) {
	s := newStatusTest(t, "status-starves", status.Config{Addresses: []string{"192.0.2.1", "lb.example.com"}})
	for i := range 40 {
		s.ingress(fmt.Sprintf("i%02d", i))
	}
	const want = "[ lb.example.com][192.0.2.1 ]"
	s.ingress("a-stuck")
	end := s.refuse("a-stuck")
	running(t, s.writer.Run)
	for i := range 40 {
		s.becomes(fmt.Sprintf("i%02d", i), want)
	}
	if !strings.Contains(s.log.String(), "status-starves/a-stuck") {
		t.Errorf("the log does not name it:\n%s", &s.log)
	}
	s.ingress("later")
	s.becomes("later", want)
	end()
	s.becomes("a-stuck", want)
}

// Removing does what it can in its time and says what is left.
func TestRemoveInTime(t *testing.T) {
	s := newStatusTest(t, "status-remove", status.Config{Addresses: []string{"192.0.2.1"}})
	names := []string{"a-stuck"}
	for i := range 20 {
		names = append(names, fmt.Sprintf("i%02d", i))
	}
	for _, n := range names {
		s.ingress(n)
	}
	stop := running(t, s.writer.Run)
	for _, n := range names {
		s.becomes(n, "[192.0.2.1 ]")
	}
	stop()
	over, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-over.Done()
	s.writer.Remove(over)
	s.becomes("i00", "[192.0.2.1 ]")
	end := s.refuse("a-stuck")
	s.writer.Remove(t.Context())
	for _, n := range names[1:] {
		s.becomes(n, "")
	}
	s.becomes("a-stuck", "[192.0.2.1 ]")
	if log := s.log.String(); !strings.Contains(log, `"left"=1 "removed"=20 "first"="status-remove/a-stuck"`) {
		t.Errorf("the log does not say what is left:\n%s", log)
	}
	end()
}
