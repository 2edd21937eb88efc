package annotations

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
)

// Prefixes under which annotations are read unless flags say otherwise: the
// one of ingress-nginx, and the one that its tutorials of 2017 used.
const (
	DefaultPrefix = "nginx.ingress.kubernetes.io"
	LegacyPrefix  = "ingress.kubernetes.io"
)

// Set is what the annotations of one Ingress say. Its parts are the families'
// types; the zero value of each is what an Ingress without annotations says.
type Set struct {
	// Unguarded names the annotation that was to keep requests out and could
	// not be used: the locations must be closed.
	Unguarded string
	// UnguardedHost does the same for one whose scope is the server: it was to
	// guard the whole host.
	UnguardedHost string

	Affinity     Affinity
	Auth         Auth
	Canary       Canary
	ExternalAuth ExternalAuth
	Proxy        Proxy
	Redirect     Redirect
	Rewrite      Rewrite
}

// Parse reads the annotations below the prefixes, of which earlier ones win.
// The Set is never nil. Findings are about object, which the caller names.
func Parse(prefixes []string, object model.Object, all map[string]string) (*Set, []model.Finding) {
	set := &Set{}
	var findings []model.Finding
	for key, row := range chosen(prefixes, all) {
		findings = append(findings, apply(set, row, object, key, all[key])...)
	}
	return set, findings
}

// chosen lists the annotations that count and their rows, which are nil for
// unknown ones.
func chosen(prefixes []string, all map[string]string) iter.Seq2[string, *Row] {
	return func(yield func(string, *Row) bool) {
		seen := map[*Row]bool{}
		for _, prefix := range prefixes {
			for _, key := range slices.Sorted(maps.Keys(all)) {
				name, ours := strings.CutPrefix(key, prefix+"/")
				if !ours {
					continue
				}
				row, known := table[name]
				if known && name != row.Name && aliased(all, prefix, row) {
					continue // the row's own name is there too, and wins
				}
				if seen[row] {
					continue // a prefix that comes first has it
				}
				seen[row] = known
				if !yield(key, row) {
					return
				}
			}
		}
	}
}

func aliased(all map[string]string, prefix string, row *Row) bool {
	_, ok := all[prefix+"/"+row.Name]
	return ok
}

// apply puts one annotation into the set and returns what there is to say.
func apply(set *Set, row *Row, object model.Object, key, value string) []model.Finding {
	finding := func(severity model.Severity, reason, format string, args ...any) []model.Finding {
		return []model.Finding{{
			Object:   object,
			Severity: severity,
			Reason:   reason,
			Field:    Field(key),
			Value:    model.Clip(value),
			Message:  fmt.Sprintf(format, args...),
		}}
	}
	switch {
	case row == nil:
		return finding(model.Warning, model.ReasonUnknownAnnotation, "no such annotation is known; it is ignored")
	case row.Support == Planned:
		return finding(model.Warning, model.ReasonNotImplemented, "this version does not have it yet; it is ignored%s", set.closes(row, value))
	case row.Support == Unsupported:
		return finding(model.Warning, model.ReasonNotSupported, "%s; it is ignored", row.Doc)
	case row.Support == Accepted:
		return finding(model.Info, model.ReasonNotSupported, "%s", row.Doc)
	}
	if err := row.read(set, value); err != nil {
		return finding(model.Error, model.ReasonInvalidValue, "%v; the annotation is ignored%s", err, set.closes(row, value))
	}
	return nil
}

// maxValue bounds what one annotation may say. Lists may be longer than what
// becomes one token of nginx.conf.
const maxValue = 8192

// read puts the value into the set. What a refused one has left there is taken
// back, so that nothing goes on with half of it.
func (r *Row) read(set *Set, value string) error {
	if len(value) > maxValue {
		return &model.InvalidError{Rule: fmt.Sprintf("be at most %d bytes long, not %d", maxValue, len(value))}
	}
	changed := *set
	if err := r.parse(&changed, value); err != nil {
		return err
	}
	*set = changed
	return nil
}

// closes notes that what an annotation guards must stay closed because it
// cannot be used, and says so.
func (s *Set) closes(row *Row, value string) string {
	switch {
	case !row.keepsOut(value):
		return ""
	case row.Scope == ScopeServer:
		s.UnguardedHost = row.Name
		return " and, because requests would get past it, its hosts answer 503"
	}
	s.Unguarded = row.Name
	return " and, because requests would get past it, its locations answer 503"
}

// keepsOut tells whether the annotation is a guard and its value closes
// anything.
func (r *Row) keepsOut(value string) bool {
	return r.guards && (r.closes == nil || r.closes(value))
}

// Field is how findings name an annotation.
func Field(key string) string { return "metadata.annotations[" + key + "]" }
