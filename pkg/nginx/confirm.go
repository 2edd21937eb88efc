package nginx

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"
)

// UnconfirmedError says that nginx was told of a generation and does not serve
// it.
type UnconfirmedError struct {
	ID string
	// Refused says that nginx has said so, or has ended of it, and has not
	// just taken too long.
	Refused bool
	// After is how long nginx was given.
	After time.Duration
	// Why is what was seen last.
	Why string
	// Restored is the generation that was published again, for an nginx that
	// starts; "" where there was none.
	Restored string
	// Log is what nginx's master has logged since it was told, as far as
	// that can be read: its log is a file, or it is our child.
	Log []Message
}

func (e *UnconfirmedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "nginx does not serve generation %.12s after %s: %s", e.ID, e.After.Round(time.Millisecond), e.Why)
	// A socket that cannot be bound is told five times.
	var said []string
	for _, m := range e.Log {
		if !slices.Contains(said, m.Text) {
			said = append(said, m.Text)
		}
	}
	if len(said) > 0 {
		b.WriteString("; its log says: " + strings.Join(said[max(0, len(said)-maxSaid):], " / "))
	}
	if e.Restored != "" {
		fmt.Fprintf(&b, "; generation %.12s is published again", e.Restored)
	}
	return b.String()
}

// maxSaid bounds the lines of nginx's log in an error; the last ones matter.
const maxSaid = 5

const (
	// pauseBefore and pauseAfter are between two looks at the processes,
	// before and after the first new worker is there: until then nginx needs
	// the processor more than we do.
	pauseBefore = 5 * time.Millisecond
	pauseAfter  = 2 * time.Millisecond
	// maxBurst is how many questions go out at once at most. The kernel wakes
	// the worker that waited first, so one of two idle workers can get them
	// all; but nginx goes to the end of the queue with every sixteenth
	// connection (ngx_reorder_accept_events), so 16 for each worker reach all.
	maxBurst = 64
)

// errRefused is that nginx has said, in its log, that it keeps what it had.
var errRefused = errors.New("nginx refuses the configuration at run time")

// proof is a confirmation under way.
type proof struct {
	// id is what all workers must answer; "" is any, the same from all.
	id string
	// before are the workers of before the signal. None of them may accept,
	// and none of them counts: it can have the same id.
	before []process
	// refused tells that nginx has said it will not; nil is that it cannot
	// tell.
	refused func() bool

	// answers are by pid, of workers of any time.
	answers map[int]string
	// began is when the first worker that counts has answered.
	began time.Time

	// What was last seen:

	// missing says what keeps the generation from being confirmed.
	missing string
	// counted are the workers that accept and are not from before; silent is
	// how many of them have not answered.
	counted []process
	silent  int
	// deaf says that nobody listens on the status socket. nginx opens sockets
	// before it starts workers, so one that has workers and not this socket has
	// read something that is not ours, or not all of it.
	deaf bool
}

// prove waits until the generation is confirmed: every worker that accepts
// connections has answered with its id, and no worker from before accepts any.
// The error is that of ctx, or errRefused.
func (n *Nginx) prove(ctx context.Context, p *proof) error {
	p.answers = map[int]string{}
	for burst := 1; ; {
		n.examine(p)
		if p.missing == "" {
			n.learn(p.counted, p.id)
			return nil
		}
		if p.refused != nil && p.refused() {
			return errRefused
		}
		if p.silent > 0 {
			// A worker that never happens to get a connection is given more.
			burst = min(max(2*burst, p.silent), maxBurst)
			if n.ask(ctx, p, burst) {
				continue
			}
		}
		pause := pauseBefore
		if len(p.counted) > 0 {
			pause = pauseAfter
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// ask asks count workers at once and tells whether one answered that had not.
func (n *Nginx) ask(ctx context.Context, p *proof, count int) (news bool) {
	answers, err := n.status.burst(ctx, count) // who does not answer is missing
	p.deaf = errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
	for _, a := range answers {
		if _, ok := p.answers[a.pid]; !ok {
			p.answers[a.pid] = a.id
			news = true
		}
	}
	return news
}

// examine looks at the processes and at what they have answered.
func (n *Nginx) examine(p *proof) {
	p.counted, p.silent = nil, 0
	master, err := findMaster(n.o.PIDFile)
	if err != nil {
		p.missing = err.Error()
		return
	}
	all, err := n.look(master)
	if err != nil {
		p.missing = err.Error()
		return
	}
	var old, waiting, silent []int
	others := map[string][]int{}
	for _, w := range p.before {
		// One whose master was killed is nobody's worker, and still accepts.
		if t := title(w.pid); strings.HasPrefix(t, titleWorker) && !strings.HasPrefix(t, titleDraining) && w.runs() {
			old = append(old, w.pid)
		}
	}
	for w, role := range all {
		switch {
		case slices.Contains(p.before, w):
		case role == starting:
			waiting = append(waiting, w.pid)
		case role == accepting:
			p.counted = append(p.counted, w)
			answer, ok := p.answers[w.pid]
			if !ok {
				silent = append(silent, w.pid)
			} else {
				others[answer] = append(others[answer], w.pid)
			}
		}
	}
	p.silent = len(silent)
	if p.id == "" && len(others) == 1 && len(silent) == 0 && len(waiting) == 0 {
		for id := range others {
			p.id = id
		}
	}
	if len(others[p.id]) > 0 && p.began.IsZero() {
		p.began = time.Now()
	}
	delete(others, p.id)
	p.missing = explain(old, waiting, silent, others, len(p.counted))
}

// explain says in words what is missing, or "".
func explain(old, waiting, silent []int, others map[string][]int, counted int) string {
	var out []string
	if counted == 0 {
		out = append(out, "there is no new worker that accepts connections")
	}
	if len(old) > 0 {
		out = append(out, "of the workers from before still accept connections: "+pids(old))
	}
	if len(waiting) > 0 {
		out = append(out, "workers that start: "+pids(waiting))
	}
	if len(silent) > 0 {
		out = append(out, "workers that have not answered: "+pids(silent))
	}
	for _, id := range slices.Sorted(maps.Keys(others)) {
		out = append(out, fmt.Sprintf("workers that serve generation %.12s: %s", id, pids(others[id])))
	}
	return strings.Join(out, "; ")
}

func pids(list []int) string {
	slices.Sort(list)
	return strings.Trim(fmt.Sprint(list), "[]")
}
