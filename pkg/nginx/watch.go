package nginx

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// lookInterval is how often nginx is looked at when no event says so: a pid
// file outlives a master that is killed, and workers end without one.
const lookInterval = time.Second

// A master writes its pid file some milliseconds before it can be told from
// another process, so after an event it is looked for soonLooks times.
const (
	soonInterval = 10 * time.Millisecond
	soonLooks    = 100
)

// Watch calls changed with the master's pid, or 0 while none runs: once at
// first, and then whenever another master runs than before, until ctx ends.
// changed must return soon.
//
// It also keeps count of since when workers drain, and removes the sockets
// that a killed master leaves and that would keep the next one from starting.
func (n *Nginx) Watch(ctx context.Context, changed func(pid int)) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch nginx's pid file: %w", err)
	}
	defer func() { _ = watcher.Close() }() // it is only read from
	// The directory: the file comes and goes.
	if err := watcher.Add(filepath.Dir(n.o.PIDFile)); err != nil {
		return fmt.Errorf("watch nginx's pid file: %w", err)
	}
	var last process
	for first, soon := true, 0; ; first = false {
		master, noMaster := findMaster(n.o.PIDFile)
		if first || master != last {
			last = master
			changed(master.pid)
		}
		pause := lookInterval
		if noMaster != nil && soon > 0 {
			soon--
			pause = soonInterval
		} else {
			n.tend(master, noMaster)
		}
		select {
		case <-ctx.Done():
			return nil
		case event := <-watcher.Events:
			if event.Name == n.o.PIDFile {
				soon = soonLooks
			}
		case <-watcher.Errors: // events were lost: we look now
		case <-time.After(pause):
		}
	}
}

// tend does what is due at every look. Its errors are told by others: a master
// that ends is seen at the next look, and of a socket that cannot be removed
// nginx speaks when it starts.
func (n *Nginx) tend(master process, noMaster error) {
	if noMaster != nil {
		_ = n.removeSockets(time.Second)
		return
	}
	_, _ = n.look(master)
}
