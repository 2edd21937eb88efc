package controller

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/pkg/model"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// nginxInTrouble is an nginx that lacks file descriptors while the file
// "short" is there, and that fails once, for no reason, after "once" was put
// there. It is the real one otherwise.
func nginxInTrouble(t *testing.T) (binary, short, once string) {
	t.Helper()
	dir := t.TempDir()
	binary, short, once = filepath.Join(dir, "nginx"), filepath.Join(dir, "short"), filepath.Join(dir, "once")
	script := fmt.Sprintf(`#!/bin/sh
case " $* " in *" -t "*)
	if [ -e %[2]s ]; then ulimit -n 5; fi
	if rm %[3]s 2>/dev/null; then echo 'nginx: [emerg] something' >&2; exit 1; fi
esac
exec %[1]s "$@"
`, kit.Nginx(t), short, once)
	if err := os.WriteFile(binary, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return binary, short, once
}

func touch(t *testing.T, file string) {
	t.Helper()
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

// refusedByNginx is an Ingress whose regular expression only PCRE refuses.
func refusedByNginx(name string) string {
	return strings.Replace(ingress(name, name+".example.com", "nginx.ingress.kubernetes.io/use-regex: 'true'"), "path: /,", "path: '/(?<=a+)b',", 1)
}

const settingsManifest = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {proxy-body-size: %s}
`

// A bad Ingress is there when the controller starts: the ConfigMap stays in
// force, and the Ingress alone is out.
func TestBadIngressAtStartLeavesConfigMapInForce(t *testing.T) {
	r := newRig(t, "")
	r.put("settings", fmt.Sprintf(settingsManifest, "7m"))
	r.put("good", ingress("good", "good.example.com", ""))
	r.put("bad", refusedByNginx("bad"))
	for _, when := range []string{"with the bad one", "after it"} {
		s := r.run()
		if !strings.Contains(string(s.Live.Text), "client_max_body_size 7m;") {
			t.Errorf("%s the ConfigMap is not in force", when)
		}
		if code := r.status("good.example.com"); code != http.StatusServiceUnavailable {
			t.Errorf("%s the good one answers %d", when, code)
		}
		want := []string{"Ingress default/bad"}
		if when == "after it" {
			want = nil
		}
		if got := quarantined(s); !slices.Equal(got, want) {
			t.Errorf("%s in quarantine: %v", when, got)
		}
		if when == "with the bad one" {
			r.put("bad", "")
		}
	}
}

// nginx -t fails for want of file descriptors: nobody is blamed, what runs
// stays, the pod is ready, endpoints follow, and a finding says why.
func TestMachineIsNobodysFault(t *testing.T) {
	binary, short, _ := nginxInTrouble(t)
	r := newRigWith(t, "", binary)
	for i := range 8 {
		name := fmt.Sprintf("i%d", i)
		r.put(name, ingress(name, name+".example.com", ""))
	}
	r.put("app", ingress("app", "app.example.com", "")+`
---
apiVersion: v1
kind: Service
metadata: {name: none}
spec: {ports: [{name: http, port: 80, targetPort: 8080}]}
`)
	before := r.run().Live
	if err := r.waitReady(); err != nil {
		t.Fatal(err)
	}
	touch(t, short)
	r.put("new", ingress("new", "new.example.com", ""))
	for range 2 {
		if _, err := r.Pipeline.Run(t.Context(), "test"); err == nil {
			t.Fatal("the run succeeds; it should be tried again")
		}
	}
	s := r.Pipeline.State()
	if s.Live != before || !s.Confirmed {
		t.Error("what runs has changed")
	}
	if got := quarantined(s); len(got) > 0 {
		t.Errorf("blamed: %v", got)
	}
	i := slices.IndexFunc(s.Findings, func(f model.Finding) bool { return f.Object == r.Pipeline.Self && f.Reason == model.ReasonMachine })
	if i < 0 {
		t.Errorf("findings: %v", s.Findings)
	}
	if err := r.Ready(nil); err != nil {
		t.Errorf("not ready, though nginx serves: %v", err)
	}
	if h := s.History; h[0].Outcome != outcomeFailed || h[1].Outcome == outcomeFailed {
		t.Errorf("a failure that repeats is more than one record: %v", h)
	}
	// The endpoints of what runs follow all the same.
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "none"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)}}},
	}
	r.Pipeline.Endpoints(types.NamespacedName{Namespace: "default", Name: "none"}, service, []*discoveryv1.EndpointSlice{{
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To("http"), Port: ptr.To[int32](8080)}},
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"10.1.2.3"}}},
	}})
	found := false
	for _, s := range r.Pipeline.Table.States() {
		found = found || slices.Contains(s.Addresses, netip.MustParseAddr("10.1.2.3"))
	}
	if !found {
		t.Error("the endpoints of what runs are stale")
	}
	if err := os.Remove(short); err != nil {
		t.Fatal(err)
	}
	if s := r.run(); r.status("new.example.com") != http.StatusServiceUnavailable || len(s.Findings) > 10 {
		t.Errorf("after it: %v", s.Findings)
	}
}

// The machine is short of something when the controller starts: nothing is
// published that has no hosts.
func TestMachineAtStartPublishesNothing(t *testing.T) {
	binary, short, _ := nginxInTrouble(t)
	r := newRigWith(t, "", binary)
	touch(t, short)
	r.put("a", ingress("a", "a.example.com", ""))
	if _, err := r.Pipeline.Run(t.Context(), "test"); err == nil {
		t.Error("the run succeeds")
	}
	if r.Pipeline.Nginx.Current() != "" || len(quarantined(r.Pipeline.State())) > 0 {
		t.Error("something is published, or somebody is blamed")
	}
	if err := r.Started(nil); err == nil {
		t.Error("nginx may start, on nothing")
	}
}

// A refusal that lasts a moment holds nobody for longer than the next try.
func TestMomentaryRefusal(t *testing.T) {
	binary, _, once := nginxInTrouble(t)
	r := newRigWith(t, "", binary)
	r.put("a", ingress("a", "a.example.com", ""))
	r.run()
	touch(t, once)
	r.put("b", ingress("b", "b.example.com", ""))
	r.put("c", ingress("c", "c.example.com", ""))
	r.eventually("nobody is held", func(s *State) bool { return len(quarantined(s)) == 0 && r.status("c.example.com") == 503 })
	if code := r.status("b.example.com"); code != http.StatusServiceUnavailable {
		t.Errorf("b answers %d", code)
	}
}

// Seventeen changes, two of them bad: all good ones are served after one run.
func TestSeveralFaultsInOneRun(t *testing.T) {
	r := newRig(t, "")
	r.put("a", ingress("a", "a.example.com", ""))
	r.run()
	for i := range 17 {
		name := fmt.Sprintf("i%02d", i)
		if i == 3 || i == 12 {
			r.put(name, refusedByNginx(name))
		} else {
			r.put(name, strings.Replace(ingress(name, name+".example.com", "nginx.ingress.kubernetes.io/use-regex: 'true'"), "path: /,", "path: '/(a|b)',", 1))
		}
	}
	s := r.run()
	if got := quarantined(s); !slices.Equal(got, []string{"Ingress default/i03", "Ingress default/i12"}) {
		t.Errorf("in quarantine: %v", got)
	}
	for i := range 17 {
		if host := fmt.Sprintf("i%02d.example.com", i); i != 3 && i != 12 && !strings.Contains(string(s.Live.Text), host) {
			t.Errorf("%s is not served", host)
		}
	}
}

// A configuration that cannot be rendered is a refusal like any other. The
// template fails for one host.
func TestUnrenderableConcernsItsOwnerAlone(t *testing.T) {
	dir := t.TempDir()
	built, err := os.ReadFile("../../templates/server.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	text := `{{if eq .Name "bad.example.com"}}{{index .Locations 1000}}{{end}}` + string(built)
	if err := os.WriteFile(filepath.Join(dir, "server.tmpl"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, dir)
	r.put("bad", ingress("bad", "bad.example.com", ""))
	r.put("good", ingress("good", "good.example.com", ""))
	if got := quarantined(r.run()); !slices.Equal(got, []string{"Ingress default/bad"}) {
		t.Errorf("in quarantine: %v", got)
	}
	if code := r.status("good.example.com"); code != http.StatusServiceUnavailable {
		t.Errorf("the good one answers %d", code)
	}
}

// The last good version stays in the place of a bad one, and a write of the
// status does not free it.
func TestLastGoodVersionStays(t *testing.T) {
	r := newRig(t, "")
	r.put("a", ingress("a", "a.example.com", ""))
	r.run()
	r.put("a", refusedByNginx("a"))
	s := r.run()
	if got := quarantined(s); !slices.Equal(got, []string{"Ingress default/a"}) {
		t.Errorf("in quarantine: %v", got)
	}
	if code := r.status("a.example.com"); code != http.StatusServiceUnavailable {
		t.Errorf("its last good version answers %d", code)
	}
	tests := r.Pipeline.State().Attempt.Steps
	r.put("a", refusedByNginx("a")+"\nstatus: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}\n")
	if got := quarantined(r.run()); len(got) != 1 {
		t.Errorf("a status frees it: %v (%v)", got, tests)
	}
	r.put("a", ingress("a", "a.example.com", ""))
	if got := quarantined(r.run()); len(got) > 0 {
		t.Errorf("the good version, written again, is held: %v", got)
	}
}

// One that is out and was to guard its paths closes them, so that another's
// path of the host does not lead around the guard.
func TestRefusedGuardClosesItsPaths(t *testing.T) {
	r := newRig(t, "")
	r.put("a", strings.Replace(ingress("a", "shared.example.com", "nginx.ingress.kubernetes.io/permanent-redirect: 'https://open.example.com'"), "pathType: ImplementationSpecific", "pathType: Prefix", 1))
	r.run()
	guarded := strings.Replace(ingress("b", "shared.example.com",
		"nginx.ingress.kubernetes.io/use-regex: 'true', nginx.ingress.kubernetes.io/auth-type: basic, nginx.ingress.kubernetes.io/auth-secret: users"),
		"path: /,", "path: '/admin(?<=a+)b',", 1)
	r.put("b", guarded)
	s := r.run()
	if got := quarantined(s); !slices.Equal(got, []string{"Ingress default/b"}) {
		t.Errorf("in quarantine: %v", got)
	}
	if code := r.statusOf("shared.example.com", "/admin/x"); code != http.StatusServiceUnavailable {
		t.Errorf("what was to be guarded answers %d", code)
	}
	if code := r.statusOf("shared.example.com", "/else"); code != http.StatusMovedPermanently {
		t.Errorf("what was not answers %d", code)
	}
}

// eventually runs the pipeline, as its queue would, until f is true.
func (r *rig) eventually(what string, f func(*State) bool) {
	r.t.Helper()
	for range 5 {
		next, err := r.Pipeline.Run(context.Background(), "test")
		if s := r.Pipeline.State(); err == nil && s.Confirmed && f(s) {
			return
		}
		time.Sleep(max(20*time.Millisecond, min(2*time.Second, time.Until(next))))
	}
	r.t.Errorf("not so: %s; findings %v", what, r.Pipeline.State().Findings)
}

// Another process of the pod begins with the last good versions, and a pod that
// never saw them too, by what the leader has kept.
func TestRestartServesLastGoodVersions(t *testing.T) {
	r := newRig(t, "")
	r.put("a", ingress("a", "a.example.com", "nginx.ingress.kubernetes.io/permanent-redirect: 'https://good.example.com'"))
	r.run()
	r.put("a", refusedByNginx("a"))
	r.put("b", refusedByNginx("b"))
	want := []string{"Ingress default/a", "Ingress default/b"}
	first := r.run()
	if got := quarantined(first); !slices.Equal(got, want) {
		t.Fatalf("in quarantine: %v", got)
	}
	again := newRigWith(t, "", kit.Nginx(t), func(c *Core) {
		c.Pipeline.Source, c.Pipeline.keeper.file = r.Pipeline.Source, r.Pipeline.keeper.file
	})
	again.Pipeline.Restore(t.Context()) // it may not have come to it yet
	s := again.run()
	if code := again.status("a.example.com"); code != http.StatusMovedPermanently {
		t.Errorf("after a restart it answers %d", code)
	}
	if got := quarantined(s); !slices.Equal(got, want) {
		t.Errorf("in quarantine after a restart: %v", got)
	}
	for i, f := range s.Findings {
		if f.Reason == model.ReasonQuarantined && f != first.Findings[i] {
			t.Errorf("the finding is another one after a restart:\n%s\n%s", f, first.Findings[i])
		}
	}
	r.put("a", "")
	r.put("b", "")
	again.run()
	if list := again.Pipeline.keeper.load(t.Context()); len(list) > 0 {
		t.Errorf("kept for what is gone: %v", list)
	}
}
