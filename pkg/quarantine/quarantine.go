package quarantine

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/sidegate/sidegate/pkg/model"
)

// Subject is one version of an object, as far as it can be at fault.
type Subject struct {
	Object model.Object
	// Version changes with what the object says, and with nothing else.
	Version string
	// Common says that it stands in front of everything, as the ConfigMap
	// does: what was refused together with another version of it is tried
	// again at once.
	Common bool
	// Unchecked says that it holds something that only nginx can judge, such
	// as a regular expression. Others do not wait until it is judged.
	Unchecked bool
}

// Selection is the version of each object that is in. An object that is not
// listed is out.
type Selection map[model.Object]string

// Fault is what a try showed. It has no path of a file, so that two can be
// compared.
type Fault struct {
	// Cause is the reason in the words of nginx, or of the step that failed.
	Cause string
	// Place is where in the configuration: a server or an upstream; "" where
	// it is not known.
	Place string
	// Machine says that no object can be at fault: no memory, no disk, no
	// file descriptors.
	Machine bool
}

// String is the cause and where it is.
func (f Fault) String() string {
	if f.Place == "" {
		return f.Cause
	}
	return f.Cause + " (in " + f.Place + ")"
}

// Verdict is what one try showed.
type Verdict struct {
	OK    bool
	Fault Fault
	// Suspects are the owners of the place that the fault names. They are a
	// hint: a fault is attributed by what is taken without them.
	Suspects []model.Object
}

// Tries are the ways to find out.
type Tries struct {
	// Selection tries a selection. The last one that was taken is the one
	// that Admit returns.
	Selection func(context.Context, Selection) Verdict
	// Live tries what runs now, exactly as it is.
	Live func(context.Context) Verdict
	// Max is how many tries there may be; 0 is as many as fit into the bounds
	// of time.
	Max int
}

// Refusal is a version that is kept out.
type Refusal struct {
	Subject
	Fault Fault
	// Good is the version that stands in its place; "" is none.
	Good string
	// Since is when the version was first refused, Next when it is tried
	// again.
	Since, Next time.Time
	// Count is how often versions of the object were refused in a row.
	Count int
}

// Outcome is what Admit decided.
type Outcome struct {
	// Selection is what is in. nil means that nothing may change: see Machine.
	Selection Selection
	// Refusals are sorted by object.
	Refusals []Refusal
	// Pending are the versions that are not decided yet.
	Pending []Subject
	// Machine is why nothing could be tried; nil means that it could.
	Machine *Fault
	// Next is when Admit should be called again although nothing has changed;
	// zero is never, and with Machine it is the caller's to decide.
	Next time.Time
	// Tries is how many there were.
	Tries int
}

// Bounds of one call.
const (
	// minTries are allowed where nothing new is taken that would have to wait
	// for the others to be found out.
	minTries = 32
	// minWork is how much the tries may cost at least, in changed objects, and
	// workFactor by how much more than the first one they may cost: what is
	// good goes live within the time of a few tests.
	minWork    = 4096
	workFactor = 4
	// maxHints is for how many faults nginx's own word is taken for where
	// they are. With many faults halves are quicker: nginx stops at the first.
	maxHints = 8
)

// Back-off of a refused version.
const (
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
	// soonRetry bounds the wait after something has changed that the version
	// was refused together with.
	soonRetry = 10 * time.Second
	// overdue is for how long others' changes come before a version that is
	// due again.
	overdue = 30 * time.Second
)

// Quarantine remembers what was taken and what was refused. It is for one
// caller at a time.
type Quarantine struct {
	// Now is the clock.
	Now func() time.Time

	accepted map[model.Object]string
	common   map[model.Object]bool
	refused  map[model.Object]*Refusal
}

// New returns a Quarantine that knows nothing.
func New(now func() time.Time) *Quarantine {
	return &Quarantine{
		Now: now, accepted: map[model.Object]string{}, common: map[model.Object]bool{}, refused: map[model.Object]*Refusal{},
	}
}

// Memory is what a Quarantine knew at some time.
type Memory struct {
	accepted map[model.Object]string
	refused  map[model.Object]Refusal
}

// Save returns what is known now.
func (q *Quarantine) Save() Memory {
	m := Memory{maps.Clone(q.accepted), make(map[model.Object]Refusal, len(q.refused))}
	for o, r := range q.refused {
		m.refused[o] = *r
	}
	return m
}

// Load forgets what was found out since: it turned out otherwise.
func (q *Quarantine) Load(m Memory) {
	q.accepted = maps.Clone(m.accepted)
	q.refused = make(map[model.Object]*Refusal, len(m.refused))
	for o, r := range m.refused {
		q.refused[o] = &r
	}
}

// Restore takes over what another process has found out.
func (q *Quarantine) Restore(refusals []Refusal) {
	for _, r := range refusals {
		// Whoever starts need not try first what was refused before.
		r.Next = q.Now().Add(firstRetry)
		q.refused[r.Object] = &r
		if r.Good != "" {
			q.accepted[r.Object] = r.Good
		}
	}
}

// Reconsider has all that is refused tried again at once: something has
// changed that every object depends on.
func (q *Quarantine) Reconsider() {
	for _, r := range q.refused {
		r.Next = q.Now()
	}
}

// Refusals lists what is refused, sorted by object.
func (q *Quarantine) Refusals() []Refusal {
	out := make([]Refusal, 0, len(q.refused))
	for _, r := range q.refused {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Refusal) int { return compare(a.Object, b.Object) })
	return out
}

func compare(a, b model.Object) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// Good is the version of the object that was last taken, or "".
func (q *Quarantine) Good(o model.Object) string { return q.accepted[o] }

// notice takes note of what has gone or changed since the call before.
func (q *Quarantine) notice(candidates []Subject) {
	now := q.Now()
	present := make(map[model.Object]string, len(candidates))
	at, any := time.Time{}, false
	sooner := func(t time.Time) {
		if !any || t.Before(at) {
			at, any = t, true
		}
	}
	for _, c := range candidates {
		present[c.Object] = c.Version
		q.common[c.Object] = c.Common
		if r := q.refused[c.Object]; r != nil && r.Version == c.Version {
			continue
		}
		if old, ok := q.accepted[c.Object]; ok && old != c.Version {
			if c.Common {
				sooner(now)
			} else {
				sooner(now.Add(soonRetry))
			}
		} else if !ok && c.Common {
			sooner(now)
		}
	}
	for o := range q.accepted {
		if _, ok := present[o]; !ok {
			delete(q.accepted, o)
			sooner(now)
		}
	}
	for o, r := range q.refused {
		if _, ok := present[o]; !ok {
			delete(q.refused, o)
		} else if any && at.Before(r.Next) {
			r.Next = at
		}
	}
	maps.DeleteFunc(q.common, func(o model.Object, _ bool) bool { _, ok := present[o]; return !ok })
}

// accept takes over a selection that was taken.
func (q *Quarantine) accept(list []Subject) {
	for _, s := range list {
		q.accepted[s.Object] = s.Version
		// The last good version does not free the one that it stands in for.
		if r := q.refused[s.Object]; r != nil && r.Good != s.Version {
			delete(q.refused, s.Object)
		}
	}
}

// refuse keeps the version out.
func (q *Quarantine) refuse(s Subject, fault Fault) {
	now := q.Now()
	r := q.refused[s.Object]
	if r == nil {
		r = &Refusal{Since: now}
		q.refused[s.Object] = r
	} else if r.Version != s.Version {
		r.Since = now
	}
	r.Subject, r.Fault, r.Good = s, fault, q.accepted[s.Object]
	r.Next = now.Add(min(lastRetry, firstRetry<<min(r.Count, 16)))
	r.Count++
}
