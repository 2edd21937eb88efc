package walkthrough

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
)

func status(r *run) error {
	var service corev1.Service
	if err := r.Client.Get(r.ctx, types.NamespacedName{Namespace: "ingress-nginx", Name: "ingress-nginx-controller"}, &service); err != nil {
		return err
	}
	var want []string
	for _, i := range service.Status.LoadBalancer.Ingress {
		want = append(want, i.IP+i.Hostname)
	}
	address := strings.Join(want, ",")
	r.until("kubectl get ingress routing", "ADDRESS "+address+", that of the Service ingress-nginx-controller", func() verdict {
		var ingress networkingv1.Ingress
		if err := r.Client.Get(r.ctx, types.NamespacedName{Namespace: namespace, Name: "routing"}, &ingress); err != nil {
			return verdict{err.Error(), false}
		}
		var got []string
		for _, i := range ingress.Status.LoadBalancer.Ingress {
			got = append(got, i.IP+i.Hostname)
		}
		return verdict{"ADDRESS " + strings.Join(got, ","), address != "" && strings.Join(got, ",") == address}
	})
	return nil
}

func inside(r *run) error {
	if err := r.apply("11-refused.yaml"); err != nil {
		return err
	}
	contains := func(path string, words ...string) {
		r.until("GET http://"+r.Debug+path, "a page that holds "+strings.Join(words, ", "), func() verdict {
			page, err := r.ask(r.Debug, path)
			if err != nil {
				return verdict{err.Error(), false}
			}
			for _, word := range words {
				if !strings.Contains(page, word) {
					return verdict{fmt.Sprintf("%d bytes without %s", len(page), word), false}
				}
			}
			return verdict{fmt.Sprintf("%d bytes with all of that", len(page)), true}
		})
	}
	contains("/debug/config", "server_name "+fooBar, "refused.bar.com")
	contains("/debug/generations", "hash")
	contains("/debug/findings", namespace+"/refused", "app-root")
	contains("/debug/explain?url=http://"+fooBar+"/backend", "routing", "/backend")
	r.expect(request{host: "refused.bar.com", path: "/app"}, "200: what was not refused of the Ingress is served", isOK)
	page, err := r.ask(r.Debug, "/debug/config")
	if err != nil {
		return err
	}
	r.check(Check{
		Sent: "GET http://" + r.Debug + "/debug/config", Want: `no "mine now", which the refused value would have answered`,
		Got: fmt.Sprintf("%q occurs %d times", "mine now", strings.Count(page, "mine now")), OK: !strings.Contains(page, "mine now"),
	})
	return nil
}

// reloads is how often nginx has been reloaded by the controller that runs.
func (r *run) reloads() (int, error) {
	page, err := r.ask(r.Health, "/metrics")
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(page, "\n") {
		if rest, ok := strings.CutPrefix(line, "nginx_ingress_controller_success"); ok {
			fields := strings.Fields(rest)
			n, err := strconv.ParseFloat(fields[len(fields)-1], 64)
			return int(n), err
		}
	}
	return 0, fmt.Errorf("http://%s/metrics holds no nginx_ingress_controller_success", r.Health)
}

// checkReloads checks that something has not led to a reload.
func (r *run) checkReloads(doing string, before int) error {
	after, err := r.reloads()
	if err != nil {
		return err
	}
	r.check(Check{
		Sent: "GET http://" + r.Health + "/metrics", Want: "no reload by " + doing,
		Got: fmt.Sprintf("%d reloads before and %d after", before, after), OK: before == after,
	})
	return nil
}
