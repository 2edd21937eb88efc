package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestRun(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "86400")
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	args := []string{"-t", "localhost/a:1", "-t", "b:2", "--arch", "arm64", "--entrypoint", "/file", "--entrypoint", "--x", "--cmd", "a b",
		"--env", "A=b=c", "--user", "1:2", "--label", "l=m", "--expose", "53/udp", "--stop-signal", "SIGINT", "--workdir", "/w", "/file=" + file + ":755"}
	var archives [2]string
	for i := range archives {
		archives[i] = filepath.Join(dir, string(rune('a'+i))+".tar")
		if err := run(append([]string{"-o", archives[i]}, args...), io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(read(archives[0]), read(archives[1])) {
		t.Error("two runs gave different bytes")
	}
	img, err := tarball.ImageFromPath(archives[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := img.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"created":"1970-01-02T00:00:00Z"`, `"architecture":"arm64"`, `"Entrypoint":["/file","--x"]`, `"Cmd":["a b"]`, `"Env":["A=b=c"]`,
		`"User":"1:2"`, `"Labels":{"l":"m"}`, `"ExposedPorts":{"53/udp":{}}`, `"StopSignal":"SIGINT"`, `"WorkingDir":"/w"`} {
		if !bytes.Contains(raw, []byte(want)) {
			t.Errorf("the config has no %s: %s", want, raw)
		}
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out.tar")
	dockerfile := filepath.Join(dir, "Dockerfile")
	if err := os.WriteFile(dockerfile, []byte("FROM x\nARG A=1\nUSER 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ args, want string }{
		{"-t a:1 /f=" + dockerfile, "--output is missing"},
		{"-o " + out + " /f=" + dockerfile, "an archive needs a tag"},
		{"-o " + out + " -t a /f=" + dockerfile, `tag "a": want NAME:TAG`},
		{"-o " + out + " -t a:1 /f=" + dir + "/none", "file /f: lstat"},
		{"-o " + out + " -t a:1 /f=" + dockerfile + ":8", "must be octal"},
		{"-o " + out + " -t a:1 --root " + dir + "/none", "root: lstat"},
		{"-o " + out + " -t a:1 --created yesterday", "want seconds since 1970"},
		{"-o " + out + " -t a:1 --label =x", "want NAME=VALUE"},
		{"-o " + out + " -t a:1 --env X", "want NAME=VALUE"},
		{"-o " + out + " -t a:1 --expose http", "want PORT"},
		{"-o " + out + " -t a:1 --cap x", "want /PATH=CAPABILITIES"},
		{"-o " + out + " -t a:1 --what", "unknown flag"},
		{"-o " + out + " -t a:1 --build-arg A=2", "there is none"},
		{"-o " + out + " -t a:1 --dockerfile " + dir + "/none", "no such file"},
		{"-o " + out + " -t a:1 --dockerfile " + dockerfile + " --user 2", "only --label can be given beside"},
		{"-o " + out + " -t a:1 --dockerfile " + dockerfile + " --build-arg B=2", "has no ARG B"},
		{"-o " + dir + "/none/out.tar -t a:1 /f=" + dockerfile, "no such file"},
	}
	for _, tt := range tests {
		if err := run(strings.Fields(tt.args), io.Discard); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: the error is %v, want %q", tt.args, err, tt.want)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*out.tar*"))
	if hidden, _ := filepath.Glob(filepath.Join(dir, ".*out.tar*")); err != nil || len(left)+len(hidden) > 0 {
		t.Errorf("left behind: %v %v", left, hidden)
	}
}
