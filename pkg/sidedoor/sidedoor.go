package sidedoor

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/wait"
)

// Door is one server.
type Door struct {
	// Name is what the log and the metric call it.
	Name   string
	Log    logr.Logger
	Listen func(context.Context) (net.Listener, error)
	// Handler answers.
	Handler http.Handler
	// Up is called with whether it listens, whenever that is known anew.
	Up func(name string, up bool)
	// Backoff is the pause between two tries; the default grows from 1 s to a
	// minute.
	Backoff *wait.Backoff
}

// A door that has been open for this long begins with short pauses again.
const settled = time.Minute

// defaultBackoff is a new one for each row of failures.
func (d *Door) backoff() wait.Backoff {
	if d.Backoff != nil {
		return *d.Backoff
	}
	return wait.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.1, Steps: 7, Cap: time.Minute}
}

// Serve serves until ctx ends. Whatever happens to the listener, it returns
// only then.
func (d *Door) Serve(ctx context.Context) {
	pause := d.backoff()
	for ctx.Err() == nil {
		start := time.Now()
		err := d.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(start) > settled {
			pause = d.backoff()
		}
		wait := pause.Step()
		d.up(false)
		d.Log.Error(err, "this endpoint cannot be reached; all else goes on, and it is tried again", "endpoint", d.Name, "after", wait.String())
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// once listens and serves until that fails or ctx ends.
func (d *Door) once(ctx context.Context) error {
	l, err := d.Listen(ctx)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: d.Handler, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // whatever it answers now is of no use
	defer stop()
	d.up(true)
	d.Log.Info("an endpoint listens", "endpoint", d.Name, "address", l.Addr().String())
	err = server.Serve(l)
	// It may have ended before it took the listener over.
	return errors.Join(err, ignoreClosed(l.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (d *Door) up(is bool) {
	if d.Up != nil {
		d.Up(d.Name, is)
	}
}

// TCP listens on an address.
func TCP(address string) func(context.Context) (net.Listener, error) {
	return func(ctx context.Context) (net.Listener, error) {
		var c net.ListenConfig
		return c.Listen(ctx, "tcp", address)
	}
}
