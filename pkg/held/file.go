package held

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-logr/logr"
	"github.com/sidegate/sidegate/pkg/model"
)

// maxFile bounds the file, in bytes: some hundred thousand Ingresses.
const maxFile = 32 << 20

// File is a Store for the restart of a container.
type File struct {
	Path string
	Log  logr.Logger
}

var _ Store = (*File)(nil)

// Load implements Store.
func (f *File) Load(context.Context) ([]Held, error) {
	info, err := os.Stat(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxFile:
		f.Log.Info("last good versions that are on disk are not used: it is no file, or too large", "file", f.Path)
		return nil, nil
	}
	data, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, err
	}
	list, err := Decode(data)
	if err != nil {
		f.Log.Error(err, "last good versions that are on disk cannot be read, and are not used", "file", f.Path)
		return nil, nil
	}
	return list, nil
}

// Save implements Store. After a crash of the machine there is the old file or
// the new one, whole.
func (f *File) Save(_ context.Context, list []Held) error {
	data, left := Encode(list, maxFile)
	logLeft(f.Log, left)
	if old, err := os.ReadFile(f.Path); err == nil && bytes.Equal(old, data) || errors.Is(err, fs.ErrNotExist) && len(data) == 0 {
		return nil
	}
	if err := f.replace(data); err != nil {
		return fmt.Errorf("the last good versions of what is held cannot be written to %s; after a restart they are missing: %w", f.Path, err)
	}
	return nil
}

func (f *File) replace(data []byte) error {
	dir := filepath.Dir(f.Path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, ".held-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone after the rename
	_, err = temp.Write(data)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), f.Path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// logLeft says what found no place.
func logLeft(log logr.Logger, left []model.Object) {
	if len(left) > 0 {
		log.Info("the last good versions of some objects find no place where a new process looks for them; until they are mended, it does not serve them",
			"objects", len(left), "first", left[0].String())
	}
}
