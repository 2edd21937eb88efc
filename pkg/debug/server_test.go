package debug_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/sidegate/sidegate/pkg/debug"
	"github.com/sidegate/sidegate/pkg/discovery"
)

const secureURL = "https://secure.example.com/app"

func get(t *testing.T, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPages(t *testing.T) {
	v, _, _ := newView(t)
	v.rejected = true
	h := (&debug.Server{View: v}).Handler()
	const text, jsonType = "text/plain; charset=utf-8", "application/json"
	explain := "/debug/explain?url=" + url.QueryEscape(secureURL)
	for _, tt := range []struct {
		path, contentType string
		code              int
		want              []string
		not               string
	}{
		{"/debug", text, 200, []string{"/debug/config", "/debug/explain?url="}, "<"},
		{"/debug/", text, 200, []string{"/debug/config"}, ""},
		{"/debug/config", text, 200, []string{`server_name "secure.example.com";`}, ""},
		{"/debug/config?generation=" + v.state.ID[:10], text, 200, []string{`server_name "secure.example.com";`}, ""},
		{"/debug/config?generation=beef", jsonType, 404, []string{"begin with beef", "/debug/generations"}, ""},
		{"/debug/config?rejected=1", text, 200, []string{"# nginx refuses this configuration: unknown directive \"x\"\n# in nginx.conf:1\n# Written by Sidegate"}, ""},
		{"/debug/model", jsonType, 200, []string{`"name": "secure.example.com"`, `"sha256:`}, ""},
		{"/debug/endpoints", jsonType, 200, []string{`"198.51.100.7"`, `"default/app:80"`, `"empty": true`, `"addresses": []`, `"services": []`}, "null"},
		{"/debug/findings", jsonType, 200, []string{"default/app", "app-root", "elsewhere"}, ""},
		{"/debug/findings?namespace=elsewhere", jsonType, 200, []string{"ServiceNotFound", `"text": "Ingress elsewhere/other: ServiceNotFound`}, "default/app"},
		{"/debug/findings?name=app", jsonType, 200, []string{"app-root"}, "elsewhere"},
		{"/debug/findings?severity=error", jsonType, 200, []string{"app-root"}, "elsewhere"},
		{"/debug/findings?severity=error&name=other", jsonType, 200, []string{"[]"}, "{"},
		{"/debug/findings?severity=bad", jsonType, 400, []string{`severity must be info, warning or error, not \"bad\"`}, ""},
		{"/debug/generations", jsonType, 200, []string{v.state.ID, `"error": "unknown directive"`, `"seconds": 2.0015`, `"seconds": 0.0015`}, "null"},
		{explain, jsonType, 200, []string{`"ingress": "default/app"`, `"198.51.100.7:8080"`, `"basic"`}, ""},
		{explain + "&format=text", text, 200, []string{"default/app", "198.51.100.7:8080"}, "{"},
		{explain + "&format=yaml", jsonType, 400, []string{"format must be json or text"}, ""},
		{explain + "&header=" + url.QueryEscape("Host: other.example.com"), jsonType, 200, []string{`"ingress": "elsewhere/other"`}, ""},
		{explain + "&header=Host", jsonType, 400, []string{"header must be NAME: VALUE"}, ""},
		{"/debug/explain", jsonType, 400, []string{"the parameter url"}, ""},
		{"/debug/explain?url=nonsense", jsonType, 400, []string{`\"nonsense\" must be an absolute URL`}, ""},
		{"/debug/nothing", jsonType, 404, []string{"there is no page for GET /debug/nothing"}, ""},
		{"/", jsonType, 404, []string{"there is no page for GET /"}, ""},
	} {
		w := get(t, h, tt.path)
		body := w.Body.String()
		if w.Code != tt.code || w.Header().Get("Content-Type") != tt.contentType {
			t.Errorf("%s is %d %s, want %d %s: %s", tt.path, w.Code, w.Header().Get("Content-Type"), tt.code, tt.contentType, body)
		}
		for _, want := range tt.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q:\n%s", tt.path, want, body)
			}
		}
		if tt.not != "" && strings.Contains(body, tt.not) {
			t.Errorf("%s holds %q:\n%s", tt.path, tt.not, body)
		}
		if tt.contentType == jsonType && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s is no JSON: %s", tt.path, body)
		}
	}
	if got := get(t, h, "/debug/config").Header().Get("X-Sidegate-Generation"); got != v.state.ID {
		t.Errorf("the live configuration is said to be of generation %q", got)
	}
	if w := get(t, h, "/debug", "Accept", "text/html,*/*"); !strings.Contains(w.Body.String(), `<a href="/debug/explain?url=https://foo.bar.com/backend">`) {
		t.Errorf("a browser gets no links: %s", w.Body)
	}
}

// Of two entries of the same configuration one is live, and a refused one is
// not.
func TestLiveGeneration(t *testing.T) {
	v, _, _ := newView(t)
	h := (&debug.Server{View: v}).Handler()
	for _, confirmed := range []bool{true, false} {
		v.state.Confirmed = confirmed
		var rows []struct{ Live, Confirmed bool }
		if err := json.Unmarshal(get(t, h, "/debug/generations").Body.Bytes(), &rows); err != nil {
			t.Fatal(err)
		}
		if got, want := fmt.Sprint(rows), fmt.Sprintf("[{false false} {true %t} {false false}]", confirmed); got != want {
			t.Errorf("live and confirmed are %s, want %s", got, want)
		}
	}
}

func TestBeforeTheFirstConfiguration(t *testing.T) {
	h := (&debug.Server{View: &view{table: discovery.NewTable(nil)}}).Handler()
	for path, want := range map[string]string{
		"/debug/config": "no configuration has been made yet", "/debug/model": "no configuration has been made yet",
		"/debug/explain?url=http://h/": "no configuration has been made yet", "/debug/config?rejected=1": "nginx has refused no configuration",
		"/debug/findings": "[]", "/debug/endpoints": "[]", "/debug/generations": "[]",
	} {
		w := get(t, h, path)
		if !strings.Contains(w.Body.String(), want) || (want == "[]") != (w.Code == http.StatusOK) {
			t.Errorf("%s is %d %s, want %q", path, w.Code, w.Body, want)
		}
	}
}

func TestProfilingIsAskedFor(t *testing.T) {
	v, _, _ := newView(t)
	for profiling, want := range map[bool]int{true: http.StatusOK, false: http.StatusNotFound} {
		h := (&debug.Server{View: v, Profiling: profiling}).Handler()
		if w := get(t, h, "/debug/pprof/goroutine?debug=1"); w.Code != want {
			t.Errorf("with profiling %t it is %d", profiling, w.Code)
		}
	}
}

// No page shows a key or a password, in any spelling.
func TestNoSecretIsShown(t *testing.T) {
	v, chain, key := newView(t)
	v.rejected = true
	block, _ := pem.Decode(key)
	lines := strings.Split(strings.TrimSpace(string(key)), "\n")
	secrets := map[string]string{
		"the key's PEM":                    lines[1],
		"the end of it":                    lines[len(lines)-2],
		"PEM's words":                      "PRIVATE KEY",
		"the key in hexadecimal":           hex.EncodeToString(block.Bytes[len(block.Bytes)-40:]),
		"the key in decimal":               strings.Trim(fmt.Sprint(block.Bytes[len(block.Bytes)-40:]), "[]"),
		"the key as JSON has bytes":        strings.ReplaceAll(strings.Trim(fmt.Sprint(block.Bytes[:40]), "[]"), " ", ","),
		"the file as JSON has byte slices": base64.StdEncoding.EncodeToString(append(chain, key...))[:200],
		"the file without its first byte":  base64.StdEncoding.EncodeToString(key)[:40],
		"the password's hash":              password,
	}
	for name, secret := range map[string]string{"key": lines[1], "password": password} {
		if !holds(v.state.Config, secret) {
			t.Fatalf("the model has no %s, so this test shows nothing", name)
		}
	}
	h := (&debug.Server{View: v, Profiling: true}).Handler()
	explain := "/debug/explain?url=" + url.QueryEscape(secureURL)
	for _, path := range []string{"/debug", "/debug/config", "/debug/config?generation=" + v.state.ID, "/debug/config?rejected=1", "/debug/model", "/debug/endpoints",
		"/debug/findings", "/debug/generations", explain, explain + "&format=text", "/debug/pprof/", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1", "/debug/pprof/cmdline"} {
		w := get(t, h, path)
		if w.Code != http.StatusOK {
			t.Errorf("%s is %d", path, w.Code)
		}
		for name, secret := range secrets {
			if strings.Contains(w.Body.String(), secret) {
				t.Errorf("%s shows %s", path, name)
			}
		}
	}
}
