package imagetest

import (
	"archive/tar"
	"crypto/x509"
	"debug/elf"
	"encoding/pem"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

var archive = flag.String("archive", "", "the archive to test")

const capability = "SCHILY.xattr.security.capability"

// load reads the archive and lists its files by their absolute name.
func load(t *testing.T) (v1.Image, map[string]*tar.Header) {
	t.Helper()
	if *archive == "" {
		t.Skip("SKIPPED: no image to test; make image-test makes one")
	}
	img, err := tarball.ImageFromPath(*archive, nil)
	must(t, err)
	files := map[string]*tar.Header{}
	walk(t, img, func(name string, h *tar.Header, _ io.Reader) { files[name] = h })
	return img, files
}

// walk calls f for each file of the image.
func walk(t *testing.T, img v1.Image, f func(name string, h *tar.Header, r io.Reader)) {
	t.Helper()
	content := mutate.Extract(img)
	defer content.Close()
	for tr := tar.NewReader(content); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		must(t, err)
		f(path.Join("/", h.Name), h, tr)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What the chart and the code count on.
func TestLayout(t *testing.T) {
	_, files := load(t)
	type file struct {
		kind byte
		mode int64
		link string
	}
	for name, want := range map[string]file{
		"/usr/sbin/nginx":                              {tar.TypeReg, 0o755, ""},
		"/usr/local/bin/sidegate":                      {tar.TypeReg, 0o755, ""},
		"/etc/nginx/sidegate.js":                       {tar.TypeReg, 0o644, ""},
		"/etc/nginx/mime.types":                        {tar.TypeReg, 0o644, ""},
		"/etc/nginx/sidegate":                          {tar.TypeDir, 0o755, ""},
		"/var/log/nginx/access.log":                    {tar.TypeSymlink, 0o777, "/dev/stdout"},
		"/var/log/nginx/error.log":                     {tar.TypeSymlink, 0o777, "/dev/stderr"},
		"/etc/ssl/certs/ca-certificates.crt":           {tar.TypeReg, 0o644, ""},
		"/usr/lib/nginx/modules/ngx_http_js_module.so": {tar.TypeReg, 0o644, ""},
		"/usr/share/doc/sidegate/copyright":            {tar.TypeReg, 0o644, ""},
		"/tmp":                                         {tar.TypeDir, 0o1777, ""},
	} {
		h := files[name]
		if h == nil {
			t.Errorf("%s is missing", name)
		} else if got := (file{h.Typeflag, h.Mode & 0o7777, h.Linkname}); got != want {
			t.Errorf("%s is %c %o %q, want %c %o %q", name, got.kind, got.mode, got.link, want.kind, want.mode, want.link)
		}
	}
	templates, err := filepath.Glob("../../templates/*.tmpl")
	must(t, err)
	for _, name := range templates {
		if files["/etc/sidegate/templates/"+filepath.Base(name)] == nil {
			t.Errorf("%s is not in /etc/sidegate/templates", filepath.Base(name))
		}
	}
}

// Whoever gets into the container finds as little as can be.
func TestNothingToMisuse(t *testing.T) {
	_, files := load(t)
	for name, h := range files {
		if h.Mode&0o6000 != 0 {
			t.Errorf("%s is setuid or setgid: %o", name, h.Mode)
		}
		if h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s is owned by %d:%d, want root", name, h.Uid, h.Gid)
		}
		if h.Typeflag != tar.TypeSymlink && h.Mode&0o002 != 0 && h.Mode&0o1000 == 0 {
			t.Errorf("%s can be written by all: %o", name, h.Mode)
		}
		if name == "/usr/sbin/nginx-test" {
			if h.Mode != 0o711 {
				t.Errorf("%s has the mode %o, want 711: a test could be looked into", name, h.Mode)
			}
			continue
		}
		if h.Mode&0o004 == 0 || h.Typeflag == tar.TypeDir && h.Mode&0o001 == 0 {
			t.Errorf("%s cannot be read by all: %o", name, h.Mode)
		}
		switch path.Base(name) {
		case "sh", "bash", "dash", "busybox", "apt", "apt-get", "dpkg", "perl", "python3", "curl", "openssl":
			if h.Typeflag != tar.TypeDir {
				t.Errorf("%s is in the image", name)
			}
		}
		if want := map[string]string{
			"/usr/sbin/nginx-hostnetwork": "\x01\x00\x00\x02\x00\x04" + strings.Repeat("\x00", 14),
			"/usr/local/bin/sidegate":     "\x00\x00\x00\x02\x00\x04" + strings.Repeat("\x00", 14),
		}[name]; h.PAXRecords[capability] != want {
			t.Errorf("%s has the capabilities %q, want %q", name, h.PAXRecords[capability], want)
		}
	}
}

func TestCertificates(t *testing.T) {
	img, _ := load(t)
	valid := 0
	walk(t, img, func(name string, _ *tar.Header, r io.Reader) {
		if name != "/etc/ssl/certs/ca-certificates.crt" {
			return
		}
		rest, err := io.ReadAll(r)
		must(t, err)
		for block := (*pem.Block)(nil); ; valid++ {
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			_, err := x509.ParseCertificate(block.Bytes)
			must(t, err)
		}
		if len(strings.TrimSpace(string(rest))) > 0 {
			t.Errorf("after %d certificates there is something else: %.80q", valid, rest)
		}
	})
	if valid < 50 {
		t.Errorf("%d certificates, want those of the public authorities", valid)
	}
}

// machines are the values of ELF for an image's architecture.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// Every binary is of the image's architecture and finds its libraries, also
// where it cannot be run to see.
func TestBinaries(t *testing.T) {
	img, files := load(t)
	config, err := img.ConfigFile()
	must(t, err)
	libraries := map[string]bool{}
	for name := range files {
		if dir := path.Dir(name); strings.HasPrefix(dir, "/usr/lib/") && strings.HasSuffix(dir, "-linux-gnu") || dir == "/usr/lib64" || dir == "/usr/lib" {
			libraries[path.Base(name)] = true
		}
	}
	seen := 0
	walk(t, img, func(name string, h *tar.Header, r io.Reader) {
		if h.Typeflag != tar.TypeReg {
			return
		}
		data, err := io.ReadAll(r)
		must(t, err)
		f, err := elf.NewFile(strings.NewReader(string(data)))
		if err != nil {
			return // no binary
		}
		seen++
		if f.Machine != machines[config.Architecture] {
			t.Errorf("%s is for %v, the image for %s", name, f.Machine, config.Architecture)
		}
		needed, err := f.ImportedLibraries()
		must(t, err)
		for _, library := range needed {
			if !libraries[library] {
				t.Errorf("%s needs %s, which is not in the image", name, library)
			}
		}
		dynamic := slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
		if name == "/usr/local/bin/sidegate" && dynamic {
			t.Errorf("%s is not static", name)
		}
	})
	if seen < 10 {
		t.Errorf("%d binaries were looked at, want nginx, its modules and libraries, and the controller", seen)
	}
}

// The record by which scanners know what is in the image.
func TestPackages(t *testing.T) {
	_, files := load(t)
	for _, name := range []string{"nginx", "libc6", "libssl3t64", "libnginx-mod-http-js", "ca-certificates"} {
		if files["/var/lib/dpkg/status.d/"+name] == nil {
			t.Errorf("there is no record of the package %s", name)
		}
	}
	if files["/usr/lib/os-release"] == nil {
		t.Error("os-release is missing: scanners do not know the distribution")
	}
}

// extract lays the image out in a folder, as root.
func extract(t *testing.T, img v1.Image, dir string) {
	t.Helper()
	content := mutate.Extract(img)
	defer content.Close()
	command(t, content, "tar", "-xp", "--numeric-owner", "--xattrs", "--xattrs-include=security.capability", "-C", dir)
	must(t, os.Chmod(dir, fs.FileMode(0o755)))
}
