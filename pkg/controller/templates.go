package controller

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/sidegate/sidegate/pkg/render"
)

// settle is how long a directory must be quiet before it is read: editors and
// ConfigMap volumes replace files in several steps.
const settle = 200 * time.Millisecond

// watchTemplates takes new templates into use when nginx takes what they
// render; broken ones leave the last good ones in use.
func (c *Core) watchTemplates(ctx context.Context) error {
	return WatchDir(ctx, c.TemplateDir, func() {
		err := c.Pipeline.UseTemplates(ctx, c.TemplateDir)
		c.Pipeline.Metrics.Templates(err == nil)
		if err != nil {
			c.Log.Error(err, "the templates are not used; the last good ones stay", "directory", c.TemplateDir)
			return
		}
		c.Log.Info("new templates are in use", "directory", c.TemplateDir)
		c.Trigger("templates changed")
	})
}

// UseTemplates loads the directory's templates and tests them with the
// configuration that nginx has.
func (p *Pipeline) UseTemplates(ctx context.Context, dir string) error {
	r, err := render.New(os.DirFS(dir))
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if live := p.State().Live; live != nil {
		result, err := r.Render(live.layout)
		if err != nil {
			return err
		}
		if err := p.Nginx.Test(ctx, result.Text); err != nil {
			return err
		}
	}
	p.Renderer = r
	p.admission.quarantine.Reconsider()
	return nil
}

// WatchDir calls changed after the directory's files have changed and been
// left alone for a moment, until ctx ends.
func WatchDir(ctx context.Context, dir string, changed func()) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer func() { _ = watcher.Close() }() // it is only read from
	if err := addTree(watcher, dir); err != nil {
		return err
	}
	var quiet <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-watcher.Events:
			if e.Has(fsnotify.Create) {
				// What came may have gone again; then there is nothing to watch.
				_ = addTree(watcher, e.Name)
			}
			quiet = time.After(settle)
		case <-watcher.Errors:
			quiet = time.After(settle)
		case <-quiet:
			quiet = nil
			changed()
		}
	}
}

// addTree watches a directory and those below it.
func addTree(w *fsnotify.Watcher, root string) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		return w.Add(path)
	})
}
