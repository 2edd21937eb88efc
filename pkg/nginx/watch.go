package nginx

import (
	"context"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// lookInterval is how often the master is looked for when no event says so: a
// pid file can outlive its process.
const lookInterval = time.Second

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
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	last := -1
	for {
		if pid := n.MasterPID(); pid != last {
			last = pid
			changed(pid)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-watcher.Events:
		case <-watcher.Errors:
		case <-ticker.C:
		}
	}
}
