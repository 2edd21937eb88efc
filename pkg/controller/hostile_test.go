package controller

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sidegate/sidegate/pkg/model"
)

// open is an annotation by which a test sees that a path is open: no pod is
// needed for its answer.
const open = "nginx.ingress.kubernetes.io/permanent-redirect: 'https://open.example.com'"

// A guard is added in the same edit as something that nginx refuses: the last
// good version is served without what the newest one closes.
func TestRefusedEditThatAddsAGuardIsClosed(t *testing.T) {
	for name, guard := range map[string]string{
		"a password":               "nginx.ingress.kubernetes.io/auth-type: basic, nginx.ingress.kubernetes.io/auth-secret: users",
		"an external check":        "nginx.ingress.kubernetes.io/auth-url: 'http://10.0.0.1/'",
		"a guard that is not here": "nginx.ingress.kubernetes.io/enable-modsecurity: 'true'",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "")
			r.put("a", ingress("a", "a.example.com", open))
			r.put("b", ingress("b", "b.example.com", open))
			r.run()
			edited := func(name, annotations string) string {
				text := ingress(name, name+".example.com", open+annotations+", nginx.ingress.kubernetes.io/use-regex: 'true'")
				return strings.Replace(text, "{paths: [{path: /,", "{paths: [{path: /, pathType: ImplementationSpecific, backend: {service: {name: none, port: {number: 80}}}}, {path: '/(?<=a+)b',", 1)
			}
			r.put("a", edited("a", ", "+guard))
			r.put("b", edited("b", ""))
			s := r.run()
			if got := quarantined(s); !slices.Equal(got, []string{"Ingress default/a", "Ingress default/b"}) {
				t.Fatalf("in quarantine: %v", got)
			}
			if code := r.status("a.example.com"); code != http.StatusServiceUnavailable {
				t.Errorf("what the newest version closes answers %d", code)
			}
			if code := r.status("b.example.com"); code != http.StatusMovedPermanently {
				t.Errorf("the last good version of one without a guard answers %d", code)
			}
			r.put("a", ingress("a", "a.example.com", open))
			if r.run(); r.status("a.example.com") != http.StatusMovedPermanently {
				t.Error("the Ingress stays closed where its owner has taken the guard back")
			}
		})
	}
}

// The ConfigMap closes the gateway for the client of this test, and an Ingress
// that nginx refuses is there when the controller starts.
func TestBadIngressAtStartCannotTakeTheConfigMapsGuardAway(t *testing.T) {
	r := newRig(t, "")
	r.put("settings", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {denylist-source-range: 127.0.0.0/8}\n")
	r.put("good", ingress("good", "good.example.com", open))
	for i := range 3 {
		r.put(fmt.Sprint("bad", i), refusedByNginx(fmt.Sprint("bad", i)))
	}
	for range 3 {
		s := r.run()
		if code := r.status("good.example.com"); code < http.StatusBadRequest {
			t.Errorf("what the ConfigMap closes answers %d", code)
		}
		if got := quarantined(s); slices.Contains(got, "ConfigMap default/settings") {
			t.Errorf("in quarantine: %v", got)
		}
	}
	r.put("settings", "")
	if r.run(); r.status("good.example.com") != http.StatusMovedPermanently {
		t.Error("without the ConfigMap it is closed still, so the test shows nothing")
	}
}

var helper = regexp.MustCompile(`/_sidegate/auth/[0-9a-f]+`)

// An older Ingress is edited so that it has the path which Sidegate makes for
// the authentication of a younger one. The path can be computed.
func TestOlderIngressCannotTakeTheHelperOfAYounger(t *testing.T) {
	r := newRig(t, "")
	squat := strings.Replace(ingress("squat", "own.example.com", ""), "{name: squat,", "{name: squat, creationTimestamp: '2019-01-01T00:00:00Z',", 1)
	squat = strings.Replace(squat, "path: /,", "path: %s,", 1)
	own := strings.Replace(ingress("own", "own.example.com", "nginx.ingress.kubernetes.io/auth-url: 'http://10.0.0.1/c'"), "{name: own,", "{name: own, creationTimestamp: '2020-01-01T00:00:00Z',", 1)
	r.put("squat", fmt.Sprintf(squat, "/x"))
	r.put("own", own)
	r.put("service", "apiVersion: v1\nkind: Service\nmetadata: {name: none}\nspec: {ports: [{port: 80, targetPort: 8080}]}\n")
	path := helper.FindString(string(r.run().Live.Text))
	if path == "" {
		t.Fatal("there is no helper")
	}
	for _, p := range []string{path, path + "/x", "/_sidegate", "/_SideGate/auth"} {
		r.put("squat", fmt.Sprintf(squat, p))
		s := r.run()
		if got := quarantined(s); len(got) > 0 {
			t.Errorf("%s: in quarantine: %v", p, got)
		}
		if !strings.Contains(string(s.Live.Text), path) {
			t.Errorf("%s: the younger one's authentication is gone", p)
		}
		if !slices.ContainsFunc(s.Findings, func(f model.Finding) bool {
			return f.Object.Name == "squat" && f.Reason == model.ReasonReservedPath
		}) {
			t.Errorf("%s: findings %v", p, s.Findings)
		}
	}
}
