package nginx

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Generation is a finished configuration.
type Generation struct {
	// ID names it; nginx answers with it. It is the hexadecimal sha256 of
	// the configuration.
	ID string
	// Text is the content of nginx.conf.
	Text []byte
	// Tested says that nginx took all of it in a test, or all that is new in
	// it, so that Apply needs no test of its own.
	Tested bool
}

// Stored is a generation on disk.
type Stored struct {
	ID string
	// Time is when it was staged, or when it was last published.
	Time time.Time
	// Current is the one that a starting nginx reads.
	Current bool
}

// keep is how many generations stay on disk besides those in use.
const keep = 10

// idPattern keeps an id from being another path, and holds a whole sha256.
var idPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// store holds generations below a directory:
//
//	generations/ID/nginx.conf
//	candidate/nginx.conf            what is being tested
//	current -> generations/ID
//	rejected/nginx.conf, rejected/message
//	run/            sockets, the pid file, temporary files
//
// What is there is whole: it comes into its place by a rename.
type store struct{ dir string }

func (s store) init() error {
	for _, d := range []string{"generations", "run"} {
		if err := os.MkdirAll(filepath.Join(s.dir, d), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// file is the nginx.conf of a generation.
func (s store) file(id string) string { return filepath.Join(s.dir, "generations", id, "nginx.conf") }

// live is the nginx.conf that a starting nginx reads.
func (s store) live() string { return filepath.Join(s.dir, "current", "nginx.conf") }

// has tells whether the generation is on disk.
func (s store) has(id string) bool {
	if !idPattern.MatchString(id) {
		return false
	}
	_, err := os.Stat(s.file(id))
	return err == nil
}

// stage puts the generation on disk. What is there under its id is compared:
// a file can have been cut by a full disk, or by somebody.
func (s store) stage(g Generation) error {
	if !idPattern.MatchString(g.ID) {
		return fmt.Errorf("the generation's id is %.80q; it must be a hexadecimal sha256; nginx goes on with what it has", g.ID)
	}
	if s.holds(g) {
		return nil
	}
	if s.has(g.ID) {
		// A starting nginx may be just about to read it.
		return replaceFile(s.file(g.ID), g.Text)
	}
	return s.replaceDir(filepath.Join("generations", g.ID), map[string][]byte{"nginx.conf": g.Text})
}

// holds tells whether the generation is on disk as it should be.
func (s store) holds(g Generation) bool {
	if !s.has(g.ID) {
		return false
	}
	text, err := os.ReadFile(s.file(g.ID))
	return err == nil && bytes.Equal(text, g.Text)
}

// candidate puts a configuration that is to be tested on disk, in the place of
// the one before.
func (s store) candidate(text []byte) (file string, err error) {
	file = filepath.Join(s.dir, "candidate", "nginx.conf")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	return file, os.WriteFile(file, text, 0o644)
}

// reject keeps a generation that nginx refused, with nginx's words, in the
// place of the one that was refused before.
func (s store) reject(g Generation, message string) error {
	return errors.Join(
		s.replaceDir("rejected", map[string][]byte{"nginx.conf": g.Text, "message": []byte(message)}),
		s.remove(g.ID),
	)
}

// remove drops a generation that is not the current one.
func (s store) remove(id string) error {
	if id == "" || id == s.current() {
		return nil
	}
	return os.RemoveAll(filepath.Dir(s.file(id)))
}

// replaceDir makes a directory with the files, in the place of one that may be
// there.
func (s store) replaceDir(name string, files map[string][]byte) error {
	next, err := os.MkdirTemp(s.dir, ".new-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(next) }() // gone after the rename
	for file, data := range files {
		if err := writeSynced(filepath.Join(next, file), data); err != nil {
			return err
		}
	}
	// nginx's user is not always ours.
	if err := os.Chmod(next, 0o755); err != nil {
		return err
	}
	target := filepath.Join(s.dir, name)
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	if err := os.Rename(next, target); err != nil {
		return err
	}
	return syncDir(filepath.Dir(target))
}

// replaceFile puts a whole file in the place of another.
func replaceFile(file string, data []byte) error {
	next := file + ".next"
	if err := writeSynced(next, data); err != nil {
		return err
	}
	if err := os.Rename(next, file); err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}

// writeSynced writes a file and waits until it is on disk: after a crash of
// the machine it is whole or not there.
func writeSynced(file string, data []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir does so for the names in a directory.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// publish makes the generation the one that a starting or signalled nginx
// reads.
func (s store) publish(id string) error {
	if !s.has(id) {
		return fmt.Errorf("generation %.12s is not on disk", id)
	}
	next := filepath.Join(s.dir, ".current-next")
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(filepath.Join("generations", id), next); err != nil {
		return err
	}
	if err := os.Rename(next, filepath.Join(s.dir, "current")); err != nil {
		return err
	}
	if err := syncDir(s.dir); err != nil {
		return err
	}
	// The time orders generations for collect.
	now := time.Now()
	return os.Chtimes(filepath.Dir(s.file(id)), now, now)
}

// current returns the id that is published, or "".
func (s store) current() string {
	target, err := os.Readlink(filepath.Join(s.dir, "current"))
	if err != nil {
		return ""
	}
	return filepath.Base(target)
}

// list returns the generations on disk, the newest first.
func (s store) list() ([]Stored, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, "generations"))
	if err != nil {
		return nil, err
	}
	var out []Stored
	current := s.current()
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // it is just being removed
		}
		out = append(out, Stored{ID: e.Name(), Time: info.ModTime(), Current: e.Name() == current})
	}
	slices.SortFunc(out, func(a, b Stored) int { return b.Time.Compare(a.Time) })
	return out, nil
}

// collect removes the oldest generations, but none that is published or used.
func (s store) collect(used func(id string) bool) error {
	list, err := s.list()
	if err != nil {
		return err
	}
	var failed []error
	spare := 0
	for _, g := range list {
		if g.Current || used(g.ID) {
			continue
		}
		if spare++; spare > keep {
			failed = append(failed, s.remove(g.ID))
		}
	}
	return errors.Join(failed...)
}

// read returns the text of the generation whose id begins with prefix.
func (s store) read(prefix string) ([]byte, error) {
	list, err := s.list()
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(g Stored) bool { return prefix == "" || !strings.HasPrefix(g.ID, prefix) })
	if len(list) != 1 {
		return nil, fmt.Errorf("%d generations on disk have an id that begins with %.80q; exactly one is expected", len(list), prefix)
	}
	return os.ReadFile(s.file(list[0].ID))
}

// rejected returns what reject has kept.
func (s store) rejected() (text, message []byte, err error) {
	dir := filepath.Join(s.dir, "rejected")
	if message, err = os.ReadFile(filepath.Join(dir, "message")); err != nil {
		return nil, nil, err
	}
	text, err = os.ReadFile(filepath.Join(dir, "nginx.conf"))
	return text, message, err
}
