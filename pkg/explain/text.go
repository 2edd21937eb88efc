package explain

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sidegate/sidegate/pkg/model"
)

// WriteText writes the explanation for people to read.
func (e *Explanation) WriteText(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	p := &printer{w: w}
	p.line("url", "%s", e.URL)
	if r := e.Request; r != nil {
		p.line("", "host %s, path %q, %s", r.Host, r.Path, r.Scheme)
	}
	e.writeChoices(p)
	e.writeBackend(p)
	p.line("answer", "%s", e.Answer)
	for i, u := range e.Unsure {
		p.line(first(i, "unsure"), "%s", u)
	}
	for i, f := range e.Findings {
		p.line(first(i, "findings"), "%s", finding(f))
	}
	if p.err != nil {
		return p.err
	}
	return w.Flush()
}

func (e *Explanation) writeChoices(p *printer) {
	if c := e.Certificate; c != nil {
		p.line("certificate", "%s: %s", c.File, c.Why)
		if !c.NotAfter.IsZero() {
			p.line("", "for %s, valid from %s to %s", strings.Join(c.Names, ", "),
				c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly))
		}
	}
	if s := e.Server; s != nil {
		p.line("server", "%s: %s", s.Name, s.Why)
	}
	if l := e.Location; l != nil {
		p.line("location", "%s: %s", l.Match, l.Why)
		for _, o := range l.Others {
			owner := ""
			if o.Ingress != "" {
				owner = " of " + o.Ingress
			}
			p.line("", "not %s%s", o.Match, owner)
		}
	}
	if c := e.Claim; c != nil {
		p.line("ingress", "%s, path %s (%s): %s", e.Ingress, c.Path, c.PathType, c.Why)
		for _, f := range c.Losers {
			p.line("", "not %s", f.Object)
		}
	}
}

func (e *Explanation) writeBackend(p *printer) {
	if r := e.Rewrite; r != nil {
		p.line("rewrite", "%s to %s, captures %q", r.Pattern, r.Target, r.Captures)
	}
	if a := e.Auth; a != nil {
		if a.Basic != nil {
			p.line("auth", "a name and a password of %s", a.Basic.File)
		}
		if a.External != nil {
			p.line("auth", "%s must let the request pass", a.External.URL)
			if a.External.Signin != "" {
				p.line("", "without a session the client is sent to %s", a.External.Signin)
			}
		}
	}
	u := e.Upstream
	if u == nil {
		return
	}
	p.line("upstream", "%s: Service %s, asked for %s of host %s", u.Name, u.Backend, u.URI, u.Host)
	if s := u.Sticky; s != nil && s.Learn != "" {
		p.line("sticky", "by the application's cookie %s", s.Learn)
	} else if s != nil {
		p.line("sticky", "by the cookie %s", s.Cookie)
	}
	for i, s := range e.Servers {
		p.line(first(i, "endpoints"), "%s", s)
	}
}

// String is the server line with its endpoints.
func (s UpstreamServer) String() string {
	name := fmt.Sprintf("%s:%d ", s.Name, s.Port)
	switch {
	case len(s.Resolvers) > 0:
		return name + "looked up by " + strings.Join(s.Resolvers, ", ")
	case s.Unknown:
		return name + "not told to nginx yet"
	case len(s.Endpoints) == 0:
		return name + "none"
	}
	list := make([]string, len(s.Endpoints))
	for i, a := range s.Endpoints {
		list[i] = a.String()
	}
	return name + strings.Join(list, " ")
}

// String is the answer in one line.
func (a Answer) String() string {
	var b strings.Builder
	if a.By == ByBackend {
		b.WriteString("by the backend")
	} else {
		fmt.Fprintf(&b, "%d by nginx", a.Status)
	}
	if a.Location != "" {
		b.WriteString(" to " + a.Location)
	}
	if a.Body != "" {
		fmt.Fprintf(&b, " %q", a.Body)
	}
	return b.String() + ": " + a.Why
}

// finding is one without its object, which is known here.
func finding(f model.Finding) string {
	return string(f.Severity) + ": " + strings.TrimPrefix(f.String(), f.Object.String()+": ")
}

// first names the first line of a list.
func first(i int, name string) string {
	if i > 0 {
		return ""
	}
	return name
}

// printer writes lines until one fails.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(name, format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
}
