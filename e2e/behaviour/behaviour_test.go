package behaviour

import (
	"flag"
	"net/http/cookiejar"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the findings of the fixtures anew")

func TestBehaviour(t *testing.T) {
	c := startCluster(t)
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			f, err := readFixture(file, c.replace.Replace)
			if err != nil {
				t.Fatal(err)
			}
			findings := c.startPipeline(t, f)
			slices.Sort(findings)
			if got := strings.Join(append(findings, ""), "\n"); *update {
				if err := f.updateFindings(got); err != nil {
					t.Fatal(err)
				}
			} else if got != f.findings {
				t.Errorf("the findings are\n%s\nwant\n%s", got, f.findings)
			}
			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			client := &client{jar: jar}
			for _, x := range f.requests {
				if err := client.play(x); err != nil {
					t.Errorf("%s\n%v", x.line, err)
				}
			}
		})
	}
}

// What a fixture expects and does not get is told: a fixture must be able to
// fail.
func TestJudge(t *testing.T) {
	c := startCluster(t)
	f := &fixture{manifests: ""}
	c.startPipeline(t, f)
	requests, err := parseRequests(`
GET http://foo.example.com/
< 200

GET http://foo.example.com/
< 404
< body: something else

GET http://foo.example.com/
< 404
= pod: pod1

GET http://foo.example.com/
< 404
< Server: -

GET http://foo.example.com/healthz
< 404
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range requests {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		if (&client{jar: jar}).play(x) == nil {
			t.Errorf("%s %v %v: fulfilled", x.line, x.answer, x.backend)
		}
	}
	for _, bad := range []string{"GET http://a/", "GET\n< 200", "GET http://a/\n< soon", "GET http://a/\nnonsense\n< 200"} {
		if _, err := parseRequests(bad); err == nil {
			t.Errorf("%q is taken for a request", bad)
		}
	}
}
