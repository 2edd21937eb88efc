package controller

import "testing"

func TestIdle(t *testing.T) {
	var i idle
	one, two := &State{}, &State{}
	for n, step := range []struct {
		state *State
		done  bool
	}{{nil, false}, {nil, false}, {one, false}, {one, true}, {one, true}, {two, false}, {two, true}} {
		if i.look(step.state); i.done != step.done {
			t.Errorf("look %d: memory given back: %v, want %v", n, i.done, step.done)
		}
	}
}
