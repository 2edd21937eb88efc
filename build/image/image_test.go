package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

const setNetBind = "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write makes a file with its folders.
func write(t *testing.T, name, content string, mode fs.FileMode) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(name), 0o755))
	must(t, os.WriteFile(name, []byte(content), mode))
	must(t, os.Chmod(name, mode))
}

// sample is an image of a root and files, in a folder of its own, whose times
// are those of now.
func sample(t *testing.T) *Spec {
	dir := t.TempDir()
	root, files := filepath.Join(dir, "root"), filepath.Join(dir, "files")
	write(t, filepath.Join(root, "usr/sbin/server"), "old", 0o755)
	write(t, filepath.Join(root, "etc/passwd"), "root:x:0:0", 0o644)
	must(t, os.MkdirAll(filepath.Join(root, "tmp"), 0o755))
	must(t, os.Chmod(filepath.Join(root, "tmp"), fs.ModeSticky|0o777))
	must(t, os.Chmod(filepath.Join(root, "usr"), 0o711))
	must(t, os.Symlink("usr/sbin", filepath.Join(root, "sbin")))
	write(t, filepath.Join(files, "new"), "new", 0o600)
	write(t, filepath.Join(files, "tree/a/b"), "b", 0o644)
	must(t, os.Symlink("/dev/stdout", filepath.Join(files, "tree/log")))
	return &Spec{
		Tags: []string{"example/sample:1"}, Architecture: "arm64", Created: time.Unix(1e9, 0), Root: root,
		Files: []File{
			{Destination: "/usr/sbin/server", Source: filepath.Join(files, "new"), Mode: 0o755},
			{Destination: "/", Source: filepath.Join(files, "tree")},
		},
		Capabilities: map[string]string{"/usr/sbin/server": "cap_net_bind_service=ep"},
		Config:       v1.Config{Entrypoint: []string{"/usr/sbin/server", "-x"}, User: "101:101", StopSignal: "SIGQUIT", Labels: map[string]string{"a": "b"}},
	}
}

func archiveOf(t *testing.T, spec *Spec) []byte {
	t.Helper()
	img, err := Build(spec)
	must(t, err)
	var b bytes.Buffer
	must(t, WriteArchive(&b, img, spec.Tags...))
	return b.Bytes()
}

func TestSameInputSameBytes(t *testing.T) {
	first := archiveOf(t, sample(t))
	spec := sample(t)
	past := time.Unix(12345, 0)
	must(t, os.Chtimes(spec.Files[0].Source, past, past))
	if !bytes.Equal(first, archiveOf(t, spec)) {
		t.Error("the same files in another folder, and of another time, gave other bytes")
	}
	write(t, spec.Files[0].Source, "neu", 0o600)
	if bytes.Equal(first, archiveOf(t, spec)) {
		t.Error("another file gave the same bytes")
	}
}

// An unchanged root is a layer that nobody fetches again.
func TestRootIsItsOwnLayer(t *testing.T) {
	digests := func(spec *Spec) (out []v1.Hash) {
		img, err := Build(spec)
		must(t, err)
		layers, err := img.Layers()
		must(t, err)
		for _, l := range layers {
			d, err := l.Digest()
			must(t, err)
			out = append(out, d)
		}
		return out
	}
	a, changed := sample(t), sample(t)
	changed.Created = time.Unix(2e9, 0)
	write(t, changed.Files[0].Source, "newer", 0o600)
	x, y := digests(a), digests(changed)
	if len(x) != 2 || len(y) != 2 || x[0] != y[0] || x[1] == y[1] {
		t.Errorf("layers are %v and %v, want the first the same and the second not", x, y)
	}
}

// readers read an archive as docker and as containerd do.
var readers = map[string]func(t *testing.T, archive []byte) v1.Image{
	"docker": func(t *testing.T, archive []byte) v1.Image {
		img, err := tarball.Image(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil }, nil)
		must(t, err)
		return img
	},
	"oci": func(t *testing.T, archive []byte) v1.Image {
		dir := t.TempDir()
		must(t, layOut(bytes.NewReader(archive), dir))
		index, err := layout.ImageIndexFromPath(dir)
		must(t, err)
		must(t, validate.Index(index))
		images, err := partial.FindImages(index, func(d v1.Descriptor) bool {
			return d.Annotations[containerdName] == "docker.io/example/sample:1" && d.Annotations[ociName] == "1" && d.Platform.Architecture == "arm64"
		})
		must(t, err)
		if len(images) != 1 {
			t.Fatalf("the index names %d images docker.io/example/sample:1 for arm64, want 1", len(images))
		}
		return images[0]
	},
}

func TestReadBack(t *testing.T) {
	archive := archiveOf(t, sample(t))
	for name, read := range readers {
		t.Run(name, func(t *testing.T) {
			img := read(t, archive)
			must(t, validate.Image(img))
			config, err := img.ConfigFile()
			must(t, err)
			if config.OS != "linux" || config.Architecture != "arm64" || !config.Created.Equal(time.Unix(1e9, 0)) {
				t.Errorf("the image is of %s/%s, made %v", config.OS, config.Architecture, config.Created)
			}
			if c := config.Config; c.User != "101:101" || c.StopSignal != "SIGQUIT" || strings.Join(c.Entrypoint, " ") != "/usr/sbin/server -x" || c.Labels["a"] != "b" {
				t.Errorf("the config is %+v", c)
			}
			checkFiles(t, img)
		})
	}
	manifest, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil })
	must(t, err)
	if got := manifest[0].RepoTags; len(got) != 1 || got[0] != "example/sample:1" {
		t.Errorf("docker would name it %q", got)
	}
}

func checkFiles(t *testing.T, img v1.Image) {
	type file struct {
		mode       int64
		link, text string
		capability string
	}
	want := map[string]file{
		"etc": {mode: 0o755}, "etc/passwd": {mode: 0o644, text: "root:x:0:0"}, "sbin": {mode: 0o777, link: "usr/sbin"},
		"tmp": {mode: 0o1777}, "usr": {mode: 0o711}, "usr/sbin": {mode: 0o755},
		"usr/sbin/server": {mode: 0o755, text: "new", capability: setNetBind},
		"a":               {mode: 0o755}, "a/b": {mode: 0o644, text: "b"}, "log": {mode: 0o777, link: "/dev/stdout"},
	}
	content := mutate.Extract(img)
	defer content.Close()
	for tr := tar.NewReader(content); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		text, err := io.ReadAll(tr)
		must(t, err)
		name := strings.TrimSuffix(h.Name, "/")
		got := file{h.Mode, h.Linkname, string(text), h.PAXRecords["SCHILY.xattr.security.capability"]}
		if got != want[name] {
			t.Errorf("%s is %+v, want %+v", name, got, want[name])
		}
		if h.ModTime.Unix() != 0 {
			t.Errorf("%s has the time %v, want 0", name, h.ModTime)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("missing in the image: %v", want)
	}
}

func TestBuildRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(s *Spec)
		want   string
	}{
		{"architecture", func(s *Spec) { s.Architecture = "x86" }, `architecture "x86": want one of amd64`},
		{"no root", func(s *Spec) { s.Root += "/none" }, "no such file"},
		{"no source", func(s *Spec) { s.Files[0].Source += "-none" }, "file /usr/sbin/server: lstat"},
		{"mode of a folder", func(s *Spec) { s.Files[1].Mode = 0o755 }, "a mode can be given to a regular file only, and this is a folder"},
		{"pipe", func(s *Spec) { must(t, syscall.Mkfifo(s.Root+"/pipe", 0o644)) }, "pipe is a named pipe: an image takes files"},
		{"capability of nothing", func(s *Spec) { s.Capabilities["/none"] = "cap_chown=ep" }, "/none gets capabilities, and there is no such file"},
		{"capability of a folder", func(s *Spec) { s.Capabilities["/etc"] = "cap_chown=ep" }, "/etc gets capabilities and is a folder"},
		{"below a link", func(s *Spec) { s.Files[0].Destination = "/sbin/server" }, "a file goes below /sbin, which is no folder in the root"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spec := sample(t)
			tt.change(spec)
			if _, err := Build(spec); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error is %v, want %q", err, tt.want)
			}
		})
	}
}

// What a registry gets names the very manifests of the archives.
func TestIndex(t *testing.T) {
	arm, amd := sample(t), sample(t)
	amd.Architecture = "amd64"
	var images []v1.Image
	want := map[string]v1.Hash{}
	for _, spec := range []*Spec{amd, arm} {
		built, err := Build(spec)
		must(t, err)
		name := filepath.Join(t.TempDir(), "archive.tar")
		write(t, name, string(archiveOf(t, spec)), 0o644)
		img, err := ReadArchive(name, t.TempDir())
		must(t, err)
		images = append(images, img)
		want[spec.Architecture], err = built.Digest()
		must(t, err)
	}
	var b bytes.Buffer
	must(t, WriteIndexArchive(&b, "example/sample:1", images...))
	dir := t.TempDir()
	must(t, layOut(&b, dir))
	index, err := layout.ImageIndexFromPath(dir)
	must(t, err)
	must(t, validate.Index(index))
	indexes, err := partial.FindIndexes(index, func(d v1.Descriptor) bool { return d.Annotations[containerdName] == "docker.io/example/sample:1" })
	must(t, err)
	if len(indexes) != 1 {
		t.Fatalf("there are %d indexes docker.io/example/sample:1, want 1", len(indexes))
	}
	manifest, err := indexes[0].IndexManifest()
	must(t, err)
	for _, d := range manifest.Manifests {
		if d.Digest != want[d.Platform.Architecture] {
			t.Errorf("the image for %s is %s, want %s", d.Platform.Architecture, d.Digest, want[d.Platform.Architecture])
		}
		delete(want, d.Platform.Architecture)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	if err := WriteIndexArchive(io.Discard, "example/sample:1", images[0], images[0]); err == nil || !strings.Contains(err.Error(), "two images are for linux/amd64") {
		t.Errorf("two images for one architecture: %v", err)
	}
}

func TestReadArchiveRefuses(t *testing.T) {
	entries := func(names ...string) string {
		var b bytes.Buffer
		tw := tar.NewWriter(&b)
		for _, name := range names {
			must(t, tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: 2}))
			_, err := tw.Write([]byte("{}"))
			must(t, err)
		}
		must(t, tw.Close())
		return b.String()
	}
	for content, want := range map[string]string{
		"no tar file":                         "unexpected EOF",
		"":                                    "no OCI layout",
		entries("manifest.json"):              "no OCI layout",
		entries("index.json", "oci-layout"):   "there is no image in it",
		entries("../outside"):                 "path escapes",
		string(archiveOf(t, sample(t))[:600]): "unexpected EOF",
	} {
		name := filepath.Join(t.TempDir(), "archive.tar")
		write(t, name, content, 0o644)
		if _, err := ReadArchive(name, t.TempDir()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: the error is %v, want %q", content, err, want)
		}
	}
}
