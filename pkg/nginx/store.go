package nginx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Generation is a finished configuration.
type Generation struct {
	// ID names it; nginx answers with it.
	ID string
	// Text is the content of nginx.conf.
	Text []byte
}

// keep is how many generations stay on disk besides the current one.
const keep = 5

// store holds generations below a directory:
//
//	generations/ID/nginx.conf
//	current -> generations/ID
//	rejected/nginx.conf, rejected/message
//	run/            sockets, temporary files
type store struct{ dir string }

func (s store) init() error {
	for _, d := range []string{"generations", "rejected", "run"} {
		if err := os.MkdirAll(filepath.Join(s.dir, d), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func (s store) file(id string) string { return filepath.Join(s.dir, "generations", id, "nginx.conf") }

// stage writes the generation to its place.
func (s store) stage(g Generation) error {
	dir := filepath.Dir(s.file(g.ID))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return writeFile(s.file(g.ID), g.Text, 0o644)
}

// publish makes the generation the one that a starting nginx reads.
func (s store) publish(id string) error {
	next := filepath.Join(s.dir, "current.next")
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(filepath.Join("generations", id), next); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(s.dir, "current"))
}

// current returns the id that is published, or "".
func (s store) current() string {
	target, err := os.Readlink(filepath.Join(s.dir, "current"))
	if err != nil {
		return ""
	}
	return filepath.Base(target)
}

// reject keeps a generation that nginx refused, with nginx's words.
func (s store) reject(g Generation, message string) error {
	return errors.Join(
		writeFile(filepath.Join(s.dir, "rejected", "nginx.conf"), g.Text, 0o644),
		writeFile(filepath.Join(s.dir, "rejected", "message"), []byte(message), 0o644),
		os.RemoveAll(filepath.Dir(s.file(g.ID))),
	)
}

// collect removes the oldest generations but for the current one.
func (s store) collect() error {
	entries, err := os.ReadDir(filepath.Join(s.dir, "generations"))
	if err != nil {
		return err
	}
	type aged struct {
		name string
		time time.Time
	}
	var old []aged
	current := s.current()
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || e.Name() == current {
			continue
		}
		old = append(old, aged{e.Name(), info.ModTime()})
	}
	slices.SortFunc(old, func(a, b aged) int { return b.time.Compare(a.time) })
	for i, a := range old {
		if i < keep {
			continue
		}
		if err := os.RemoveAll(filepath.Join(s.dir, "generations", a.name)); err != nil {
			return err
		}
	}
	return nil
}

// writeFile replaces a file at once.
func writeFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone after the rename
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
