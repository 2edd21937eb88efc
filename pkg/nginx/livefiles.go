package nginx

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// LiveFiles is the directory of files that nginx reads when it needs them:
// keys with their chains, and files of users. A file is replaced at once, so
// a key and its certificate never mismatch.
type LiveFiles struct{ Dir string }

// Write puts the content under the name and tells whether that changed
// anything. Only the owner can read it.
func (l LiveFiles) Write(name string, data []byte) (changed bool, err error) {
	if name == "" || strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/\x00") {
		return false, fmt.Errorf("%q cannot be the name of a file", name)
	}
	if err := os.MkdirAll(l.Dir, 0o700); err != nil {
		return false, err
	}
	path := filepath.Join(l.Dir, name)
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(old, data) {
		return false, nil
	}
	return true, writeFile(path, data, 0o600)
}

// Prune removes the files for which used answers false. A configuration that
// still names one would fail handshakes, so it is called only when none does.
func (l LiveFiles) Prune(used func(name string) bool) error {
	entries, err := os.ReadDir(l.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") && !used(e.Name()) {
			if err := os.Remove(filepath.Join(l.Dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
