package kit_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/pkg/echo"
)

// The resolver of the machine, as /etc/resolv.conf sets it within the
// namespace, finds the pods of a Service by its name.
func TestClusterNames(t *testing.T) {
	c := newCluster(t, kit.Functions{Images: map[string]kit.Program{"test/echo": echo.Program(echo.Echo, 0)}})
	if err := kit.ServeDNS(c.ctx, plane.Client, kit.DNSIP); err != nil {
		t.Fatal(err)
	}
	alias := &corev1.Service{Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeExternalName, ExternalName: "echo." + c.namespace + ".svc.cluster.local",
	}}
	alias.Name = "alias"
	c.create(c.deployment("echo", 2, corev1.Container{Name: "echo", Image: "test/echo"}), c.service("echo", intstr.FromInt32(8080)), alias)

	var want []string
	for _, pod := range c.readyPods(2) {
		want = append(want, pod.Status.PodIP)
	}
	slices.Sort(want)
	for _, name := range []string{"echo", "alias"} {
		name += "." + c.namespace + ".svc.cluster.local"
		eventually(t, name+" is the two pods", func() error {
			got, err := net.DefaultResolver.LookupHost(context.Background(), name)
			if slices.Sort(got); err != nil || !slices.Equal(got, want) {
				return fmt.Errorf("%v (%v), want %v", got, err, want)
			}
			return nil
		})
	}
	var missing *net.DNSError
	if _, err := net.LookupHost("none." + c.namespace + ".svc.cluster.local"); !errors.As(err, &missing) || !missing.IsNotFound {
		t.Errorf("a name without a Service: %v, want that it is not found", err)
	}
}
