package quarantine

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/sidegate/sidegate/pkg/model"
)

// search is one call of Admit under way.
type search struct {
	*Quarantine
	tries Tries
	// in is a selection that was taken, and last the one that was so last.
	in, last Selection
	// pending are the versions that were not decided within the bounds.
	pending []Subject

	count, hints int
	// before is what was taken when the search began. gained says that more
	// is now.
	before map[model.Object]string
	gained bool
	// rebuilding says that what was taken before is brought in again.
	rebuilding bool
	// work is what the tries have cost, and first what the first one did.
	work, first int
	// machine is why the search had to end; nil means that it goes on.
	machine *Fault
	ended   bool
}

// Admit finds the largest set of the candidates' versions that is taken, on
// top of those that were taken last. The candidates are in the order of
// precedence, the oldest first.
//
// When ctx ends, nothing is decided and the Outcome has no Selection.
func (q *Quarantine) Admit(ctx context.Context, candidates []Subject, tries Tries) Outcome {
	q.notice(candidates)
	before := q.Save()
	s := &search{Quarantine: q, tries: tries, in: Selection{}, before: before.accepted}
	s.admit(ctx, s.sort(candidates))
	out := Outcome{Pending: s.pending, Machine: s.machine, Tries: s.count}
	if s.stopped() {
		// What was found out is not worth more than what could not be.
		q.Load(before)
	} else {
		out.Selection = s.in
	}
	out.Refusals, out.Next = q.Refusals(), q.next(s)
	return out
}

// sorted are the candidates by what is known of them.
type sorted struct {
	// base are the last good versions of all candidates.
	base []Subject
	// changed are new versions; suspect are new versions of objects that were
	// refused lately, which nobody else should have to wait for; due are
	// refused versions whose time has come.
	changed, suspect, due []Subject
}

func (s *search) sort(candidates []Subject) (out sorted) {
	now := s.Now()
	for _, c := range candidates {
		good, ok := s.accepted[c.Object]
		if ok {
			out.base = append(out.base, Subject{Object: c.Object, Version: good, Common: c.Common, Unchecked: c.Unchecked})
		}
		r := s.refused[c.Object]
		switch {
		case ok && good == c.Version:
			// The object says again what was taken last.
			delete(s.refused, c.Object)
		case r == nil:
			out.changed = append(out.changed, c)
		case r.Version != c.Version:
			out.suspect = append(out.suspect, c)
		case !now.Before(r.Next):
			out.due = append(out.due, c)
		}
	}
	if len(out.changed)+len(out.suspect) > 0 {
		// Changes come first; what is due has the next call to itself, unless
		// it has waited for long.
		out.due = slices.DeleteFunc(out.due, func(c Subject) bool { return now.Sub(s.refused[c.Object].Next) < overdue })
	}
	return out
}

func (s *search) admit(ctx context.Context, c sorted) {
	if !s.start(ctx, c) {
		return
	}
	s.add(ctx, c.suspect)
	s.add(ctx, c.due)
	if !s.stopped() && !maps.Equal(s.in, s.last) {
		s.finish(ctx)
	}
}

// finish tries once more what is in, for the last one that was taken is what
// the caller goes on with.
func (s *search) finish(ctx context.Context) {
	if v := s.try(ctx, s.in); !v.OK && !s.stopped() {
		// It was taken a moment ago: it is not the objects.
		s.machine = &v.Fault
	}
}

// start brings in the base and what has changed. It returns false where that
// was not possible at all.
func (s *search) start(ctx context.Context, c sorted) bool {
	everything := slices.Concat(c.base, c.changed)
	v := s.try(ctx, s.selection(everything))
	switch {
	case s.stopped():
		return false
	case v.OK:
		s.accept(everything)
		return true
	}
	if len(c.changed) > 0 {
		if base := s.try(ctx, s.selection(c.base)); base.OK {
			s.addParts(ctx, c.changed, v)
			return true
		}
		if s.stopped() {
			return false
		}
	}
	// What was taken before is refused now. What runs tells whether that is
	// the machine's doing or that of an input which has changed.
	if live := s.tries.Live(ctx); !live.OK {
		s.machine = &live.Fault
		return false
	}
	if nothing := s.try(ctx, Selection{}); !nothing.OK {
		s.machine = &nothing.Fault
		return false
	}
	s.rebuilding = true
	s.add(ctx, c.base)
	s.rebuilding = false
	if len(s.pending) > 0 && !s.stopped() {
		// What is served is not let go because there was no time to look at it.
		s.machine = &v.Fault
	}
	if s.stopped() {
		return false
	}
	s.add(ctx, c.changed)
	return true
}

// selection is the versions as a Selection, of which later ones win.
func (s *search) selection(list []Subject) Selection {
	out := make(Selection, len(list))
	for _, c := range list {
		out[c.Object] = c.Version
	}
	return out
}

// try tries a selection and remembers it where it is taken.
func (s *search) try(ctx context.Context, selection Selection) Verdict {
	s.count++
	s.work += s.cost(selection)
	if s.count == 1 {
		s.first = s.work
	}
	v := s.tries.Selection(ctx, selection)
	switch {
	case ctx.Err() != nil:
		s.ended = true
		v.OK = false
	case v.OK:
		s.in, s.last = selection, selection
	case v.Fault.Machine:
		s.machine = &v.Fault
	}
	return v
}

// stopped tells whether the search has to end.
func (s *search) stopped() bool { return s.ended || s.machine != nil }

// spent tells whether the bounds of the search are reached. To bring in what is
// served has none but that of Tries.
func (s *search) spent() bool {
	if s.tries.Max > 0 {
		return s.stopped() || s.count >= s.tries.Max
	}
	if s.stopped() || s.rebuilding || s.count < minTries && !s.gained {
		return s.stopped()
	}
	return s.work >= max(minWork, workFactor*s.first)
}

// cost is what it costs to try the selection: what has changed is tested, and
// the whole is at least written.
func (s *search) cost(selection Selection) int {
	cost := len(selection) / 4
	for object, version := range selection {
		if s.before[object] != version {
			cost++
		}
	}
	return cost
}

// add brings in as many of the versions as are taken.
func (s *search) add(ctx context.Context, list []Subject) {
	if len(list) == 0 {
		return
	}
	if s.spent() {
		s.pending = append(s.pending, list...)
		return
	}
	v := s.try(ctx, s.with(list))
	switch {
	case s.stopped():
		s.pending = append(s.pending, list...)
	case v.OK:
		s.accept(list)
		s.gained = s.gained || !s.rebuilding
	case len(list) == 1:
		s.out(ctx, list[0], v.Fault)
	default:
		s.addParts(ctx, list, v)
	}
}

// addParts brings in parts of a list that was refused as a whole.
func (s *search) addParts(ctx context.Context, list []Subject, v Verdict) {
	if len(list) == 1 {
		s.out(ctx, list[0], v.Fault)
		return
	}
	first, second := split(list, func(c Subject) bool { return c.Unchecked && !c.Common })
	if len(first) == 0 || len(second) == 0 {
		if rest, ok := s.follow(ctx, list, v.Suspects); ok {
			s.add(ctx, rest)
			return
		}
		first, second = list[:len(list)/2], list[len(list)/2:]
	}
	s.add(ctx, first)
	s.add(ctx, second)
}

// follow follows the hint that a suspect is at fault. Where that is so without
// the others in the list, it is refused, and rest are the others. One that is
// taken without them clashes with one of them, and which of the two is younger
// is for halves to find out.
func (s *search) follow(ctx context.Context, list []Subject, suspects []model.Object) (rest []Subject, ok bool) {
	rest, named := split(list, func(c Subject) bool { return slices.Contains(suspects, c.Object) })
	if len(named) != 1 || s.hints == maxHints || s.spent() {
		return nil, false
	}
	s.hints++
	before := s.in
	v := s.try(ctx, s.with(named))
	s.in = before
	if v.OK || s.stopped() {
		return nil, false
	}
	s.out(ctx, named[0], v.Fault)
	return rest, true
}

// with is what is in, and the versions.
func (s *search) with(list []Subject) Selection {
	next := maps.Clone(s.in)
	for _, c := range list {
		next[c.Object] = c.Version
	}
	return next
}

// split keeps the order. second has those for which late answers true.
func split(list []Subject, late func(Subject) bool) (first, second []Subject) {
	for _, c := range list {
		if late(c) {
			second = append(second, c)
		} else {
			first = append(first, c)
		}
	}
	return first, second
}

// out keeps a version out that was refused on top of what is taken. The last
// good version stays in, unless that is the one which is refused.
func (s *search) out(ctx context.Context, c Subject, fault Fault) {
	if s.accepted[c.Object] == c.Version {
		// It was served until now. It is not let go before it was refused
		// twice, for then nothing stands in its place.
		if v := s.try(ctx, s.with([]Subject{c})); v.OK || s.stopped() {
			return
		}
		delete(s.accepted, c.Object)
	}
	s.refuse(c, fault)
}

// next is when there is something to do again.
func (q *Quarantine) next(s *search) (at time.Time) {
	if len(s.pending) > 0 && s.machine == nil {
		return q.Now()
	}
	for _, r := range q.refused {
		if at.IsZero() || r.Next.Before(at) {
			at = r.Next
		}
	}
	return at
}
