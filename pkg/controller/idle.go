package controller

import "runtime/debug"

// idle gives memory back that a run needed and the next one, which may be hours
// away, does not need before: a run allocates some times what stays of it, and
// the runtime on its own keeps as much again as stays.
type idle struct {
	seen *State
	// done says that the memory of seen's run is given back.
	done bool
}

// look is told the state from time to time. It acts once, when no run has ended
// since the look before.
func (i *idle) look(s *State) {
	if s != i.seen {
		i.seen, i.done = s, false
		return
	}
	if !i.done && s != nil {
		debug.FreeOSMemory()
		i.done = true
	}
}
