package translate_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/layout"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/render"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/translate"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The tests here are named after what must not happen. Each gives somebody's
// Ingress what would do it.

// renderAll translates and renders; that must work whatever is in the snapshot.
func renderAll(t *testing.T, s *snapshot.Snapshot, o ...func(*translate.Options)) (translate.Output, *render.Result) {
	t.Helper()
	options := testOptions()
	for _, change := range o {
		change(&options)
	}
	out := translate.New(options).Translate(translate.Input{Snapshot: s})
	renderer, err := sharedRenderer()
	if err != nil {
		t.Fatal(err)
	}
	result, err := renderer.Render(layout.Of(out.Config))
	if err != nil {
		t.Fatalf("what the constructors took cannot be rendered: %v", err)
	}
	return out, result
}

func server(t *testing.T, c *model.Config, name string) model.Server {
	t.Helper()
	for _, s := range c.Servers {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no server %s", name)
	return model.Server{}
}

func findings(out translate.Output, reason string) (list []model.Finding) {
	for _, f := range out.Findings {
		if f.Reason == reason {
			list = append(list, f)
		}
	}
	return list
}

// lengths are the sizes at which something changes: what the constructors take
// at most, and what nginx does.
var lengths = []int{64, 255, 400, 875, 1749, 1998, 3497, 3498, 4093, 8192}

// atLimits are values of a length that begin with a prefix: letters, what
// escapes double, what is escaped twice, UTF-8, and mixtures.
func atLimits(prefix string, n int) []string {
	var out []string
	for _, unit := range []string{"a", `"`, `\`, "é", `a"\`, "%2F", "$1", "/a"} {
		s := prefix + strings.Repeat(unit, n/len(unit)+1)
		s = strings.ToValidUTF8(s[:max(n, len(prefix))], "")
		out = append(out, s)
	}
	return out
}

// TestLongValueCannotStopOthers puts values at every limit into every annotation
// and every field of an Ingress. Each is rendered; nginx itself reads a sample.
func TestLongValueCannotStopOthers(t *testing.T) {
	together := map[string]string{
		"auth-type": "basic", "auth-secret": "users", "affinity": "cookie", "auth-url": "http://10.0.0.1/x", "auth-signin": "http://10.0.0.1/y",
		"rewrite-target": "/$1", "session-cookie-samesite": "none", "session-cookie-conditional-samesite-none": "true",
	}
	try := func(what string, s *snapshot.Snapshot, sample bool) {
		s.Secrets[types.NamespacedName{Namespace: "default", Name: "users"}] = &corev1.Secret{Data: map[string][]byte{"auth": []byte("a:$apr1$x$y")}}
		out, result := renderAll(t, s)
		if other := server(t, out.Config, "other.bar.com"); other.Locations[0].Pass() == nil {
			t.Errorf("%s: the other Ingress is not served: %v", what, out.Findings)
		}
		for _, f := range out.Config.Files {
			if len(f.Name) > 200 {
				t.Errorf("%s: a file's name has %d bytes", what, len(f.Name))
			}
		}
		if sample {
			testByNginx(t, t.TempDir(), result.Text)
		}
	}
	for _, n := range lengths {
		nginx := n == 1749 || n == 3498
		for _, prefix := range []string{"", "/", "https://10.0.0.1/?c="} {
			for j, v := range atLimits(prefix, n) {
				for _, row := range annotations.Table() {
					if row.Support != annotations.Supported && row.Support != annotations.Partly {
						continue
					}
					s := fuzzSnapshot("foo.bar.com", "/app(.*)", "")
					all := map[string]string{}
					for k, v := range together {
						all[annotations.DefaultPrefix+"/"+k] = v
					}
					all[annotations.DefaultPrefix+"/"+row.Name] = v
					s.Ingresses[0].Annotations = all
					try(row.Name, s, false)
				}
				all := map[string]string{}
				for _, row := range annotations.Table() {
					if row.Name != "canary" && row.Name != "session-cookie-learn" && row.Support == annotations.Supported {
						all[annotations.DefaultPrefix+"/"+row.Name] = v
					}
				}
				for k, v := range together {
					all[annotations.DefaultPrefix+"/"+k] = v
				}
				s := fuzzSnapshot("foo.bar.com", "/app(.*)", "")
				s.Ingresses[0].Annotations = all
				try("all", s, nginx && j < 3)
			}
		}
		for j, path := range atLimits("/", n) {
			for _, annotated := range []map[string]string{nil, {"affinity": "cookie"}, {"use-regex": "true"}, {"use-regex": "true", "affinity": "cookie", "rewrite-target": "/$1"}} {
				s := fuzzSnapshot("foo.bar.com", path, "")
				s.Ingresses[0].Annotations = map[string]string{}
				for k, v := range annotated {
					s.Ingresses[0].Annotations[annotations.DefaultPrefix+"/"+k] = v
				}
				try("the path", s, nginx && j < 5 && !strings.HasPrefix(path, "/$") && len(annotated) != 1)
			}
		}
	}
}

// TestLongNamesCannotStopOthers is the same for names: hosts, Ingresses,
// Secrets, Services, ports.
func TestLongNamesCannotStopOthers(t *testing.T) {
	name := func(n int, dots bool) string {
		s := strings.Repeat("a", n)
		if dots {
			s = strings.Repeat(strings.Repeat("a", 60)+".", 5)[:n-1] + "b"
		}
		return s
	}
	for _, n := range []int{1, 15, 63, 64, 230, 231, 238, 239, 253, 254, 300} {
		for _, dots := range []bool{false, true} {
			v := name(n, dots)
			s := fuzzSnapshot(v, "/", "")
			ing := s.Ingresses[0]
			ing.Name = v
			ing.Annotations = map[string]string{
				annotations.DefaultPrefix + "/auth-type":   "basic",
				annotations.DefaultPrefix + "/auth-secret": v,
			}
			ing.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{v}, SecretName: v}}
			for i := range ing.Spec.Rules[0].HTTP.Paths {
				ing.Spec.Rules[0].HTTP.Paths[i].Backend.Service.Name = v
				ing.Spec.Rules[0].HTTP.Paths[i].Backend.Service.Port = networkingv1.ServiceBackendPort{Name: v}
			}
			key := types.NamespacedName{Namespace: "default", Name: v}
			s.Services[key] = &corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: v, Port: 80}}}}
			s.Secrets[key] = tlsSecret(t, v)
			s.Secrets[key].Data["auth"] = []byte("a:$apr1$x$y")
			out, result := renderAll(t, s)
			if other := server(t, out.Config, "other.bar.com"); other.Locations[0].Pass() == nil {
				t.Errorf("%d: the other Ingress is not served: %v", n, out.Findings)
			}
			for _, f := range out.Config.Files {
				if len(f.Name) > 200 {
					t.Errorf("%d: a file's name has %d bytes", n, len(f.Name))
				}
			}
			testByNginx(t, t.TempDir(), result.Text)
		}
	}
}

// TestManyLongHostsCannotStopOthers fills nginx's hash tables: their buckets are
// sized for the longest name, or nginx would refuse them all.
func TestManyLongHostsCannotStopOthers(t *testing.T) {
	s := fuzzSnapshot("foo.bar.com", "/", "")
	for i := range 1000 {
		host := fmt.Sprintf("%s.%04d", strings.Repeat(strings.Repeat("a", 60)+".", 4)+strings.Repeat("b", 4), i)
		host = host[len(host)-253:]
		if i%2 == 1 {
			host = "*." + host[2:]
		}
		ing := s.Ingresses[1].DeepCopy()
		ing.Name, ing.Spec.Rules[0].Host = fmt.Sprintf("long%d", i), host
		if i < 3 {
			header := strings.Repeat("X", 199) + fmt.Sprint(i)
			ing.Annotations = map[string]string{
				annotations.DefaultPrefix + "/auth-url":              "http://10.0.0.9:8080/",
				annotations.DefaultPrefix + "/auth-response-headers": header,
			}
		}
		s.Ingresses = append(s.Ingresses, ing)
	}
	out, result := renderAll(t, s)
	if n := len(out.Config.Servers); n != 1003 {
		t.Errorf("there are %d servers", n)
	}
	dir := t.TempDir()
	testByNginx(t, dir, result.Text)
	if text, _ := os.ReadFile(filepath.Join(dir, "nginx.conf")); !bytes.Contains(text, []byte("server_names_hash_bucket_size 512;")) {
		t.Error("the buckets are no larger than for short names")
	}
}

func TestRealmCannotStopOthers(t *testing.T) {
	s := fuzzSnapshot("foo.bar.com", "/", "")
	s.Ingresses[0].Annotations = map[string]string{
		annotations.DefaultPrefix + "/auth-realm":  strings.Repeat(`"`, 1001),
		annotations.DefaultPrefix + "/auth-type":   "basic",
		annotations.DefaultPrefix + "/auth-secret": "users",
	}
	out, _ := renderAll(t, s)
	for _, f := range findings(out, model.ReasonInvalidValue) {
		if strings.HasSuffix(f.Field, "/auth-realm]") {
			return
		}
	}
	t.Errorf("nothing is said of the realm: %v", out.Findings)
}

// TestLastGoodVersionDoesNotOpen: what is served while the newest version is
// held lacks a guard that the newest one has.
func TestLastGoodVersionDoesNotOpen(t *testing.T) {
	for _, c := range []struct {
		name           string
		served, newest map[string]string
		closed         bool
	}{
		{"a password is added", nil, map[string]string{"auth-type": "basic", "auth-secret": "u"}, true},
		{"a guard of the host is added", nil, map[string]string{"auth-tls-secret": "default/ca"}, true},
		{"another service is asked", map[string]string{"auth-url": "http://10.0.0.1/a"}, map[string]string{"auth-url": "http://10.0.0.1/b"}, true},
		{"nothing of it changes", map[string]string{"auth-url": "http://10.0.0.1/a"}, map[string]string{"auth-url": "http://10.0.0.1/a", "use-regex": "true"}, false},
		{"a guard goes", map[string]string{"auth-url": "http://10.0.0.1/a"}, nil, false},
	} {
		s := fuzzSnapshot("foo.bar.com", "/", "")
		prefixed := func(all map[string]string) map[string]string {
			out := map[string]string{}
			for k, v := range all {
				out[annotations.DefaultPrefix+"/"+k] = v
			}
			return out
		}
		ing := s.Ingresses[0]
		ing.Annotations = prefixed(c.served)
		newest := ing.DeepCopy()
		newest.Annotations = prefixed(c.newest)
		s.Held = map[types.NamespacedName]*networkingv1.Ingress{{Namespace: ing.Namespace, Name: ing.Name}: newest}
		out, _ := renderAll(t, s)
		for _, l := range server(t, out.Config, "foo.bar.com").Locations {
			closed := l.Closed()
			if l.Claim.Path != "/app" {
				continue // closed for other reasons
			}
			if (closed != nil) != c.closed {
				t.Errorf("%s: closed is %v", c.name, closed)
			}
		}
		if got := len(findings(out, model.ReasonLocationClosed)) > 0; got != c.closed {
			t.Errorf("%s: findings %v", c.name, out.Findings)
		}
		if other := server(t, out.Config, "other.bar.com"); other.Locations[0].Closed() != nil {
			t.Errorf("%s: the other Ingress is closed", c.name)
		}
	}
}

// TestStrictHostCannotBeShared: a host is its oldest namespace's alone.
func TestStrictHostCannotBeShared(t *testing.T) {
	s := fuzzSnapshot("foo.bar.com", "/", "")
	evil := s.Ingresses[1].DeepCopy()
	evil.Namespace, evil.Name = "evil", "sweep"
	evil.Spec.Rules[0].Host = "foo.bar.com"
	evil.Spec.Rules[0].HTTP.Paths[0].Path = "/[a-z]*[a-z]*"
	evil.Annotations = map[string]string{annotations.DefaultPrefix + "/use-regex": "true", annotations.DefaultPrefix + "/app-root": "/x"}
	s.Ingresses = append(s.Ingresses, evil)
	for _, strict := range []bool{false, true} {
		out, _ := renderAll(t, s, func(o *translate.Options) { o.StrictHostOwnership = strict })
		served := false
		for _, l := range server(t, out.Config, "foo.bar.com").Locations {
			served = served || l.Claim.Object.Namespace == "evil"
		}
		if served == strict || (len(findings(out, model.ReasonHostOwned)) > 0) != strict {
			t.Errorf("strict %v: served %v, findings %v", strict, served, out.Findings)
		}
	}
}

// TestFindingsCannotFlood: a thousand hosts with six paths each to nowhere.
func TestFindingsCannotFlood(t *testing.T) {
	s := fuzzSnapshot("foo.bar.com", "/", "")
	flood := s.Ingresses[1].DeepCopy()
	flood.Name = "flood"
	rule := flood.Spec.Rules[0]
	flood.Spec.Rules = nil
	for i := range 1000 {
		r := *rule.DeepCopy()
		r.Host = fmt.Sprintf("h%d.test", i)
		for j := range r.HTTP.Paths {
			r.HTTP.Paths[j].Path = fmt.Sprintf("/p%d", j)
			r.HTTP.Paths[j].Backend.Service.Name = "nosuch"
		}
		flood.Spec.Rules = append(flood.Spec.Rules, r)
	}
	s.Ingresses = append(s.Ingresses, flood)
	data := map[string]string{}
	for i := range 500 {
		data[fmt.Sprintf("no-such-key-%d", i)] = "x"
	}
	s.ConfigMap.Data = data
	out, _ := renderAll(t, s)
	count := map[model.Object]int{}
	told := false
	for _, f := range out.Findings {
		count[f.Object]++
		told = told || f.Object.Name == "flood" && f.Reason == model.ReasonServiceNotFound && strings.Contains(f.Message, "2980 more")
	}
	for object, n := range count {
		if n > 30 {
			t.Errorf("%s has %d findings", object, n)
		}
	}
	if !told {
		t.Errorf("nothing says how many there are: %v", out.Findings)
	}
}
