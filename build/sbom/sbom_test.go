package sbom

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sidegate/sidegate/build/image"
)

const (
	release = "ID=debian\nVERSION_CODENAME=\"forky\"\n"
	libc    = "Package: libc6\nSource: glibc (2.43-7)\nVersion: 2.43-7\nArchitecture: amd64\nDescription: GNU C Library\n more of it\nHomepage: https://www.gnu.org/software/libc/\n"
)

// app builds a Go binary; a test's own says nothing of its modules.
func app(t *testing.T, source string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "app")
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", file, source)
	c.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is built for a release
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return file
}

// imageOf has the files given and the binary.
func imageOf(t *testing.T, app string, files map[string]string) v1.Image {
	t.Helper()
	spec := &image.Spec{
		Architecture: "amd64", Created: time.Unix(1e9, 0), Files: []image.File{{Destination: "/usr/bin/app", Source: app, Mode: 0o755}},
		Config: v1.Config{Labels: map[string]string{"org.opencontainers.image.version": "1.2.3"}},
	}
	dir := t.TempDir()
	for name, text := range files {
		source := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		spec.Files = append(spec.Files, image.File{Destination: name, Source: source})
	}
	img, err := image.Build(spec)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestOf(t *testing.T) {
	files := map[string]string{"/usr/lib/os-release": release, "/var/lib/dpkg/status.d/libc6": libc, "/var/lib/dpkg/status.d/libc6.md5sums": "0  lib/libc.so"}
	img := imageOf(t, app(t, "../cmd/mksbom"), files)
	var texts [2]bytes.Buffer
	for i := range texts {
		bom, err := Of(img, "example/app")
		if err != nil {
			t.Fatal(err)
		}
		if err := Write(&texts[i], bom); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(texts[0].Bytes(), texts[1].Bytes()) {
		t.Error("the same image gave different lists")
	}
	var bom cdx.BOM
	if err := json.Unmarshal(texts[0].Bytes(), &bom); err != nil {
		t.Fatal(err)
	}
	if m := bom.Metadata; m.Timestamp != "2001-09-09T01:46:40Z" || m.Component.Name != "example/app" || m.Component.Version != "1.2.3" {
		t.Errorf("it is of %+v at %s", m.Component, m.Timestamp)
	}
	versions := map[string]string{}
	for _, c := range *bom.Components {
		versions[c.BOMRef] = c.Version
		if strings.HasPrefix(c.Version, "v") && (c.Hashes == nil || len((*c.Hashes)[0].Value) != 64) {
			t.Errorf("the module %s has no hash", c.BOMRef)
		}
	}
	for want, version := range map[string]string{
		"os:debian": "forky",
		"pkg:deb/debian/libc6@2.43-7?arch=amd64&distro=debian-forky&upstream=glibc": "2.43-7",
		"pkg:golang/github.com/sidegate/sidegate/build@1.2.3":                       "1.2.3",
		"pkg:golang/github.com/google/go-containerregistry@v0.22.1":                 "v0.22.1",
	} {
		if versions[want] != version {
			t.Errorf("%s is %q, want %q; there are %v", want, versions[want], version, versions)
		}
	}
}

func TestOfRefuses(t *testing.T) {
	source := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	binary := app(t, source)
	for want, files := range map[string]map[string]string{
		"0 packages":                             {"/usr/lib/os-release": release},
		"has no ID":                              {"/var/lib/dpkg/status.d/libc6": libc},
		"/var/lib/dpkg/status.d/x: no record of": {"/usr/lib/os-release": release, "/var/lib/dpkg/status.d/x": "what\n"},
		"want Package, Version":                  {"/usr/lib/os-release": release, "/var/lib/dpkg/status.d/x": "Package: x\n"},
	} {
		if _, err := Of(imageOf(t, binary, files), "x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
}
