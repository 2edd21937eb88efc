package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sidegate/sidegate/pkg/layout"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/sidegate/sidegate/pkg/quarantine"
	"github.com/sidegate/sidegate/pkg/render"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/translate"
)

// run is one run of the pipeline under way.
type run struct {
	*Pipeline
	began    time.Time
	why      string
	snapshot *snapshot.Snapshot
	steps    []nginx.Step
	// how says what a try is.
	how trial
	// tried is the last attempt that passed its try, and newest the last one
	// that was made.
	tried, newest *attempt
}

// trial is what a configuration has to pass.
type trial int

const (
	// inPart tests what has changed, in the frame of what is common; the whole
	// is tested where the frame has changed.
	inPart trial = iota
	// inWhole tests the whole. It follows where nginx refused at run time what
	// had passed in part.
	inWhole
	// atRunTime has nginx serve it. It follows where nginx refused at run time
	// what had passed as a whole.
	atRunTime
)

// harder is the trial that follows one which did not show what nginx refuses.
var harder = map[trial]trial{inPart: inWhole, inWhole: atRunTime}

// maxReloads bounds the search for what nginx refuses at run time only.
const maxReloads = 12

// attempt is a snapshot on its way.
type attempt struct {
	snapshot *snapshot.Snapshot
	output   translate.Output
	layout   *layout.Config
	result   *render.Result
	renderer *render.Renderer
	// outcome is set where nginx serves it already.
	outcome nginx.Outcome
}

// step records how long a step took since it began. A run can try more than
// once; then the times add up.
func (r *run) step(name string, began time.Time) {
	took := time.Since(began)
	if i := slices.IndexFunc(r.steps, func(s nginx.Step) bool { return s.Name == name }); i >= 0 {
		r.steps[i].Duration += took
		return
	}
	r.steps = append(r.steps, nginx.Step{Name: name, Duration: took})
}

// serve finds out what of the snapshot can be served, and has it served.
func (r *run) serve(ctx context.Context) (next time.Time, err error) {
	for {
		before := r.admission.quarantine.Save()
		r.tried = nil
		decided := r.admission.quarantine.Admit(ctx, subjects(r.snapshot), r.tries())
		switch {
		case ctx.Err() != nil:
			return next, ctx.Err()
		case decided.Selection == nil:
			err := &machineError{decided.Machine.Cause}
			r.failed("test", model.ReasonMachine, err)
			return next, err
		}
		outcome := r.tried.outcome
		if outcome == "" {
			outcome, err = r.apply(ctx, r.tried)
		}
		if err == nil {
			r.served(ctx, outcome, decided)
			return decided.Next, nil
		}
		var unconfirmed *nginx.UnconfirmedError
		if ctx.Err() == nil && errors.As(err, &unconfirmed) && unconfirmed.Refused && !nginx.MachineFails(err) && r.how != atRunTime {
			r.Metrics.Failed("confirm", true)
			r.Log.Error(err, "nginx refuses at run time what it took in a test; it is looked for")
			r.admission.quarantine.Load(before)
			r.how = harder[r.how]
			continue
		}
		r.admission.quarantine.Load(before)
		r.unconfirmed(err, decided)
		return next, err
	}
}

// machineError says that nothing can be tested.
type machineError struct{ cause string }

func (e *machineError) Error() string {
	return "no configuration can be tested, also not the one that nginx serves: " + e.cause + "; nobody's objects are to blame, and nginx goes on with what it has"
}

func (r *run) tries() quarantine.Tries {
	t := quarantine.Tries{Selection: r.try, Live: r.tryLive}
	if r.how == atRunTime {
		t.Max = maxReloads
	}
	return t
}

// try tries a selection.
func (r *run) try(ctx context.Context, in quarantine.Selection) quarantine.Verdict {
	a, err := r.prepare(in)
	if err != nil {
		r.Metrics.Failed("render", false)
		return verdict(err)
	}
	if err := r.writeFiles(a); err != nil {
		r.Metrics.Failed("files", false)
		return verdict(err)
	}
	began := time.Now()
	text := a.result
	if r.how == atRunTime {
		a.outcome, err = r.apply(ctx, a)
	} else {
		if text, err = r.changed(a); err == nil {
			err = r.Nginx.Test(ctx, text.Text)
		}
		r.step("test", began)
	}
	if err == nil {
		r.tried = a
		return quarantine.Verdict{OK: true}
	}
	if ctx.Err() == nil {
		r.Metrics.Failed("test", false)
		r.Log.V(1).Info("a configuration is refused", "why", err.Error())
	}
	v := verdict(err)
	var refused *nginx.RefusedError
	if errors.As(err, &refused) && refused.Line > 0 {
		v.Fault.Place, v.Suspects = owners(a, text, refused.Line)
	}
	return v
}

// prepare is the pure part: translate and render.
func (r *run) prepare(in quarantine.Selection) (*attempt, error) {
	a := &attempt{snapshot: r.admission.choose(r.snapshot, in), renderer: r.Renderer}
	r.newest = a
	began := time.Now()
	a.output = r.Translator.Translate(translate.Input{Snapshot: a.snapshot, Previous: r.State().Config()})
	r.step("translate", began)
	began = time.Now()
	var err error
	a.layout = layout.Of(a.output.Config)
	a.result, err = r.Renderer.Render(a.layout)
	r.step("render", began)
	return a, err
}

// writeFiles puts the live files where the configuration names them.
func (r *run) writeFiles(a *attempt) error {
	for _, f := range a.output.Config.Files {
		changed, err := r.Files.Write(string(f.Name), f.Data)
		if err != nil {
			return err
		}
		if changed {
			r.Log.V(1).Info("live file written", "file", string(f.Name))
		}
	}
	return nil
}

// changed is what is to be tested of the attempt.
func (r *run) changed(a *attempt) (*render.Result, error) {
	live := r.State().Live
	if r.how != inPart || live == nil || live.renderer != r.Renderer {
		return a.result, nil
	}
	part, ok, err := r.Renderer.Fragment(a.layout, a.result, live.layout, live.result)
	if !ok {
		return a.result, err
	}
	return part, nil
}

// verdict makes one of an error.
func verdict(err error) quarantine.Verdict {
	v := quarantine.Verdict{Fault: quarantine.Fault{Cause: err.Error(), Machine: nginx.MachineFails(err)}}
	var refused *nginx.RefusedError
	if errors.As(err, &refused) {
		v.Fault.Cause = "nginx says: " + refused.Cause()
	}
	return v
}

// owners are the Ingresses that have to do with the part of the configuration
// that the line is in.
func owners(a *attempt, text *render.Result, line int) (place string, list []model.Object) {
	part, ok := text.PartAt(line)
	if !ok {
		return "", nil
	}
	for _, s := range a.output.Config.Servers {
		for i := range s.Locations {
			l := &s.Locations[i]
			owner, pass := l.Claim.Object, l.Pass()
			concerned := s.Name == part.Name || pass != nil && string(pass.Upstream) == part.Name
			if concerned && owner.Name != "" && !slices.Contains(list, owner) {
				list = append(list, owner)
			}
		}
	}
	if part.Template == "server.tmpl" {
		return "server " + part.Name, list
	}
	return "upstream " + part.Name, list
}

// tryLive tries what runs now, exactly as it is.
func (r *run) tryLive(ctx context.Context) quarantine.Verdict {
	text := []byte(nil)
	if live := r.State().Live; live != nil {
		text = live.Text
	} else if current := r.Nginx.Current(); current != "" {
		var err error
		if text, err = r.Nginx.Read(current); err != nil {
			return verdict(err)
		}
	}
	if text == nil {
		return r.try(ctx, quarantine.Selection{})
	}
	if err := r.Nginx.Test(ctx, text); err != nil {
		return verdict(err)
	}
	return quarantine.Verdict{OK: true}
}

// apply has nginx serve the attempt.
func (r *run) apply(ctx context.Context, a *attempt) (nginx.Outcome, error) {
	r.attemptEndpoints(a)
	outcome, steps, err := r.Nginx.Apply(ctx, nginx.Generation{ID: a.result.ID, Text: a.result.Text, Tested: true})
	r.steps = append(r.steps, steps...)
	return outcome, err
}

// served publishes that nginx serves the attempt, or will when it starts.
func (r *run) served(ctx context.Context, outcome nginx.Outcome, decided quarantine.Outcome) {
	a := r.tried
	r.admission.keep(r.snapshot, decided.Selection)
	if r.keeper != nil {
		r.keeper.keep(ctx, r.admission.held(decided.Refusals))
	}
	old := r.State()
	next := &State{
		Live: &Generation{
			ID: a.result.ID, Text: a.result.Text, Config: a.output.Config,
			layout: a.layout, result: a.result, renderer: a.renderer,
		},
		Confirmed: outcome == nginx.Confirmed || outcome == nginx.Unchanged,
		Findings:  r.findings(a, decided.Refusals),
		Attempt:   Attempt{Record: r.record(a.result.ID, string(outcome), nil)},
		History:   old.History,
	}
	if outcome != nginx.Unchanged || old.Live == nil {
		next.History = r.history(next.Attempt.Record)
	}
	r.Metrics.Steps(r.steps)
	r.Metrics.Served(a.result.ID, outcome, time.Now())
	r.publish(next)
	if outcome != nginx.Unchanged {
		r.warn()
		r.Log.Info("generation "+string(outcome), "id", a.result.ID[:12], "why", r.why,
			"duration", time.Since(r.began).String(), "bytes", len(a.result.Text), "findings", len(next.Findings))
	}
	if next.Confirmed {
		r.forget()
	}
	for _, s := range decided.Refusals {
		if !slices.ContainsFunc(old.Findings, func(f model.Finding) bool { return f.Object == s.Object && f.Reason == model.ReasonQuarantined }) {
			r.Log.Info("a version is left out", "object", s.Object.String(), "why", s.Fault.Cause, "in", s.Fault.Place)
		}
	}
}

// unconfirmed publishes that nginx was given the attempt and does not serve it.
func (r *run) unconfirmed(err error, decided quarantine.Outcome) {
	r.Metrics.Failed("confirm", true)
	r.Log.Error(err, "the generation is not confirmed; it is tried again")
	old := r.State()
	next := *old
	a := r.tried
	next.Attempt = Attempt{
		Record:     r.record(a.result.ID, outcomeUnconfirmed, err),
		Generation: &Generation{ID: a.result.ID, Text: a.result.Text, Config: a.output.Config, layout: a.layout, result: a.result, renderer: a.renderer},
	}
	next.Findings = append(r.findings(a, decided.Refusals), r.own(model.ReasonUnconfirmed, err))
	next.History = r.history(next.Attempt.Record)
	r.publish(&next)
}

// failed publishes that there is nothing that nginx could be given.
func (r *run) failed(step, reason string, err error) {
	r.Metrics.Failed(step, true)
	r.Log.Error(err, "nginx goes on with what it has; it is tried again", "step", step)
	old := r.State()
	next := *old
	next.Attempt.Record = r.record("", outcomeFailed, err)
	next.Findings = slices.DeleteFunc(slices.Clone(old.Findings), func(f model.Finding) bool { return f.Object == r.Self })
	next.Findings = append(next.Findings, r.own(reason, err))
	next.History = r.history(next.Attempt.Record)
	r.publish(&next)
}

// own is a finding that no object of a user is to blame for.
func (r *run) own(reason string, err error) model.Finding {
	return model.Finding{Object: r.Self, Severity: model.Error, Reason: reason, Message: bounded(err.Error())}
}

// bounded keeps a message to what an event can hold.
func bounded(s string) string { return strings.ToValidUTF8(s[:min(len(s), 800)], "") }

func (r *run) findings(a *attempt, refusals []quarantine.Refusal) []model.Finding {
	return slices.Concat(a.output.Findings, r.admission.findings(refusals, r.snapshot))
}

func (r *run) record(id, outcome string, err error) Record {
	out := Record{ID: id, Time: r.began, Why: r.why, Steps: r.steps, Outcome: outcome}
	if err != nil {
		out.Error = fmt.Sprint(err)
	}
	return out
}

// history is the history with the record in front. A failure that repeats
// takes the place of the one before.
func (r *run) history(record Record) []Record {
	old := r.State().History
	if record.Error != "" && len(old) > 0 && old[0].Error == record.Error && old[0].Outcome == record.Outcome {
		old = old[1:]
	}
	return append([]Record{record}, old[:min(len(old), maxHistory-1)]...)
}
