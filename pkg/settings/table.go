package settings

import (
	"maps"
	"slices"

	"github.com/sidegate/sidegate/pkg/model"
)

// Support says what becomes of a key, in the words of package annotations.
type Support string

// What becomes of a key.
const (
	Supported   Support = "yes"
	Accepted    Support = "accepted"
	Planned     Support = "not yet"
	Unsupported Support = "no"
)

// Row is one key of the ConfigMap.
type Row struct {
	Name    string
	Type    string
	Default string
	Doc     string
	Support Support

	// closes is there for a key that keeps requests out, and tells whether a
	// value does: where that cannot be used, nothing is let in.
	closes func(value string) bool
	parse  func(s *Settings, value string) error
}

var groups = [][]Row{clientRows, redirectRows, tlsRows, processRows, backendRows, laterRows}

var table = func() map[string]*Row {
	m := map[string]*Row{}
	for _, rows := range groups {
		for i := range rows {
			if _, twice := m[rows[i].Name]; twice {
				panic("key " + rows[i].Name + " is in the table twice")
			}
			m[rows[i].Name] = &rows[i]
		}
	}
	return m
}()

// Table returns all rows, sorted by name.
func Table() []Row {
	var out []Row
	for _, name := range slices.Sorted(maps.Keys(table)) {
		out = append(out, *table[name])
	}
	return out
}

// Defaults returns the settings of an empty ConfigMap.
func Defaults() Settings {
	var s Settings
	for _, row := range table {
		if row.parse == nil {
			continue
		}
		if err := row.parse(&s, row.Default); err != nil {
			panic("the default of " + row.Name + " " + err.Error())
		}
	}
	return s
}

// Problem is a key that could not be used.
type Problem struct {
	Key, Value string
	Severity   model.Severity
	Reason     string
	Message    string
}

// Parse reads the data of a ConfigMap. Problems are sorted by key.
func Parse(data map[string]string) (Settings, []Problem) {
	s := Defaults()
	var problems []Problem
	for _, key := range slices.Sorted(maps.Keys(data)) {
		value := data[key]
		problem := func(severity model.Severity, reason, message string) {
			problems = append(problems, Problem{Key: key, Value: model.Clip(value), Severity: severity, Reason: reason, Message: message})
		}
		row, known := table[key]
		switch {
		case !known:
			problem(model.Warning, model.ReasonUnknownKey, "no such key is known; it is ignored")
		case row.Support == Planned && row.closes != nil && row.closes(value):
			s.Unguarded = key
			problem(model.Error, model.ReasonNotImplemented,
				"this version does not have it yet and, because requests would get past it, all Ingresses answer 503")
		case row.Support == Planned:
			problem(model.Warning, model.ReasonNotImplemented, "this version does not have it yet; it is ignored")
		case row.Support == Unsupported:
			problem(model.Warning, model.ReasonNotSupported, row.Doc+"; it is ignored")
		case row.Support == Accepted:
			problem(model.Info, model.ReasonNotSupported, row.Doc)
		default:
			changed := s
			if err := row.parse(&changed, value); err != nil {
				// None of them guards: the default lets nobody in whom a value was to
				// keep out. TestNoKeyThatWorksGuards keeps that in mind.
				problem(model.Error, model.ReasonInvalidValue, err.Error()+"; the default stays: "+quoted(row.Default))
				continue
			}
			s = changed
		}
	}
	return s, problems
}

func quoted(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
