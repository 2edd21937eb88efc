package tenants_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing/fstest"
	"time"

	"github.com/sidegate/sidegate/e2e/kit"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// apply applies a file of testdata; objects without a namespace are evil's.
func (w *world) apply(files ...string) {
	w.t.Helper()
	for _, file := range files {
		fs := fstest.MapFS{file: {Data: w.expand(file)}}
		if err := kit.Apply(w.t.Context(), w.client, fs, "evil", file); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) remove(files ...string) {
	w.t.Helper()
	for _, file := range files {
		fs := fstest.MapFS{file: {Data: w.expand(file)}}
		if err := kit.Delete(w.t.Context(), w.client, fs, "evil", file); err != nil {
			w.t.Error(err)
		}
	}
}

// ingress is one with one path.
func ingress(namespace, name, host, path string) *networkingv1.Ingress {
	return &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: networkingv1.IngressSpec{
			IngressClassName: ptr.To("nginx"),
			Rules: []networkingv1.IngressRule{{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: path, PathType: ptr.To(networkingv1.PathTypeImplementationSpecific), Backend: networkingv1.IngressBackend{
					Service: &networkingv1.IngressServiceBackend{Name: namespace, Port: networkingv1.ServiceBackendPort{Number: 80}},
				}}},
			}}}},
		},
	}
}

func annotated(ing *networkingv1.Ingress, pairs ...string) *networkingv1.Ingress {
	ing.Annotations = map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		ing.Annotations["nginx.ingress.kubernetes.io/"+pairs[i]] = pairs[i+1]
	}
	return ing
}

func (w *world) create(objects ...client.Object) {
	w.t.Helper()
	for _, o := range objects {
		if err := w.client.Create(w.t.Context(), o); err != nil {
			w.t.Fatal(err)
		}
	}
}

// createAll creates many at once.
func (w *world) createAll(objects []client.Object) {
	w.t.Helper()
	todo, failed := make(chan client.Object), make(chan error, len(objects))
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for o := range todo {
				if err := w.client.Create(w.t.Context(), o); err != nil {
					failed <- err
				}
			}
		})
	}
	for _, o := range objects {
		todo <- o
	}
	close(todo)
	wait.Wait()
	close(failed)
	for err := range failed {
		w.t.Error(err)
	}
}

func (w *world) delete(objects ...client.Object) {
	w.t.Helper()
	for _, o := range objects {
		if err := client.IgnoreNotFound(w.client.Delete(background(), o)); err != nil {
			w.t.Error(err)
		}
	}
}

// anotherIsServed adds an Ingress of a third tenant, and fails where it is not
// served soon.
func (w *world) anotherIsServed() {
	w.t.Helper()
	w.added++
	host := fmt.Sprintf("another%d.test", w.added)
	o := ingress("neighbour", fmt.Sprintf("another%d", w.added), host, "/")
	w.create(o)
	began := time.Now()
	w.within(soon, "another tenant's Ingress is served", func() error { return served(host, "neighbour") })
	w.t.Logf("another tenant's Ingress took %v", time.Since(began).Round(10*time.Millisecond))
	// Until then a worker of the generation before may answer what comes next.
	w.within(soon, "its generation is confirmed", func() error {
		text, err := w.gateway.Debug(w.t.Context(), "/debug/config")
		if err == nil && !strings.Contains(string(text), host) {
			err = fmt.Errorf("the live generation lacks %s", host)
		}
		return err
	})
	w.delete(o)
}

// served returns nil where the host is answered by a pod of that name.
func served(host, pod string) error {
	a, err := ask(question{host: host})
	switch {
	case err != nil:
		return err
	case a.status != http.StatusOK || a.from().Pod != pod:
		return fmt.Errorf("%s answers %d, by %q", host, a.status, a.from().Pod)
	}
	return nil
}

// finding is one as the debug endpoint shows it.
type finding struct {
	Object                           struct{ Kind, Namespace, Name string }
	Severity, Reason, Field, Message string
}

func (f finding) String() string {
	return f.Object.Kind + " " + f.Object.Namespace + "/" + f.Object.Name + " " + f.Reason
}

func (w *world) findings() (list []finding) {
	w.t.Helper()
	text, err := w.gateway.Debug(w.t.Context(), "/debug/findings")
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// told waits until the owners of objects know: "NAMESPACE/NAME REASON" is both
// a finding and an Event.
func (w *world) told(patience time.Duration, wanted ...string) {
	w.t.Helper()
	w.within(patience, "findings and Events", func() error {
		known := map[string]int{}
		for _, f := range w.findings() {
			known[f.Object.Namespace+"/"+f.Object.Name+" "+f.Reason]++
		}
		var events eventsv1.EventList
		if err := w.client.List(w.t.Context(), &events); err != nil {
			return err
		}
		reported := map[string]bool{}
		for _, e := range events.Items {
			reported[e.Regarding.Namespace+"/"+e.Regarding.Name+" "+e.Reason] = true
		}
		var missing []string
		for _, want := range wanted {
			if known[want] == 0 {
				missing = append(missing, "no finding "+want)
			} else if !reported[want] {
				missing = append(missing, "no Event "+want)
			}
		}
		if len(missing) == 0 {
			return nil
		}
		slices.Sort(missing)
		var near []string
		for key := range known {
			near = append(near, key)
		}
		slices.Sort(near)
		return errors.New(strings.Join(missing, ", ") + "; findings are " + strings.Join(near[:min(len(near), 40)], ", "))
	})
}

// setting writes the ConfigMap.
func (w *world) setting(data map[string]string) {
	w.t.Helper()
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ingress-nginx", Name: "settings"}}
	w.delete(cm)
	if data != nil {
		cm = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ingress-nginx", Name: "settings"}, Data: data}
		w.create(cm)
	}
}
