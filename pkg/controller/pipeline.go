package controller

import (
	"context"
	"errors"
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
	"k8s.io/apimachinery/pkg/types"
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
	// Report is told of each result; it must not block.
	Report func(old, new *State)

	// Again is asked for another run, and told why; it must not block.
	Again func(why string)

	// mu lets one run be under way.
	mu         sync.Mutex
	state      atomic.Pointer[State]
	quarantine quarantine

	// late are the endpoints that were told while a run is under way; nil while
	// none is.
	endpoints sync.Mutex
	late      map[types.NamespacedName]told
}

// State returns what was last done; never nil.
func (p *Pipeline) State() *State {
	if s := p.state.Load(); s != nil {
		return s
	}
	return &State{}
}

// attempt is a snapshot on its way.
type attempt struct {
	snapshot *snapshot.Snapshot
	output   translate.Output
	result   *render.Result
	steps    []nginx.Step
}

// Run takes a snapshot and makes nginx serve it. What goes wrong is logged,
// counted and kept in the state; it returns an error only for its caller to
// try again.
func (p *Pipeline) Run(ctx context.Context, why string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.collect()
	defer p.catchUp()
	start := time.Now()
	snap, err := p.Source.Snapshot(ctx)
	if err != nil {
		p.Metrics.Failed("snapshot", false)
		p.Log.Error(err, "no snapshot can be taken; nginx goes on with what it has")
		return err
	}
	taken := nginx.Step{Name: "snapshot", Duration: time.Since(start)}
	a, outcome, err := p.apply(ctx, p.quarantine.guard(snap))
	if a == nil {
		return err
	}
	a.steps = append([]nginx.Step{taken}, a.steps...)
	p.publish(a, start, why, outcome, err)
	var refused *nginx.RefusedError
	if errors.As(err, &refused) {
		return nil // trying the same again would change nothing
	}
	return err
}

// apply takes a snapshot through all steps. Of a configuration that nginx
// refuses it finds the offender and leaves it out.
func (p *Pipeline) apply(ctx context.Context, snap *snapshot.Snapshot) (*attempt, nginx.Outcome, error) {
	for {
		a, err := p.prepare(snap)
		if err != nil {
			p.Metrics.Failed("render", true)
			p.Log.Error(err, "the configuration cannot be rendered; nginx goes on with what it has")
			return nil, "", err
		}
		if err := p.writeFiles(a); err != nil {
			p.Metrics.Failed("files", true)
			p.Log.Error(err, "certificates and users cannot be written; nginx goes on with what it has")
			return nil, "", err
		}
		p.tell(a)
		outcome, steps, err := p.Nginx.Apply(ctx, nginx.Generation{ID: a.result.ID, Text: a.result.Text})
		a.steps = append(a.steps, steps...)
		var refused *nginx.RefusedError
		if errors.As(err, &refused) {
			p.Metrics.Failed("test", true)
			p.Log.Error(err, "nginx refuses the configuration; the offender is looked for", "line", refused.Line)
			if next := p.isolate(ctx, a, refused); next != nil {
				snap = next
				continue
			}
		}
		if err == nil {
			p.quarantine.good(a.snapshot)
		}
		return a, outcome, err
	}
}

// prepare is the pure part: translate and render.
func (p *Pipeline) prepare(snap *snapshot.Snapshot) (*attempt, error) {
	a := &attempt{snapshot: snap}
	start := time.Now()
	a.output = p.Translator.Translate(translate.Input{Snapshot: snap, Previous: p.State().Config})
	translated := time.Now()
	a.steps = append(a.steps, nginx.Step{Name: "translate", Duration: translated.Sub(start)})
	var err error
	a.result, err = p.Renderer.Render(a.output.Config)
	a.steps = append(a.steps, nginx.Step{Name: "render", Duration: time.Since(translated)})
	return a, err
}

// writeFiles puts the live files where the configuration names them.
func (p *Pipeline) writeFiles(a *attempt) error {
	for _, f := range a.output.Config.Files {
		changed, err := p.Files.Write(string(f.Name), f.Data)
		if err != nil {
			return err
		}
		if changed {
			p.Log.V(1).Info("live file written", "file", string(f.Name))
		}
	}
	return nil
}

// forget drops what no worker can need any more.
func (p *Pipeline) forget(c *model.Config) {
	files := map[string]bool{}
	for _, f := range c.Files {
		files[string(f.Name)] = true
	}
	if err := p.Files.Prune(func(name string) bool { return files[name] }); err != nil {
		p.Log.Error(err, "live files that are no longer used cannot be removed")
	}
	names := map[string]bool{}
	for _, name := range serverNames(c) {
		names[name] = true
	}
	p.Table.Keep(func(name string) bool { return names[name] })
}

// publish makes the outcome the state.
func (p *Pipeline) publish(a *attempt, at time.Time, why string, outcome nginx.Outcome, err error) {
	old := p.State()
	next := &State{
		ID: a.result.ID, Text: a.result.Text, Config: a.output.Config,
		Findings:  append(a.output.Findings, p.quarantine.findings()...),
		Confirmed: outcome == nginx.Confirmed || outcome == nginx.Unchanged,
		History:   old.History,
	}
	p.Metrics.Steps(a.steps)
	record := Record{ID: a.result.ID, Time: at, Why: why, Steps: a.steps, Outcome: string(outcome)}
	var refused *nginx.RefusedError
	switch {
	case errors.As(err, &refused):
		record.Outcome, record.Error = "refused", refused.Message
		next.ID, next.Text, next.Config, next.Confirmed = old.ID, old.Text, old.Config, old.Confirmed
	case err != nil:
		record.Outcome, record.Error = "unconfirmed", err.Error()
		p.Metrics.Failed("confirm", true)
		p.Log.Error(err, "the generation is not confirmed; it is tried again")
	default:
		p.Metrics.Served(a.result.ID, outcome, time.Now())
		p.warn(outcome)
		if next.Confirmed {
			p.forget(a.output.Config)
		}
		if outcome != nginx.Unchanged {
			p.Log.Info("generation "+string(outcome), "id", a.result.ID[:12], "why", why,
				"duration", time.Since(at).String(), "bytes", len(a.result.Text), "findings", len(next.Findings))
		}
	}
	if outcome != nginx.Unchanged {
		next.History = append([]Record{record}, old.History[:min(len(old.History), maxHistory-1)]...)
	}
	p.state.Store(next)
	if p.Report != nil {
		p.Report(old, next)
	}
}

// warn tells what nginx warns of in a new generation.
func (p *Pipeline) warn(outcome nginx.Outcome) {
	if outcome == nginx.Unchanged {
		return
	}
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
	if old.Config == nil {
		return nil // the first run will see
	}
	next := *old
	next.Confirmed = err == nil && id == old.ID
	p.state.Store(&next)
	if p.Report != nil {
		p.Report(old, &next)
	}
	if err == nil {
		p.Log.Info("nginx serves the published generation", "id", id[:min(12, len(id))])
	}
	return err
}
