package main

import (
	"github.com/sidegate/sidegate/pkg/controller"
	"github.com/sidegate/sidegate/pkg/debug"
	"github.com/sidegate/sidegate/pkg/discovery"
)

// debugServer makes the debug endpoint that the flags ask for.
func (o *options) debugServer(core *controller.Core) *debug.Server {
	return &debug.Server{Address: o.debugAddress, View: view{core}, Profiling: o.profiling}
}

// view shows the controller to the debug endpoint.
type view struct{ core *controller.Core }

func (v view) State() debug.State {
	s := v.core.Pipeline.State()
	out := debug.State{Confirmed: s.Confirmed, Findings: s.Findings, Generations: make([]debug.Generation, len(s.History))}
	if live := s.Live; live != nil {
		out.ID, out.Text, out.Config = live.ID, live.Text, live.Config
	}
	for i, r := range s.History {
		out.Generations[i] = debug.Generation(r)
	}
	return out
}

func (v view) Endpoints() []discovery.State { return v.core.Pipeline.Table.States() }

func (v view) Generation(id string) ([]byte, error) { return v.core.Pipeline.Nginx.Read(id) }

func (v view) Rejected() (text, message []byte, err error) { return v.core.Pipeline.Nginx.Rejected() }
