package nginx

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Options say where nginx is. Zero durations and counts are the defaults.
type Options struct {
	// Binary is the nginx that tests configurations and that Spawn runs.
	Binary string
	// Dir is shared with nginx. Apply makes DIR/current/nginx.conf, which is
	// what nginx is to be started with; DIR/run is for nginx's own files.
	Dir string
	// PIDFile is the master's.
	PIDFile string
	// StatusSocket is where nginx answers which generation it serves;
	// default DIR/run/status.sock.
	StatusSocket string
	// TestTimeout bounds `nginx -t`; default 30 s, and 10 s more for each
	// megabyte.
	TestTimeout time.Duration
	// ConfirmTimeout is how long nginx may take to serve a generation;
	// default 30 s, and 10 s more for each megabyte, or ten times what the last
	// one took.
	ConfirmTimeout time.Duration
	// MaxDraining is how many generations with workers that still drain hold
	// a reload back, for at most DrainWait: each has the memory of a whole
	// configuration. Defaults 16 and 10 s.
	MaxDraining int
	DrainWait   time.Duration
	// QuitGrace is how long a child may take to end its requests when Spawn
	// is to end; default 30 s.
	QuitGrace time.Duration
}

// Nginx is the co-located nginx.
type Nginx struct {
	o      Options
	store  store
	status status
	log    errorLog
	memory memory
	// warnings are of the last configuration that passed a test.
	warnings atomic.Pointer[[]Message]

	// lastReload is how long the last confirmed reload took.
	lastReload atomic.Int64

	// busy holds a token while a test or a reload is in flight.
	busy chan struct{}
	// published is told, without waiting, of a new current generation.
	published chan struct{}
}

// New makes the directories that are missing.
func New(o Options) (*Nginx, error) {
	o.StatusSocket = cmp.Or(o.StatusSocket, filepath.Join(o.Dir, "run", "status.sock"))
	o.PIDFile = filepath.Clean(o.PIDFile)
	o.TestTimeout = cmp.Or(o.TestTimeout, 30*time.Second)
	o.ConfirmTimeout = cmp.Or(o.ConfirmTimeout, 30*time.Second)
	o.MaxDraining = cmp.Or(o.MaxDraining, 16)
	o.DrainWait = cmp.Or(o.DrainWait, 10*time.Second)
	o.QuitGrace = cmp.Or(o.QuitGrace, 30*time.Second)
	n := &Nginx{
		o: o, store: store{o.Dir}, status: status{o.StatusSocket},
		busy: make(chan struct{}, 1), published: make(chan struct{}, 1),
	}
	if err := os.MkdirAll(filepath.Dir(o.PIDFile), 0o755); err != nil {
		return nil, err
	}
	return n, n.store.init()
}

// lock waits for what is in flight.
func (n *Nginx) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case n.busy <- struct{}{}:
		return func() { <-n.busy }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// MasterPID returns the pid of the running master, or 0.
func (n *Nginx) MasterPID() int {
	master, err := findMaster(n.o.PIDFile)
	if err != nil {
		return 0
	}
	return master.pid
}

// Current returns the id of the published generation, or "".
func (n *Nginx) Current() string { return n.store.current() }

// Generations lists what is on disk, the newest first.
func (n *Nginx) Generations() ([]Stored, error) { return n.store.list() }

// Read returns the text of a generation that is still on disk. The id may be
// a part of one, from its beginning.
func (n *Nginx) Read(id string) ([]byte, error) { return n.store.read(id) }

// Rejected returns the last generation that nginx refused, and its words. The
// error is fs.ErrNotExist when nothing was refused yet.
func (n *Nginx) Rejected() (text, message []byte, err error) { return n.store.rejected() }

// Warnings are what nginx warned of when it last took a configuration in Apply
// or Test.
func (n *Nginx) Warnings() []Message {
	if w := n.warnings.Load(); w != nil {
		return *w
	}
	return nil
}
