package nginx

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Step is a part of Apply and how long it took.
//
// "look", "stage" and "publish" are ours; "test" is `nginx -t`; "drain" waits
// for old workers; "reload" is from the signal to the first worker of the new
// generation, which is nginx's own reading of the configuration; "confirm" is
// from there to the proof, and has in it the 0.1 s that nginx waits before it
// ends old workers.
type Step struct {
	Name     string        `json:"name"`
	Duration time.Duration `json:"duration"`
}

// Outcome says what became of a generation that was not refused.
type Outcome string

// A generation was confirmed; it is what nginx served anyway; or it is
// published and waits for a master.
const (
	Confirmed Outcome = "confirmed"
	Unchanged Outcome = "unchanged"
	Published Outcome = "published"
)

// timer makes Steps.
type timer struct {
	steps []Step
	last  time.Time
}

func (t *timer) done(name string, at time.Time) {
	t.steps = append(t.steps, Step{name, at.Sub(t.last)})
	t.last = at
}

// Apply makes nginx serve the generation, and waits for the proof. The error
// of a generation that nginx refuses is a *RefusedError, and nothing has
// changed then; that of one which nginx was told of and does not serve is an
// *UnconfirmedError, and the one before is published again, so that an nginx
// that starts comes up.
//
// One that all workers serve already, because the process that made them do so
// was another, needs no reload. While no master runs, the generation is
// published; ConfirmCurrent is for when one has started.
func (n *Nginx) Apply(ctx context.Context, g Generation) (Outcome, []Step, error) {
	unlock, err := n.lock(ctx)
	if err != nil {
		return "", nil, err
	}
	defer unlock()
	t := &timer{last: time.Now()}
	outcome, err := n.apply(ctx, g, t)
	return outcome, t.steps, err
}

func (n *Nginx) apply(ctx context.Context, g Generation, t *timer) (Outcome, error) {
	previous := n.store.current()
	_, err := findMaster(n.o.PIDFile)
	if err != nil && previous == g.ID && n.store.holds(g) {
		return Published, nil
	}
	if err == nil {
		all, other := n.serves(ctx, g.ID)
		t.done("look", time.Now())
		if all && n.store.holds(g) {
			return Unchanged, n.keepPublished(g)
		}
		if n.store.has(other) {
			previous = other // what runs is the better thing to go back to
		}
	}
	err = n.store.stage(g)
	t.done("stage", time.Now())
	if err != nil {
		return "", fmt.Errorf("stage a generation: %w", err)
	}
	if !g.Tested {
		if err := n.test(ctx, g, t); err != nil {
			return "", err
		}
	}
	master, noMaster := findMaster(n.o.PIDFile)
	if noMaster == nil {
		err := n.waitForDraining(ctx)
		t.done("drain", time.Now())
		if err != nil {
			return "", err
		}
	}
	err = n.publish(g.ID)
	t.done("publish", time.Now())
	if err != nil {
		return "", err
	}
	if noMaster != nil {
		return Published, nil
	}
	switch err := n.reload(ctx, master, g, t); {
	case errors.Is(err, errNoMaster):
		return Published, nil
	case err != nil:
		return "", n.restore(previous, err)
	}
	return Confirmed, n.store.collect(n.inUse)
}

// test has nginx test a staged generation, and keeps one that it refuses out
// of the others.
func (n *Nginx) test(ctx context.Context, g Generation, t *timer) error {
	warnings, err := n.read(ctx, n.store.file(g.ID), g.Text)
	t.done("test", time.Now())
	var refused *RefusedError
	if errors.As(err, &refused) {
		return errors.Join(err, n.store.reject(g, refused.Output))
	}
	if err == nil {
		n.warnings.Store(&warnings)
	}
	return err
}

// Test has nginx test a configuration, which can be a part of one in the frame
// of what is common, and leaves everything as it is. The error of one that
// nginx refuses is a *RefusedError.
func (n *Nginx) Test(ctx context.Context, text []byte) error {
	unlock, err := n.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	file, err := n.store.candidate(text)
	if err != nil {
		return fmt.Errorf("stage a configuration for a test: %w", err)
	}
	warnings, err := n.read(ctx, file, text)
	var refused *RefusedError
	if errors.As(err, &refused) {
		// Kept for a reader only: that it cannot be kept changes nothing.
		_ = n.store.reject(Generation{Text: text}, refused.Output)
	}
	if err == nil {
		n.warnings.Store(&warnings)
	}
	return err
}

// read has `nginx -t` read a file.
func (n *Nginx) read(ctx context.Context, file string, text []byte) ([]Message, error) {
	return test(ctx, n.o.Binary, file, n.o.TestTimeout+perSize(text))
}

// perSize is how much longer than others a large configuration may take. By
// measurement nginx reads a megabyte in 0.3 s, and reloads to it in 2 s.
func perSize(text []byte) time.Duration { return time.Duration(len(text)) * 10 * time.Microsecond }

// publish swaps the link, and wakes Spawn.
func (n *Nginx) publish(id string) error {
	if err := n.store.publish(id); err != nil {
		return fmt.Errorf("publish generation %.12s: %w", id, err)
	}
	select {
	case n.published <- struct{}{}:
	default:
	}
	return nil
}

// keepPublished makes what nginx serves what a starting nginx reads as well.
// The two differ when nginx took a generation after its time had run out, and
// when this process was killed in between.
func (n *Nginx) keepPublished(g Generation) error {
	if n.store.current() == g.ID {
		return nil
	}
	return errors.Join(n.store.stage(g), n.publish(g.ID))
}

// restore publishes the generation before again. The error is the reason.
func (n *Nginx) restore(previous string, reason error) error {
	var unconfirmed *UnconfirmedError
	if !errors.As(reason, &unconfirmed) || previous == unconfirmed.ID || !n.store.has(previous) {
		return reason
	}
	if err := n.publish(previous); err != nil {
		return errors.Join(reason, err)
	}
	unconfirmed.Restored = previous
	return reason
}
