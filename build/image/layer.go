package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// entry is a file on disk and where it goes.
type entry struct {
	destination string // no slash in front or behind
	source      string
	mode        fs.FileMode // permissions; 0 is those of the source
	owned       bool        // by who owns the source, else by root
	capability  string
}

// entries are sorted by destination, so that a folder stands before what is
// in it.
type entries map[string]entry

// addTree adds a file, or a folder and all below it, at destination.
func (es entries) addTree(destination, source string, mode fs.FileMode, owned bool) error {
	info, err := os.Lstat(source)
	if err != nil {
		return err
	}
	if mode != 0 && !info.Mode().IsRegular() {
		return fmt.Errorf("%s: a mode can be given to a regular file only, and this is %s", source, kind(info.Mode()))
	}
	return filepath.WalkDir(source, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if t := d.Type(); t&^(fs.ModeDir|fs.ModeSymlink) != 0 {
			return fmt.Errorf("%s is %s: an image takes files, folders and symbolic links only", p, kind(t))
		}
		rel, err := filepath.Rel(source, p)
		if err != nil {
			return err
		}
		dst := path.Join("/", destination, filepath.ToSlash(rel))[1:]
		if dst != "" {
			es[dst] = entry{destination: dst, source: p, mode: mode, owned: owned}
		}
		return nil
	})
}

// addParents adds the folders above every entry, as a runtime would make them:
// else what their mode is depends on who unpacks.
func (es entries) addParents() {
	for dst := range es {
		for dir := path.Dir(dst); dir != "."; dir = path.Dir(dir) {
			if _, ok := es[dir]; !ok {
				es[dir] = entry{destination: dir}
			}
		}
	}
}

func kind(m fs.FileMode) string {
	switch {
	case m&fs.ModeDir != 0:
		return "a folder"
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m&fs.ModeDevice != 0:
		return "a device"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "of an unknown kind"
}

// layer writes the entries as a layer. It is held in memory: two copies of an
// image of some 30 MB, and no file to clean up.
func (es entries) layer() (v1.Layer, error) {
	var compressed bytes.Buffer
	zw, err := gzip.NewWriterLevel(&compressed, gzip.DefaultCompression)
	if err != nil {
		return nil, err
	}
	tw := tar.NewWriter(zw)
	names := make([]string, 0, len(es))
	for name := range es {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := es[name].write(tw); err != nil {
			return nil, err
		}
	}
	if err := tw.Close(); err != nil {
		return nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(compressed.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
}

// write writes one entry. An entry without a source is a folder of root's.
func (e entry) write(tw *tar.Writer) error {
	header := &tar.Header{Name: e.destination + "/", Typeflag: tar.TypeDir, Mode: 0o755, Format: tar.FormatPAX}
	if e.source == "" {
		return tw.WriteHeader(header)
	}
	info, err := os.Lstat(e.source)
	if err != nil {
		return err
	}
	header.Mode = int64(info.Mode().Perm())
	for bit, tarBit := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if info.Mode()&bit != 0 {
			header.Mode |= tarBit
		}
	}
	if e.mode != 0 {
		header.Mode = int64(e.mode)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && e.owned {
		header.Uid, header.Gid = int(stat.Uid), int(stat.Gid)
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		header.Name, header.Typeflag, header.Mode = e.destination, tar.TypeSymlink, 0o777
		if header.Linkname, err = os.Readlink(e.source); err != nil {
			return err
		}
	case info.Mode().IsRegular():
		header.Name, header.Typeflag, header.Size = e.destination, tar.TypeReg, info.Size()
	}
	if e.capability != "" {
		if header.Typeflag != tar.TypeReg {
			return fmt.Errorf("/%s gets capabilities and is %s, want a regular file", e.destination, kind(info.Mode()))
		}
		header.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": e.capability}
	}
	if err := tw.WriteHeader(header); err != nil {
		return fmt.Errorf("%s: %w", e.source, err)
	}
	if header.Typeflag != tar.TypeReg {
		return nil
	}
	f, err := os.Open(e.source)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(tw, f); err != nil {
		return fmt.Errorf("%s: %w", e.source, err)
	}
	return nil
}
