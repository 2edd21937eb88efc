package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sidegate/sidegate/pkg/nginx"
)

// crowd are the manifests of many Ingresses, of which every twentieth is one
// that only nginx refuses.
func crowd(prefix string, n int) (manifests string, good, bad []string) {
	var b strings.Builder
	for i := range n {
		name := fmt.Sprintf("%s%04d", prefix, i)
		host := name + ".example.com"
		text := ingress(name, host, "nginx.ingress.kubernetes.io/use-regex: 'true'")
		if i%21 == 20 {
			text = refusedByNginx(name)
			bad = append(bad, "Ingress default/"+name)
		} else {
			good = append(good, host)
		}
		b.WriteString(text + "\n---\n")
	}
	return b.String(), good, bad
}

func missing(s *State, hosts []string) (out []string) {
	text := string(s.Live.Text)
	for _, host := range hosts {
		if !strings.Contains(text, `server_name "`+host+`";`) {
			out = append(out, host)
		}
	}
	return out
}

func steps(s *State, name string) time.Duration {
	i := slices.IndexFunc(s.Attempt.Steps, func(s nginx.Step) bool { return s.Name == name })
	return s.Attempt.Steps[i].Duration
}

// Of 1,050 Ingresses that come at once 50 are bad: the good ones are live with
// the first run, at a start and beside others, and a bad one that changes all
// the time holds up nobody.
func TestFiftyBadAmongThousand(t *testing.T) {
	r := newRig(t, "")
	r.put("one", ingress("one", "one.example.com", ""))
	r.run()
	n := 1050
	if raceDetector {
		n /= 5 // everything takes ten times as long
	}
	manifests, good, bad := crowd("i", n)
	r.put("crowd", manifests)
	s := r.run()
	if list := missing(s, good); len(list) > 0 {
		t.Errorf("%d good ones are not live after the first run, such as %s", len(list), list[0])
	}
	began := time.Now()
	if err := r.Pipeline.Nginx.Test(t.Context(), s.Live.Text); err != nil {
		t.Fatal(err)
	}
	t.Logf("a test of the whole takes %v; those of the run %v, translate %v, render %v", time.Since(began), steps(s, "test"), steps(s, "translate"), steps(s, "render"))
	runs := 1
	for ; len(quarantined(s)) < len(bad) && runs < 40; runs++ {
		name := fmt.Sprint("meanwhile", runs)
		r.put(name, ingress(name, name+".example.com", ""))
		r.put("flapping", strings.Replace(refusedByNginx("flapping"), "a+", fmt.Sprintf("a{%d,}", runs), 1))
		s = r.run()
		t.Logf("run %d: %d of %d bad ones are named, tests %v", runs+1, len(quarantined(s)), len(bad), steps(s, "test"))
		if list := missing(s, append(good, name+".example.com")); len(list) > 0 {
			t.Errorf("%d good ones are not live, such as %s", len(list), list[0])
		}
	}
	if got := slices.DeleteFunc(quarantined(s), func(o string) bool { return o == "Ingress default/flapping" }); !slices.Equal(got, bad) {
		t.Errorf("after %d runs %d are in quarantine, want %d", runs, len(got), len(bad))
	}
}
