package faults_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// runs is how many runs the controller has made.
func (w *world) runs() string {
	w.t.Helper()
	response, err := http.Get("http://127.0.0.1:10254/metrics")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if n, ok := strings.CutPrefix(lines.Text(), `sidegate_step_duration_seconds_count{step="snapshot"} `); ok {
			return n
		}
	}
	w.t.Fatal("no metric counts the runs")
	return ""
}

// settled waits until no run has been made for a while.
func (w *world) settled() string {
	w.t.Helper()
	for {
		before := w.runs()
		time.Sleep(3 * time.Second)
		if after := w.runs(); before == after {
			return after
		}
	}
}

// What nobody names makes no run; what an Ingress waits for does.
func TestOnlyWhatIsNamedMakesRuns(t *testing.T) {
	w := newWorld(t)
	waits := ingress("waits", "waits.example.com", "/")
	waits.Spec.Rules[0].HTTP.Paths[0].Backend.Service.Name = "later"
	w.create(waits)
	w.eventually("the Ingress without a Service answers 503", func() bool { return status("waits.example.com") == http.StatusServiceUnavailable })
	before := w.settled()

	nobody := &corev1.Service{ObjectMeta: meta("nobody"), Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
	w.create(nobody)
	nobody.Spec.Ports[0].Port = 81
	if err := w.plane.Client.Update(t.Context(), nobody); err != nil {
		t.Fatal(err)
	}
	w.create(&corev1.Secret{ObjectMeta: meta("nobody"), Type: corev1.SecretTypeTLS, Data: keyPair(t, "nobody.example.com", 1)})
	foreign := ingress("nobody", "nobody.example.com", "/")
	foreign.Spec.IngressClassName = new("somebody-elses")
	w.create(foreign)
	if err := w.plane.Client.Get(t.Context(), client.ObjectKeyFromObject(waits), waits); err != nil {
		t.Fatal(err)
	}
	waits.Labels = map[string]string{"of": "nobody"}
	if err := w.plane.Client.Update(t.Context(), waits); err != nil {
		t.Fatal(err)
	}
	if after := w.settled(); after != before {
		t.Errorf("%s runs, and %s before: what nobody names made one", after, before)
	}

	w.create(&corev1.Service{ObjectMeta: meta("later"), Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}})
	w.eventually("the Service that is waited for makes a run", func() bool { return w.runs() != before })
}
