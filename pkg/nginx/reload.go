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
// just before another was published is told of that. One that cannot be asked,
// because it has read a file that was cut, is not waited for: the next Apply
// writes the file anew.
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
	text, err := n.store.read(id)
	if err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(ctx, n.confirmLimit(text))
	defer cancel()
	start := time.Now()
	p := &proof{}
	p.refused = func() bool { return !master.runs() || p.deaf && len(p.counted) > 0 }
	if err := n.prove(limited, p); err != nil {
		if ctx.Err() != nil {
			return "", err
		}
		return "", &UnconfirmedError{ID: id, After: time.Since(start), Why: p.missing}
	}
	if p.id == id {
		return id, nil
	}
	err = n.reload(ctx, master, Generation{ID: id, Text: text}, &timer{last: time.Now()})
	return id, n.restore(p.id, err)
}

// reload signals the master and waits for the proof. The error is errNoMaster
// when the master has gone before it could be signalled.
func (n *Nginx) reload(ctx context.Context, master process, g Generation, t *timer) error {
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, n.confirmLimit(g.Text))
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
	if err == nil {
		n.lastReload.Store(int64(time.Since(start)))
	}
	switch {
	case err == nil, errors.Is(err, errNoMaster), ctx.Err() != nil:
		return err
	case !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, errRefused):
		return err
	}
	return &UnconfirmedError{
		ID: g.ID, After: time.Since(start), Why: p.missing, Log: h.messages(), Refused: errors.Is(err, errRefused),
	}
}

// confirmLimit is how long nginx may take to serve the text.
func (n *Nginx) confirmLimit(text []byte) time.Duration {
	return max(n.o.ConfirmTimeout+perSize(text), 10*time.Duration(n.lastReload.Load()))
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
