package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/sidegate/sidegate/pkg/discovery"
	"github.com/sidegate/sidegate/pkg/metrics"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/sidegate/sidegate/pkg/render"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/translate"
)

// Source is where snapshots come from: a cluster or a directory.
type Source interface {
	Snapshot(ctx context.Context) (*snapshot.Snapshot, error)
}

// Pipeline is the way from a snapshot to a confirmed generation.
type Pipeline struct {
	Log        logr.Logger
	Source     Source
	Translator *translate.Translator
	Renderer   *render.Renderer
	Nginx      *nginx.Nginx
	Files      nginx.LiveFiles
	Table      *discovery.Table
	Metrics    *metrics.Metrics
	// Self is what findings about no object of a user are about.
	Self model.Object
	// Report is given each result; it must not block.
	Report func(old, new *State)
	// Again is asked for another run, and given the reason; it must not block.
	Again func(why string)

	// mu lets one run be under way.
	mu        sync.Mutex
	state     atomic.Pointer[State]
	admission admission
	endpoints endpointWriter
}

// State returns what was last done; never nil.
func (p *Pipeline) State() *State {
	if s := p.state.Load(); s != nil {
		return s
	}
	return &State{}
}

// Run takes a snapshot and makes nginx serve it. What goes wrong is logged,
// counted and kept in the state. It returns when it should be called again
// although nothing has changed (zero is never), or an error for its caller to
// try again with back-off.
func (p *Pipeline) Run(ctx context.Context, why string) (next time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rememberEndpoints()
	defer p.writeRecentEndpoints()
	r := &run{Pipeline: p, began: time.Now(), why: why}
	r.snapshot, err = p.Source.Snapshot(ctx)
	r.step("snapshot", r.began)
	if err != nil {
		if ctx.Err() != nil {
			return next, err
		}
		r.failed("snapshot", model.ReasonNoSnapshot, fmt.Errorf("no snapshot of the cluster can be taken: %w", err))
		return next, err
	}
	next, err = r.serve(ctx)
	if err != nil && ctx.Err() != nil {
		return time.Time{}, err // it is the process that ends
	}
	return next, err
}

// forget drops what no worker can need any more.
func (p *Pipeline) forget() {
	files, names := map[string]bool{}, map[string]bool{}
	for _, c := range p.State().configs() {
		for _, f := range c.Files {
			files[string(f.Name)] = true
		}
		for _, name := range serverNames(c) {
			names[name] = true
		}
	}
	if err := p.Files.Prune(func(name string) bool { return files[name] }); err != nil {
		p.Log.Error(err, "live files that are no longer used cannot be removed")
	}
	p.Table.Keep(func(name string) bool { return names[name] })
}

// publish makes a state the one that others read.
func (p *Pipeline) publish(next *State) {
	old := p.State()
	p.state.Store(next)
	if p.Report != nil {
		p.Report(old, next)
	}
}

// warn logs what nginx warns of in a new generation.
func (p *Pipeline) warn() {
	warnings := p.Nginx.Warnings()
	p.Metrics.Warnings(len(warnings))
	for _, w := range warnings {
		p.Log.Info("nginx warns of the configuration", "warning", w.Text, "line", w.Line)
	}
}

// Reconfirm is for a master that started by itself: it waits until nginx
// serves what is published.
func (p *Pipeline) Reconfirm(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, err := p.Nginx.ConfirmCurrent(ctx)
	old := p.State()
	if old.Live == nil {
		return nil // the first run will see
	}
	next := *old
	next.Confirmed = err == nil
	p.publish(&next)
	if err == nil && id != old.Live.ID {
		err = errors.New("nginx serves an older generation than the live one")
	}
	if err == nil {
		p.Log.Info("nginx serves the published generation", "id", id[:min(12, len(id))])
	}
	return err
}
