package nginx

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// Step is a part of Apply and how long it took.
//
// "look", "stage" and "publish" are ours; "test" is `nginx -t`;
// "drain" waits for old workers; "reload" is from the signal to the first
// worker of the new generation, which is nginx's own reading of the
// configuration; "confirm" is from there to the proof, and has in it the 0.1 s
// that nginx waits before it ends old workers.
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
	if err != nil && previous == g.ID {
		return Published, nil
	}
	if err == nil {
		all, other := n.serves(ctx, g.ID)
		t.done("look", time.Now())
		if all {
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
	if err := n.test(ctx, g, t); err != nil {
		return "", err
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
	warnings, err := test(ctx, n.o.Binary, n.store.file(g.ID), n.o.TestTimeout)
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

// Test has nginx test a generation, and leaves everything as it is. The error
// of one that nginx refuses is a *RefusedError.
func (n *Nginx) Test(ctx context.Context, g Generation) error {
	unlock, err := n.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	known := n.store.has(g.ID)
	if err := n.store.stage(g); err != nil {
		return fmt.Errorf("stage a generation for a test: %w", err)
	}
	warnings, err := test(ctx, n.o.Binary, n.store.file(g.ID), n.o.TestTimeout)
	if err == nil {
		n.warnings.Store(&warnings)
	}
	if !known {
		err = errors.Join(err, n.store.remove(g.ID))
	}
	return err
}

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

// reload signals the master and waits for the proof. The error is errNoMaster
// when the master has gone before it could be signalled.
func (n *Nginx) reload(ctx context.Context, master process, g Generation, t *timer) error {
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, n.o.ConfirmTimeout)
	defer cancel()
	h := n.hear(master, g.Text)
	defer h.close()
	p := &proof{id: g.ID}
	err := n.signalled(limited, master, p)
	if err == nil {
		p.refused = func() bool { return refuses(p, h) }
		err = n.prove(limited, p)
	}
	if !p.began.IsZero() {
		t.done("reload", p.began)
	}
	t.done("confirm", time.Now())
	switch {
	case err == nil, errors.Is(err, errNoMaster), ctx.Err() != nil:
		return err
	case !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, errRefused):
		return err
	}
	return &UnconfirmedError{ID: g.ID, After: time.Since(start), Why: p.missing, Log: h.messages()}
}

// signalled tells the master to read its configuration, once it has workers: a
// master that is just starting loses a signal. The workers are those of before.
func (n *Nginx) signalled(ctx context.Context, master process, p *proof) error {
	for {
		all, err := n.look(master)
		if err != nil {
			return err
		}
		for w, role := range all {
			if role == accepting {
				p.before = append(p.before, w)
			}
		}
		if len(p.before) > 0 {
			break
		}
		if !master.runs() {
			return errNoMaster
		}
		p.missing = fmt.Sprintf("its master %d has no worker that accepts connections, and was not signalled", master.pid)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pauseBefore):
		}
	}
	if err := master.signal(syscall.SIGHUP); errors.Is(err, os.ErrProcessDone) {
		return errNoMaster
	} else if err != nil {
		return err
	}
	return nil
}

// refuses tells whether the master that was signalled has given up: it has
// said so, or it has ended, which nginx does where a module cannot begin.
func refuses(p *proof, h *hearing) bool {
	if len(p.counted) > 0 {
		return false // it has taken the configuration
	}
	if !h.master.runs() {
		p.missing = fmt.Sprintf("its master %d has ended; %s", h.master.pid, p.missing)
		return true
	}
	if h.fatal.IsZero() && slices.ContainsFunc(h.messages(), Message.refuses) {
		h.fatal = time.Now()
	}
	return !h.fatal.IsZero() && time.Since(h.fatal) > settle
}

// settle is how long an nginx that has logged an error may still take to show
// that it was no refusal. From there to its first worker are milliseconds.
const settle = time.Second

// waitForDraining holds a reload back while too many generations drain.
func (n *Nginx) waitForDraining(ctx context.Context) error {
	for deadline := time.Now().Add(n.o.DrainWait); ; {
		workers, err := n.Workers()
		if err != nil {
			return err
		}
		old := map[string]bool{}
		for _, w := range workers {
			if w.Draining {
				old[w.Generation] = true
			}
		}
		if len(old) < n.o.MaxDraining || time.Now().After(deadline) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// serves tells whether all workers serve the generation. Otherwise it returns
// the one that a worker does serve, or "". One question is most often enough
// to know that it is another.
func (n *Nginx) serves(ctx context.Context, id string) (all bool, other string) {
	a, err := n.status.ask(ctx)
	if err != nil || a.id != id {
		return false, a.id
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return n.prove(ctx, &proof{id: id}) == nil, ""
}

// Live asks all workers which generation they serve. It waits, until ctx ends,
// for all of them to say the same.
func (n *Nginx) Live(ctx context.Context) (id string, err error) {
	p := &proof{}
	if err := n.prove(ctx, p); err != nil {
		return "", fmt.Errorf("nginx serves no generation for certain: %s: %w", p.missing, err)
	}
	return p.id, nil
}

// ConfirmCurrent waits until nginx serves the generation that is published. It
// is for a master that started by itself. One that has read its configuration
// just before another was published is told of that.
func (n *Nginx) ConfirmCurrent(ctx context.Context) (id string, err error) {
	unlock, err := n.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	id = n.store.current()
	if id == "" {
		return "", errors.New("no generation is published yet")
	}
	master, err := findMaster(n.o.PIDFile)
	if err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(ctx, n.o.ConfirmTimeout)
	defer cancel()
	p := &proof{}
	if err := n.prove(limited, p); err != nil {
		if ctx.Err() != nil {
			return "", err
		}
		return "", &UnconfirmedError{ID: id, After: n.o.ConfirmTimeout, Why: p.missing}
	}
	if p.id == id {
		return id, nil
	}
	text, err := n.store.read(id)
	if err != nil {
		return "", err
	}
	err = n.reload(ctx, master, Generation{ID: id, Text: text}, &timer{last: time.Now()})
	return id, n.restore(p.id, err)
}
