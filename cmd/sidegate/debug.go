package main

import (
	"fmt"

	"github.com/go-logr/logr"
	"github.com/sidegate/sidegate/pkg/controller"
	"github.com/sidegate/sidegate/pkg/debug"
	"github.com/sidegate/sidegate/pkg/discovery"
)

// debugServer makes the debug endpoint that the flags ask for. What is wrong
// with the flags is an error here, at the start.
func (o *options) debugServer(log logr.Logger) (*debug.Server, error) {
	address, token, err := o.debugEndpoint.parse()
	if err != nil {
		return nil, err
	}
	s := &debug.Server{Address: address, Token: token, Profiling: o.profiling, Log: log.WithName("debug")}
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("--debug-address: %w", err)
	}
	return s, nil
}

// show has the debug endpoint show the controller.
func show(s *debug.Server, core *controller.Core) *debug.Server {
	s.View, s.Up = view{core}, core.Pipeline.Metrics.Listener
	return s
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
