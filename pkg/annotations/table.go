package annotations

import (
	"slices"
	"strings"
)

// Scope is the part of the configuration that an annotation acts on.
type Scope string

// The scopes.
const (
	ScopeLocation Scope = "location"
	ScopeServer   Scope = "server"
	ScopeUpstream Scope = "upstream"
	ScopeIngress  Scope = "ingress"
)

// Risk is what a user who may set the annotation can do with it, in the words
// of ingress-nginx.
type Risk string

// The risks.
const (
	RiskLow      Risk = "Low"
	RiskMedium   Risk = "Medium"
	RiskHigh     Risk = "High"
	RiskCritical Risk = "Critical"
)

// Support says what becomes of an annotation.
type Support string

// What becomes of an annotation: it works; it works in part, as its doc says;
// it is accepted because nothing is left for it to do; it comes with a later
// version; stock nginx cannot do it.
const (
	Supported   Support = "yes"
	Partly      Support = "partly"
	Accepted    Support = "accepted"
	Planned     Support = "not yet"
	Unsupported Support = "no"
)

// Row is one annotation.
type Row struct {
	// Name comes without the prefix.
	Name   string
	Family string
	// Type is the value's type in the words of the reference.
	Type    string
	Scope   Scope
	Risk    Risk
	Default string
	Doc     string
	Support Support
	// Aliases are older names. The row's own name wins over them.
	Aliases []string

	// guards says that the annotation decides which requests get in: by whose
	// they are (addresses, passwords, certificates) or by rules that refuse some
	// (a firewall). Where it cannot be used, what it guards is closed. How many
	// get in, and how large, is no guard: such a limit fails open.
	guards bool
	// closes tells whether a value of a guard keeps anything out; nil means that
	// every value does.
	closes func(value string) bool
	// parse puts the value into the set, or says what it must be.
	parse func(s *Set, value string) error
}

// families are the rows of each family, in the order of the reference.
var families = [][]Row{
	affinityRows,
	authRows,
	externalAuthRows,
	redirectRows,
	rewriteRows,
	proxyRows,
	canaryRows,
	laterRows,
	removedRows,
}

// table is every row by its name and its aliases.
var table = func() map[string]*Row {
	m := map[string]*Row{}
	for _, rows := range families {
		for i := range rows {
			row := &rows[i]
			for _, name := range append([]string{row.Name}, row.Aliases...) {
				if _, twice := m[name]; twice {
					panic("annotation " + name + " is in the table twice")
				}
				m[name] = row
			}
		}
	}
	return m
}()

// Table returns all rows, sorted by name.
func Table() []Row {
	var out []Row
	for _, rows := range families {
		out = append(out, rows...)
	}
	slices.SortFunc(out, func(a, b Row) int { return strings.Compare(a.Name, b.Name) })
	return out
}
