package debug

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sidegate/sidegate/pkg/discovery"
	"github.com/sidegate/sidegate/pkg/explain"
	"github.com/sidegate/sidegate/pkg/model"
)

// pages are the answers.
type pages struct{ view View }

type page struct {
	path, query, says string
	show              http.HandlerFunc
}

func (p *pages) list() []page {
	return []page{
		{"/debug/config", "", "the live nginx.conf; ?generation=ID an earlier one that is still on disk, ?rejected=1 the last one that nginx refused", p.config},
		{"/debug/model", "", "what nginx.conf was rendered from", p.model},
		{"/debug/endpoints", "", "the names that nginx looks up, and the endpoints that it is told", p.endpoints},
		{"/debug/findings", "", "what the owners of objects should know; ?namespace=, ?name=, ?severity= choose", p.findings},
		{"/debug/generations", "", "what was done when, why, how long each step took, and what came of it", p.generations},
		{"/debug/explain", "?url=https://foo.bar.com/backend", "what nginx does with a request, and why; &header=NAME: VALUE adds a header, &format=text is for people", p.explain},
	}
}

var indexPage = template.Must(template.New("").Parse(`<!doctype html><title>Sidegate</title><dl>
{{range .}}<dt><a href="{{.Path}}">{{.Path}}</a><dd>{{.Says}}
{{end}}</dl>
`))

// index lists the pages, with links for a browser.
func (p *pages) index(w http.ResponseWriter, r *http.Request) {
	type row struct{ Path, Says string }
	var rows []row
	for _, page := range p.list() {
		rows = append(rows, row{page.path + page.query, page.says})
	}
	var b bytes.Buffer
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		if err := indexPage.Execute(&b, rows); err != nil {
			fail(w, http.StatusInternalServerError, "%v", err)
			return
		}
		write(w, "text/html; charset=utf-8", b.Bytes())
		return
	}
	for _, row := range rows {
		fmt.Fprintf(&b, "%s\n\t%s\n", row.Path, row.Says)
	}
	write(w, plainText, b.Bytes())
}

func (p *pages) config(w http.ResponseWriter, r *http.Request) {
	switch id := r.FormValue("generation"); {
	case r.FormValue("rejected") != "":
		text, message, err := p.view.Rejected()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			fail(w, http.StatusNotFound, "nginx has refused no configuration")
		case err != nil:
			fail(w, http.StatusInternalServerError, "what nginx refused cannot be read: %v", err)
		default:
			write(w, plainText, append(asComment("nginx refuses this configuration: "+string(message)), text...))
		}
	case id != "":
		text, err := p.view.Generation(id)
		if err != nil {
			fail(w, http.StatusNotFound, "%v; /debug/generations lists what there was", err)
			return
		}
		write(w, plainText, text)
	default:
		s, ok := p.state(w)
		if !ok {
			return
		}
		w.Header().Set("X-Sidegate-Generation", s.ID)
		write(w, plainText, s.Text)
	}
}

// asComment makes lines of nginx.conf that say nothing to nginx.
func asComment(text string) []byte {
	var b bytes.Buffer
	for line := range strings.Lines(strings.TrimSpace(text)) {
		b.WriteString("# " + strings.TrimRight(line, "\r\n") + "\n")
	}
	return b.Bytes()
}

func (p *pages) model(w http.ResponseWriter, _ *http.Request) {
	if s, ok := p.state(w); ok {
		answer(w, s.Config)
	}
}

// endpoint is a name with the Service ports that it stands for.
type endpoint struct {
	discovery.State
	Services []string `json:"services"`
}

func (p *pages) endpoints(w http.ResponseWriter, _ *http.Request) {
	services := map[string][]string{}
	if c := p.view.State().Config; c != nil {
		for _, u := range c.Upstreams {
			for _, s := range u.Servers {
				if name := u.Backend.String(); !slices.Contains(services[string(s.Host)], name) {
					services[string(s.Host)] = append(services[string(s.Host)], name)
				}
			}
		}
	}
	out := []endpoint{}
	for _, s := range p.view.Endpoints() {
		if s.Addresses == nil {
			s.Addresses = []netip.Addr{}
		}
		out = append(out, endpoint{s, append([]string{}, services[s.Name]...)})
	}
	answer(w, out)
}

// findingLine is a finding with its text in one line, as the log has it.
type findingLine struct {
	model.Finding
	Text string `json:"text"`
}

func (p *pages) findings(w http.ResponseWriter, r *http.Request) {
	chosen := func(parameter, value string) bool {
		want := r.FormValue(parameter)
		return want == "" || want == value
	}
	switch severity := model.Severity(r.FormValue("severity")); severity {
	case "", model.Info, model.Warning, model.Error:
	default:
		fail(w, http.StatusBadRequest, "severity must be info, warning or error, not %q", model.Clip(string(severity)))
		return
	}
	out := []findingLine{}
	for _, f := range p.view.State().Findings {
		if chosen("namespace", f.Object.Namespace) && chosen("name", f.Object.Name) && chosen("severity", string(f.Severity)) {
			out = append(out, findingLine{f, f.String()})
		}
	}
	answer(w, out)
}

// generation is how the page shows a Generation. Durations are in seconds.
type generation struct {
	// ID is the hash of the nginx.conf.
	ID string `json:"id"`
	// Live says that it is the published one, Confirmed that nginx serves it.
	Live      bool      `json:"live"`
	Confirmed bool      `json:"confirmed,omitempty"`
	Time      time.Time `json:"time"`
	Why       string    `json:"why"`
	Outcome   string    `json:"outcome"`
	Error     string    `json:"error,omitempty"`
	Seconds   float64   `json:"seconds"`
	Steps     []step    `json:"steps"`
}

type step struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// What a row of the history shows at most, in bytes: fifty of them are one page.
const (
	maxWhy   = 1000
	maxError = 4000
)

// shorten cuts a text between two characters.
func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + fmt.Sprintf("… (%d bytes)", len(s))
}

func (p *pages) generations(w http.ResponseWriter, _ *http.Request) {
	s := p.view.State()
	out := []generation{}
	live := false
	for _, g := range s.Generations {
		row := generation{ID: g.ID, Time: g.Time, Why: shorten(g.Why, maxWhy), Outcome: g.Outcome, Error: shorten(g.Error, maxError), Steps: []step{}}
		// The same configuration can have been made more than once.
		row.Live = !live && g.ID == s.ID && g.Error == ""
		live = live || row.Live
		row.Confirmed = row.Live && s.Confirmed
		for _, done := range g.Steps {
			row.Steps = append(row.Steps, step{done.Name, done.Duration.Seconds()})
			row.Seconds += done.Duration.Seconds()
		}
		out = append(out, row)
	}
	answer(w, out)
}

func (p *pages) explain(w http.ResponseWriter, r *http.Request) {
	s, ok := p.state(w)
	if !ok {
		return
	}
	header := http.Header{}
	for _, h := range r.URL.Query()["header"] {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			fail(w, http.StatusBadRequest, "header must be NAME: VALUE, not %q", model.Clip(h))
			return
		}
		header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	e, err := explain.Explain(explain.Input{
		Config: s.Config, Findings: s.Findings, Endpoints: endpointsOf(p.view.Endpoints()),
		URL: r.FormValue("url"), Header: header,
	})
	if err != nil {
		fail(w, http.StatusBadRequest, "the parameter url: %v", err)
		return
	}
	switch format := r.FormValue("format"); format {
	case "", "json":
		answer(w, e)
	case "text":
		var b bytes.Buffer
		if err := e.WriteText(&b); err != nil {
			fail(w, http.StatusInternalServerError, "%v", err)
			return
		}
		write(w, plainText, b.Bytes())
	default:
		fail(w, http.StatusBadRequest, "format must be json or text, not %q", model.Clip(format))
	}
}

// state is what was published, or says that nothing was.
func (p *pages) state(w http.ResponseWriter) (State, bool) {
	s := p.view.State()
	if s.Config == nil {
		fail(w, http.StatusServiceUnavailable, "no configuration has been made yet")
		return s, false
	}
	return s, true
}

const plainText = "text/plain; charset=utf-8"

func write(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body) // the client has gone
}

func answer(w http.ResponseWriter, v any) { encode(w, http.StatusOK, v) }

func fail(w http.ResponseWriter, code int, format string, args ...any) {
	encode(w, code, map[string]string{"error": fmt.Sprintf(format, args...)})
}

func encode(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // the client has gone
}
