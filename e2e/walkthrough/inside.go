package walkthrough

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func status(r *run) error {
	if !r.onCluster() {
		r.left("the status of Ingresses, which is in the API server")
		return nil
	}
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
	r.look(page{"config", ""}, "the live nginx.conf, with a server for foo.bar.com", func(page []byte) verdict {
		found := regexp.MustCompile(`server_name "?foo\.bar\.com"?;`).Find(page)
		return verdict{fmt.Sprintf("%d bytes with %q", len(page), found), found != nil}
	})
	r.look(page{"generations", ""}, "the generation that is live, with its hash", func(page []byte) verdict {
		var generations []generation
		if err := json.Unmarshal(page, &generations); err != nil || len(generations) == 0 {
			return verdict{fmt.Sprintf("%d generations (%v)", len(generations), err), false}
		}
		last := generations[0]
		return verdict{fmt.Sprintf("%.12s…, %s, because of %s", last.ID, last.Outcome, last.Why), last.ID != "" && last.Outcome == "confirmed"}
	})
	r.look(page{"findings", ""}, "what was refused of the Ingress default/refused, and why", func(page []byte) verdict {
		var findings []struct {
			Object         struct{ Namespace, Name string }
			Field, Message string
		}
		if err := json.Unmarshal(page, &findings); err != nil {
			return verdict{err.Error(), false}
		}
		for _, f := range findings {
			if f.Object.Namespace == namespace && f.Object.Name == "refused" && strings.Contains(f.Field, "app-root") {
				return verdict{f.Field + " " + f.Message, f.Message != ""}
			}
		}
		return verdict{fmt.Sprintf("%d findings, none about it", len(findings)), false}
	})
	r.look(page{"explain", "http://" + fooBar + "/backend"}, "the Ingress default/routing, and the pods", func(page []byte) verdict {
		var explained struct {
			Ingress string
			Servers []struct{ Endpoints []string }
		}
		if err := json.Unmarshal(page, &explained); err != nil || len(explained.Servers) == 0 {
			return verdict{fmt.Sprintf("%d servers (%v)", len(explained.Servers), err), false}
		}
		endpoints := explained.Servers[0].Endpoints
		return verdict{explained.Ingress + " to " + strings.Join(endpoints, ", "), explained.Ingress == "default/routing" && len(endpoints) > 0}
	})
	if r.onCluster() {
		r.checkEvent()
	} else {
		r.left("the Event of the Ingress that says the same")
	}
	r.expect(request{host: "refused.bar.com", path: "/app"}, "200: what was not refused of the Ingress is served", isOK)
	r.expect(request{host: fooBar, path: "/backend"}, "200, as before", isOK)
	return nil
}

func (r *run) checkEvent() {
	r.until("kubectl get events", "an Event of the Ingress refused that says the same", func() verdict {
		var events corev1.EventList
		if err := r.Client.List(r.ctx, &events, client.InNamespace(namespace)); err != nil {
			return verdict{err.Error(), false}
		}
		for _, e := range events.Items {
			if e.InvolvedObject.Kind == "Ingress" && e.InvolvedObject.Name == "refused" && strings.Contains(e.Message, "app-root") {
				return verdict{e.Type + " " + e.Reason, e.Type == corev1.EventTypeWarning}
			}
		}
		return verdict{fmt.Sprintf("%d events, none of it", len(events.Items)), false}
	})
}

// page is one of the debug endpoint: what `sidegate dump` and `sidegate explain`
// print.
type page struct {
	name string
	url  string // with explain
}

func (p page) path() string {
	if p.url != "" {
		return "/debug/" + p.name + "?url=" + p.url
	}
	return "/debug/" + p.name
}

func (p page) command() []string {
	if p.url != "" {
		return []string{p.name, p.url, "--output=json"}
	}
	return []string{"dump", p.name}
}

// read fetches a page.
func (r *run) read(p page) ([]byte, error) {
	if r.Ask == nil {
		ctx, cancel := context.WithTimeout(r.ctx, requestTimeout)
		defer cancel()
		return r.Debug(ctx, p.path())
	}
	return r.Ask(r.ctx, p.command()...)
}

// look reads a page until it is as it should be.
func (r *run) look(p page, want string, right func(text []byte) verdict) {
	sent := "GET " + p.path() + " of the debug endpoint"
	if r.Ask != nil {
		sent = "sidegate " + strings.Join(p.command(), " ")
	}
	r.until(sent, want, func() verdict {
		text, err := r.read(p)
		if err != nil {
			return verdict{err.Error(), false}
		}
		return right(text)
	})
}

// generation is one of the history, which the newest begins.
type generation struct {
	ID, Why, Outcome string
	Live             bool
}

// reloads is how often nginx has been reloaded by the controller that runs. The
// history is what tells it without a cluster: it is long enough for the story.
func (r *run) reloads() (int, error) {
	if r.Ask != nil {
		text, err := r.read(page{"generations", ""})
		if err != nil {
			return 0, err
		}
		var generations []generation
		err = json.Unmarshal(text, &generations)
		n := 0
		for _, g := range generations {
			if g.Outcome == "confirmed" {
				n++
			}
		}
		return n, err
	}
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
	return 0, fmt.Errorf("the controller's metrics hold no nginx_ingress_controller_success")
}

// checkReloads checks that something has not led to a reload.
func (r *run) checkReloads(doing string, before int) error {
	after, err := r.reloads()
	if err != nil {
		return err
	}
	sent := "GET /metrics of the controller"
	if r.Ask != nil {
		sent = "sidegate dump generations"
	}
	r.check(Check{
		Sent: sent, Want: "no reload by " + doing,
		Got: fmt.Sprintf("%d reloads before and %d after", before, after), OK: before == after,
	})
	return nil
}
