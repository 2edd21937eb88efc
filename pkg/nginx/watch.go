package nginx

import (
	"context"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// How often the master is looked for when no event says so: a pid file can
// outlive its process, and is written before the workers are there.
const (
	lookInterval  = time.Second
	awaitInterval = 20 * time.Millisecond
)

// Watch calls changed with the master's pid, or 0, whenever another master
// runs than before, until ctx ends.
func (n *Nginx) Watch(ctx context.Context, changed func(pid int)) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer func() { _ = watcher.Close() }() // it is only read from
	if err := watcher.Add(filepath.Dir(n.PIDFile)); err != nil {
		return err
	}
	last := -1
	for {
		if pid := n.MasterPID(); pid != last {
			last = pid
			changed(pid)
		}
		interval := lookInterval
		if last == 0 {
			interval = awaitInterval
		}
		select {
		case <-ctx.Done():
			return nil
		case <-watcher.Events:
		case <-watcher.Errors:
		case <-time.After(interval):
		}
	}
}
