package explain_test

import (
	"strings"
	"testing"

	"github.com/sidegate/sidegate/pkg/explain"
	"github.com/sidegate/sidegate/pkg/model"
)

// checkExplanations reads what is said beside the answer.
func checkExplanations(t *testing.T, e *entry) {
	for url, want := range map[string][]string{
		"http://plain.example.com/foo/bar/x": {
			`server     plain.example.com: the server has exactly this name`,
			`location   "/foo/bar/": the longest prefix that matches`,
			`not "/foo/" of Ingress default/plain`,
			`ingress    default/plain, path /foo/bar (Prefix): no other Ingress claims`,
			`Service default/c:80, asked for /foo/bar/x of host plain.example.com`,
			`answer     by the backend`,
		},
		"http://plain.example.com/foo": {
			`location   = "/foo": an exact location ends the search`,
			`it is the oldest of those that claim this path of the host`,
			`not Ingress default/younger`,
		},
		"http://plain.example.com/empty":   {`503 by nginx: the Service has no endpoint`, `endpoints  80.empty.default.sg:80 none`},
		"http://plain.example.com/missing": {`503 by nginx: the location is closed: the Service does not exist`, `findings   warning: ServiceNotFound`},
		"http://x.deep.example.com/sub":    {`server     *.deep.example.com: no server has exactly this name, and this is the longest wildcard`},
		"http://nobody/":                   {`server     _: no server has this name`, `404 by nginx "default backend - 404"`},
		"http://rewrite.example.com/api/x": {`rewrite    (?i)^/api(/|$)(.*) to /$2, captures ["/" "x"]`, `asked for /x`},
		"https://secure.example.com/shop":  {`.secure.pem: it is named for exactly this host`, `for secure.example.com, valid from`},
		"https://nobody/":                  {`certificate  default.pem: no Ingress has a usable certificate`, `for ingress.local`},
		"http://sticky.example.com/":       {`sticky     by the cookie route`},
		"http://guarded.example.com/":      {`auth       http://127.0.0.1:`, `once it has passed the authentication`},
		"http://a..b/":                     {`400 by nginx: the host "a..b" holds an empty label`},
	} {
		in := e.input(url)
		x, err := explain.Explain(in)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		var b strings.Builder
		if err := x.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		for _, line := range want {
			// The width of the first column depends on what is there.
			if !strings.Contains(squeeze(b.String()), squeeze(line)) {
				t.Errorf("%s: no %q in\n%s", url, line, b.String())
			}
		}
	}
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// Where only PCRE knows, the explanation says so.
func TestUnsure(t *testing.T) {
	location := func(regex model.Regex) model.Location {
		return model.Location{
			Claim:  model.Claim{Matches: []model.Match{{Kind: model.MatchRegex, Regex: regex}}},
			Action: &model.Pass{Upstream: "u", Rewrite: &model.Rewrite{Pattern: "(?i)" + regex, Target: "/new$1"}},
		}
	}
	fallback := model.Location{Claim: model.Claim{Matches: []model.Match{{Kind: model.MatchPrefix, Path: "/"}}}, Action: &model.Return{Code: 404}}
	for _, tt := range []struct {
		name, path string
		regexes    []model.Regex
		match      string
		unsure     []string
	}{
		{"an expression that Go lacks", "/y", []model.Regex{"^/(?!x)"}, `"/"`, []string{`whether the location ~* "^/(?!x)" matches: Go cannot read`}},
		{"one that comes too late to matter", "/y", []model.Regex{"^/y", "^/(?!x)"}, `~* "^/y"`, nil},
		{"one that comes first", "/y", []model.Regex{"^/(?!x)", "^/y"}, `~* "^/y"`, []string{"Go cannot read"}},
		{"a dollar in front of a newline", "/y%0a", []model.Regex{"^/y$"}, `"/"`, []string{"PCRE lets $ match"}},
		{"a newline without a dollar", "/y%0a", []model.Regex{"^/y"}, `~* "^/y"`, nil},
		{"a group that takes all", "/y%0a", []model.Regex{"^/y(.*|$)\n"}, `~* "^/y(.*|$)\n"`, []string{"matches: PCRE lets", "rewritten to: PCRE lets"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := model.Server{Name: model.CatchAll}
			for _, r := range tt.regexes {
				server.Locations = append(server.Locations, location(r))
			}
			server.Locations = append(server.Locations, fallback)
			x, err := explain.Explain(explain.Input{Config: &model.Config{Servers: []model.Server{server}}, URL: "http://h" + tt.path})
			if err != nil {
				t.Fatal(err)
			}
			if x.Location.Match != strings.ReplaceAll(tt.match, "\n", `\n`) {
				t.Errorf("the location is %s, want %s", x.Location.Match, tt.match)
			}
			if len(x.Unsure) != len(tt.unsure) {
				t.Fatalf("unsure of %q, want %q", x.Unsure, tt.unsure)
			}
			for i, want := range tt.unsure {
				if !strings.Contains(x.Unsure[i], want) {
					t.Errorf("unsure of %q, want %q", x.Unsure[i], want)
				}
			}
		})
	}
}

func TestNotAURL(t *testing.T) {
	for _, url := range []string{"", "foo.bar.com/x", "/x", "ftp://h/", "http://", "https:///x", "http://user@h/", "://h"} {
		if _, err := explain.Explain(explain.Input{Config: &model.Config{}, URL: url}); err == nil {
			t.Errorf("%q is taken for a URL", url)
		}
	}
}
