package nginx

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Options say where nginx is.
type Options struct {
	// Binary is the nginx that tests configurations and that Spawn runs.
	Binary string
	// Dir is shared with nginx; see store.
	Dir string
	// PIDFile is the master's.
	PIDFile string
	// ConfirmTimeout is how long nginx may take to serve a generation.
	ConfirmTimeout time.Duration
	// MaxDraining is how many draining workers hold a reload back, for at
	// most DrainWait: each has the memory of a whole configuration.
	MaxDraining int
	DrainWait   time.Duration
}

// Nginx is the co-located nginx.
type Nginx struct {
	Options
	store  store
	prober *prober

	// mu lets one reload be in flight.
	mu sync.Mutex
}

// New prepares the directory.
func New(o Options) (*Nginx, error) {
	if o.ConfirmTimeout == 0 {
		o.ConfirmTimeout = 30 * time.Second
	}
	if o.MaxDraining == 0 {
		o.MaxDraining = 64
	}
	if o.DrainWait == 0 {
		o.DrainWait = 10 * time.Second
	}
	n := &Nginx{Options: o, store: store{o.Dir}}
	n.prober = newProber(filepath.Join(o.Dir, "run", "status.sock"))
	return n, n.store.init()
}

// Step is a part of Apply and how long it took.
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

// Apply makes nginx serve the generation. The error of a generation that
// nginx refuses is a *RefusedError, and nothing has changed then; that of one
// which nginx was told of and does not serve is an *UnconfirmedError, and the
// one before is published again, so that an nginx that starts comes up.
func (n *Nginx) Apply(ctx context.Context, g Generation) (outcome Outcome, steps []Step, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	step := func(name string, f func() error) bool {
		start := time.Now()
		err = f()
		steps = append(steps, Step{name, time.Since(start)})
		return err == nil
	}
	previous := n.store.current()
	if previous == g.ID {
		if m := findMaster(n.PIDFile); m == nil {
			return Published, nil, nil
		} else if n.serves(ctx, m, g.ID) {
			return Unchanged, nil, nil
		}
	}
	if !step("stage", func() error { return n.store.stage(g) }) {
		return "", steps, err
	}
	if !step("test", func() error { return test(ctx, n.Binary, n.store.file(g.ID)) }) {
		var refused *RefusedError
		if errors.As(err, &refused) {
			err = errors.Join(err, n.store.reject(g, refused.Message))
		}
		return "", steps, err
	}
	m := findMaster(n.PIDFile)
	if m != nil {
		step("drain", func() error { return n.waitForDraining(ctx, m) })
	}
	if !step("publish", func() error { return n.store.publish(g.ID) }) {
		return "", steps, err
	}
	if m == nil {
		return Published, steps, nil
	}
	var before []Worker
	if !step("reload", func() error {
		if before, err = m.workers(); err != nil {
			return err
		}
		return m.signal(syscall.SIGHUP)
	}) {
		return "", steps, err
	}
	if !step("confirm", func() error { return n.confirm(ctx, m, g.ID, before) }) {
		if previous != "" && previous != g.ID {
			err = errors.Join(err, n.store.publish(previous))
		}
		return "", steps, err
	}
	return Confirmed, steps, n.store.collect()
}

// serves tells whether the master's workers serve the generation now.
func (n *Nginx) serves(ctx context.Context, m *master, id string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if got, _, err := n.prober.generation(ctx); err != nil || got != id {
		return false
	}
	return n.prober.confirm(ctx, m, id, nil) == nil
}

func (n *Nginx) confirm(ctx context.Context, m *master, id string, before []Worker) error {
	ctx, cancel := context.WithTimeout(ctx, n.ConfirmTimeout)
	defer cancel()
	return n.prober.confirm(ctx, m, id, before)
}

// ConfirmCurrent waits until nginx serves the generation that is published.
// It is for a master that started by itself.
func (n *Nginx) ConfirmCurrent(ctx context.Context) (id string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	id = n.store.current()
	m := findMaster(n.PIDFile)
	if m == nil || id == "" {
		return "", errors.New("no nginx master runs")
	}
	return id, n.confirm(ctx, m, id, nil)
}

// waitForDraining holds a reload back while too many workers drain.
func (n *Nginx) waitForDraining(ctx context.Context, m *master) error {
	deadline := time.Now().Add(n.DrainWait)
	for {
		workers, err := m.workers()
		if err != nil || draining(workers) < n.MaxDraining || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func draining(workers []Worker) (count int) {
	for _, w := range workers {
		if w.Draining {
			count++
		}
	}
	return count
}

// MasterPID returns the pid of the running master, or 0.
func (n *Nginx) MasterPID() int {
	if m := findMaster(n.PIDFile); m != nil {
		return m.pid
	}
	return 0
}

// Workers lists the workers of the running master.
func (n *Nginx) Workers() ([]Worker, error) {
	m := findMaster(n.PIDFile)
	if m == nil {
		return nil, nil
	}
	return m.workers()
}

// Current returns the id of the published generation, or "".
func (n *Nginx) Current() string { return n.store.current() }

// Read returns the text of a generation that is still on disk. The id may be
// a part of one, from its beginning.
func (n *Nginx) Read(id string) ([]byte, error) {
	if id == "" || filepath.Base(id) != id {
		return nil, fmt.Errorf("%q is no generation", id)
	}
	matches, err := filepath.Glob(filepath.Join(n.Dir, "generations", id+"*", "nginx.conf"))
	if err != nil || len(matches) != 1 {
		return nil, fmt.Errorf("%d generations on disk begin with %q", len(matches), id)
	}
	return os.ReadFile(matches[0])
}

// Rejected returns the last generation that nginx refused, and its words.
func (n *Nginx) Rejected() (text, message []byte, err error) {
	if message, err = os.ReadFile(filepath.Join(n.Dir, "rejected", "message")); err != nil {
		return nil, nil, err
	}
	text, err = os.ReadFile(filepath.Join(n.Dir, "rejected", "nginx.conf"))
	return text, message, err
}

// Test has nginx test a generation, and leaves everything as it is. The error
// of one that nginx refuses is a *RefusedError.
func (n *Nginx) Test(ctx context.Context, g Generation) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.store.stage(g); err != nil {
		return err
	}
	err := test(ctx, n.Binary, n.store.file(g.ID))
	if g.ID != n.store.current() {
		err = errors.Join(err, os.RemoveAll(filepath.Dir(n.store.file(g.ID))))
	}
	return err
}
