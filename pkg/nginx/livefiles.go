package nginx

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// defaultGrace is for requests of old workers that are under way.
const defaultGrace = time.Minute

// Owner is a user and a group that files are given to.
type Owner struct{ UID, GID int }

// LiveFiles is the directory of files that nginx reads when it needs them:
// keys with their chains, and files of users. A new content is served without
// a reload. A file is replaced at once, so a key and its chain never mismatch.
//
// Nothing of a content is ever in an error.
type LiveFiles struct {
	Dir string
	// Owner is the user of nginx's workers, who read the files; nil is the
	// user of this process. To give files away takes root.
	Owner *Owner
	// Grace is how long a file must have been unused before Prune removes it;
	// default a minute.
	Grace time.Duration

	mu sync.Mutex
	// written has the sums of what is there, so that a sync of thousands of
	// files that have not changed reads none of them.
	written map[string][sha256.Size]byte
	// unused has since when Prune finds a file unused.
	unused map[string]time.Time
}

// tempPrefix begins the names of files that are being written.
const tempPrefix = ".new-"

// Write puts the content under the name and tells whether that changed
// anything. Only the owner can read it.
func (l *LiveFiles) Write(name string, data []byte) (changed bool, err error) {
	if name == "" || strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/\x00") {
		return false, fmt.Errorf("%q cannot be the name of a live file: it must be one path element that begins with no dot; the file is not written", name)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := sha256.Sum256(data)
	if l.written[name] == sum {
		return false, nil
	}
	mode := os.FileMode(0o700)
	if l.Owner != nil {
		mode = 0o711 // a worker must get through
	}
	if err := os.MkdirAll(l.Dir, mode); err != nil {
		return false, err
	}
	path := filepath.Join(l.Dir, name)
	// What another process has written before counts as well.
	if old, err := os.ReadFile(path); err != nil || sha256.Sum256(old) != sum {
		if err := l.replace(path, data); err != nil {
			return false, fmt.Errorf("write the live file %s: %w; nginx goes on with the one before", name, err)
		}
		changed = true
	}
	if l.written == nil {
		l.written = map[string][sha256.Size]byte{}
	}
	l.written[name] = sum
	return changed, nil
}

// replace puts a whole file in the place of another.
func (l *LiveFiles) replace(path string, data []byte) error {
	f, err := os.CreateTemp(l.Dir, tempPrefix) // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone after the rename
	_, err = f.Write(data)
	if l.Owner != nil {
		err = errors.Join(err, f.Chown(l.Owner.UID, l.Owner.GID))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Prune removes the files for which used has answered false for Grace. A
// handshake that needs a file that is gone fails, so it is called only when a
// configuration that no longer names it is confirmed; Grace is for the workers
// of the one before. Files that begin with a dot are not ours and stay.
func (l *LiveFiles) Prune(used func(name string) bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	entries, err := os.ReadDir(l.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	grace := l.Grace
	if grace == 0 {
		grace = defaultGrace
	}
	unused := map[string]time.Time{}
	var failed []error
	for _, e := range entries {
		name := e.Name()
		// Names that Write refuses are others'.
		hidden := strings.HasPrefix(name, ".") && !strings.HasPrefix(name, tempPrefix)
		if !e.Type().IsRegular() || hidden || used(name) {
			continue
		}
		since, ok := l.unused[name]
		if !ok {
			since = time.Now()
		}
		if time.Since(since) < grace {
			unused[name] = since
			continue
		}
		delete(l.written, name)
		failed = append(failed, os.Remove(filepath.Join(l.Dir, name)))
	}
	l.unused = unused
	return errors.Join(failed...)
}
