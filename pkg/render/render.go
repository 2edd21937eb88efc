package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"reflect"
	"sync"
	"text/template"

	"github.com/sidegate/sidegate/pkg/layout"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/templates"
)

// root is the template that prints the whole file.
const root = "nginx.conf.tmpl"

const idLength = 2 * sha256.Size

// Result is a rendered configuration.
type Result struct {
	// ID is the generation: the sha256 of Text, in which the ID's own place
	// counts as zeros.
	ID   string
	Text []byte
	// Parts says which bytes came from which part, in order.
	Parts []Part
}

// Part is a named part of the configuration and its place in the text.
type Part struct {
	// Template is upstream.tmpl or server.tmpl, Name the part's name.
	Template, Name string
	start, end     int
}

// PartAt returns the part that holds the line, which counts from one.
func (r *Result) PartAt(line int) (Part, bool) {
	offset := 0
	for range line - 1 {
		i := bytes.IndexByte(r.Text[offset:], '\n')
		if i < 0 {
			return Part{}, false
		}
		offset += i + 1
	}
	for _, p := range r.Parts {
		if p.start <= offset && offset < p.end {
			return p, true
		}
	}
	return Part{}, false
}

// Renderer renders Configs and remembers the text of parts that do not change.
type Renderer struct {
	mu       sync.Mutex
	template *template.Template

	// config, out, mark, parts and next belong to the Render under way.
	config *layout.Config
	out    bytes.Buffer
	mark   int
	parts  []Part

	// known holds the text of the parts of the newest Config; http is what
	// of that Config all of them depend on.
	known, next map[partKey]knownPart
	http        model.HTTP
}

type partKey struct{ template, name string }

type knownPart struct {
	value any
	text  string
}

// New returns a Renderer for the built-in templates, in which the files of
// overlay, if that is not nil, replace those of the same name. Templates that
// do not parse are an error that names the file and the line.
func New(overlay fs.FS) (*Renderer, error) {
	r := &Renderer{known: map[partKey]knownPart{}}
	t := template.New(root).Funcs(r.funcs()).Option("missingkey=error")
	t, err := t.ParseFS(templates.FS, "*.tmpl")
	if err != nil {
		return nil, fmt.Errorf("built-in templates: %w", err)
	}
	if overlay != nil {
		names, err := fs.Glob(overlay, "*.tmpl")
		if err != nil {
			return nil, err
		}
		if len(names) > 0 {
			if t, err = t.ParseFS(overlay, names...); err != nil {
				return nil, fmt.Errorf("custom templates: %w", err)
			}
		}
	}
	appendQuotes(t)
	r.template = t
	return r, nil
}

// Render writes the Config. The error of a value that cannot be printed names
// the template and the line.
func (r *Renderer) Render(c *layout.Config) (*Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()

	result, err := r.write(c)
	if err != nil {
		r.known = map[partKey]knownPart{}
		return nil, err
	}
	// What the new Config no longer has is forgotten.
	r.known = r.next
	return result, nil
}

// write executes the templates.
func (r *Renderer) write(c *layout.Config) (*Result, error) {
	if !reflect.DeepEqual(r.http, c.HTTP) {
		r.known, r.http = map[partKey]knownPart{}, c.HTTP
	}
	r.next = make(map[partKey]knownPart, len(r.known))
	r.config, r.mark, r.parts = c, -1, nil
	r.out.Reset()
	defer func() { r.config = nil }()

	if err := r.template.ExecuteTemplate(&r.out, root, c); err != nil {
		return nil, err
	}
	text := bytes.Clone(r.out.Bytes())
	sum := sha256.Sum256(text)
	id := hex.EncodeToString(sum[:])
	if r.mark >= 0 {
		copy(text[r.mark:], id)
	}
	return &Result{ID: id, Text: text, Parts: r.parts}, nil
}

// renderPart is the template function "render".
func (r *Renderer) renderPart(name string, key any, value any) (model.Raw, error) {
	k := partKey{template: name, name: fmt.Sprint(key)}
	part, ok := r.known[k]
	if !ok || !reflect.DeepEqual(part.value, value) {
		text, err := r.text(name, value)
		if err != nil {
			return model.Raw{}, err
		}
		part = knownPart{value: value, text: text.String()}
	}
	r.next[k] = part
	start := r.out.Len()
	r.parts = append(r.parts, Part{Template: name, Name: k.name, start: start, end: start + len(part.text)})
	return model.NewRaw(part.text), nil
}

// text is the template function "text".
func (r *Renderer) text(name string, value any) (model.Raw, error) {
	var b bytes.Buffer
	if err := r.template.ExecuteTemplate(&b, name, value); err != nil {
		return model.Raw{}, err
	}
	return model.NewRaw(b.String()), nil
}

// generation is the template function "generation".
func (r *Renderer) generation() model.Raw {
	r.mark = r.out.Len()
	return model.NewRaw(zeroID)
}

// PartText is the text of a part.
func (r *Result) PartText(p Part) string { return string(r.part(p)) }

func (r *Result) part(p Part) []byte { return r.Text[p.start:p.end] }
