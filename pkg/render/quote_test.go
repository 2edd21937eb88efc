package render

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sidegate/sidegate/pkg/layout"
	"github.com/sidegate/sidegate/pkg/model"
)

func TestQuote(t *testing.T) {
	size := model.Size("8k")
	tests := []struct {
		name  string
		value any
		want  string
		fails bool
	}{
		{name: "a string is one token", value: `a "b" c\d;{}`, want: `"a \"b\" c\\d;{}"`},
		{name: "a string holds no variable", value: "$host", fails: true},
		{name: "a string holds no newline", value: "a\nb", fails: true},
		{name: "a string holds no NUL", value: "a\x00b", fails: true},
		{name: "an expression does hold variables", value: model.Expr("https://$host"), want: `"https://$host"`},
		{name: "a regular expression keeps its backslashes", value: model.Regex(`^/a\.b$`), want: `"(*LIMIT_MATCH=20000)(?s)^/a\\.b$"`},
		{name: "a token that nginx cannot take", value: strings.Repeat(`"`, 2047), fails: true},
		{name: "the longest that it can", value: model.Path("/" + strings.Repeat("x", 4092)), want: `"/` + strings.Repeat("x", 4092) + `"`},
		{name: "a path keeps its dollar", value: model.Path("/a$b"), want: `"/a$b"`},
		{name: "an identifier is bare", value: model.Ident("a.b-c_d"), want: "a.b-c_d"},
		{name: "an identifier is one", value: model.Ident("a;b"), fails: true},
		{name: "a pointer is what it points to", value: &size, want: "8k"},
		{name: "a switch", value: model.Switch(true), want: "on"},
		{name: "a bool has no text of its own", value: true, fails: true},
		{name: "an unknown type", value: 1.5, fails: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := quote(tt.value)
			if (err != nil) != tt.fails {
				t.Fatalf("quote(%#v): error %v", tt.value, err)
			}
			if got != tt.want {
				t.Errorf("quote(%#v) = %s, want %s", tt.value, got, tt.want)
			}
		})
	}
}

// Every action that prints goes through quote, wherever it stands.
func TestEveryActionIsQuoted(t *testing.T) {
	overlay := fstest.MapFS{"nginx.conf.tmpl": {Data: []byte(
		`{{$x := "a;b"}}{{$x}}{{if true}} {{$x}}{{else}}{{$x}}{{end}}{{range .Servers}} {{.Name}}{{else}}{{$x}}{{end}}{{with $x}} {{.}}{{end}}{{template "sub" $x}}{{define "sub"}} {{.}}{{end}}`)}}
	r, err := New(overlay)
	if err != nil {
		t.Fatal(err)
	}
	result, err := r.Render(&layout.Config{Servers: []layout.Server{{Name: "c;d"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(result.Text), `"a;b" "a;b" "c;d" "a;b" "a;b"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestBrokenOverlayIsNamed(t *testing.T) {
	_, err := New(fstest.MapFS{"server.tmpl": {Data: []byte("server {\n{{.Name")}})
	if err == nil || !strings.Contains(err.Error(), "server.tmpl") {
		t.Errorf("the error %v does not name the file", err)
	}
}

func TestPartAt(t *testing.T) {
	overlay := fstest.MapFS{
		"nginx.conf.tmpl": {Data: []byte("top\n{{range .Servers}}{{render \"server.tmpl\" .Name .}}{{end}}end\n")},
		"server.tmpl":     {Data: []byte("server {\n\t{{.Name}};\n}\n")},
	}
	r, err := New(overlay)
	if err != nil {
		t.Fatal(err)
	}
	// The second time the parts come from memory.
	for range 2 {
		result, err := r.Render(&layout.Config{Servers: []layout.Server{{Name: "a"}, {Name: "b"}}})
		if err != nil {
			t.Fatal(err)
		}
		for line, want := range map[int]string{1: "", 2: "a", 4: "a", 5: "b", 7: "b", 8: "", 99: ""} {
			if part, _ := result.PartAt(line); part.Name != want {
				t.Errorf("line %d is of %q, want %q", line, part.Name, want)
			}
		}
	}
}

// A part that changed is rendered anew, and so is every part when what they
// have in common changed.
func TestMemoryIsNotStale(t *testing.T) {
	fresh := func(c *layout.Config) string {
		r, err := New(nil)
		if err != nil {
			t.Fatal(err)
		}
		result, err := r.Render(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(result.Text)
	}
	r, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	steps := []func(c *layout.Config){
		func(*layout.Config) {},
		func(c *layout.Config) { c.Servers[1].Locations[0].Return.Body = "other" },
		func(c *layout.Config) { c.HTTP.HTTPPort = 81 },
		func(c *layout.Config) { c.Servers = c.Servers[:1] },
	}
	c := minimal()
	for i, change := range steps {
		c = clone(c)
		change(c)
		result, err := r.Render(c)
		if err != nil {
			t.Fatal(err)
		}
		if string(result.Text) != fresh(c) {
			t.Errorf("step %d: a renderer with memory writes something else than a new one", i)
		}
	}
}

func minimal() *layout.Config {
	var zero model.Duration
	size := model.Size("1m")
	location := func(body string) []layout.Location {
		return []layout.Location{{ID: "x", Matches: []model.Match{{Kind: model.MatchPrefix, Path: "/"}}, Return: &model.Return{Code: 404, Body: body}}}
	}
	return &layout.Config{
		Main: model.Main{PIDFile: "/p", ErrorLog: "/e", ErrorLogLevel: "notice", WorkerProcesses: "1", WorkerConnections: 1, StatusSocket: "/s", TempDir: "/t"},
		HTTP: model.HTTP{
			HTTPPort: 80, HTTPSPort: 443, ForwardedForVariable: "http_x_forwarded_for", Resolvers: []string{"127.0.0.1:53"},
			TLS:   model.TLS{Protocols: []model.Ident{"TLSv1.3"}, BufferSize: "4k", Directory: "/d", Default: "default.pem"},
			Proxy: model.Proxy{ConnectTimeout: &zero, SendTimeout: &zero, ReadTimeout: &zero, BodySize: &size},
		},
		Servers: []layout.Server{{Name: model.CatchAll, Locations: location("a")}, {Name: "b", Locations: location("b")}},
	}
}

func clone(c *layout.Config) *layout.Config {
	out := *c
	out.Servers = nil
	for _, s := range c.Servers {
		s.Locations = append([]layout.Location(nil), s.Locations...)
		for i := range s.Locations {
			r := *s.Locations[i].Return
			s.Locations[i].Return = &r
		}
		out.Servers = append(out.Servers, s)
	}
	return &out
}
