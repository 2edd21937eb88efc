package kit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// BinDirEnv names the environment variable that holds the folder of the
// project's own binaries. The Makefile sets it; without it they are built.
const BinDirEnv = "SIDEGATE_BIN_DIR"

// Binary returns the path of a program of this project: "sidegate" of cmd/, any
// other of e2e/cmd/. It is built when BinDirEnv does not name a folder that
// holds it, so a plain `go test` works as well.
func Binary(tb testing.TB, name string) string {
	tb.Helper()
	if dir := os.Getenv(BinDirEnv); dir != "" {
		if p := filepath.Join(dir, name); executable(p) {
			return p
		}
	}
	pkg := "github.com/sidegate/sidegate/e2e/cmd/" + name
	if name == "sidegate" {
		pkg = "github.com/sidegate/sidegate/cmd/sidegate"
	}
	out := filepath.Join(tb.TempDir(), name)
	if msg, err := exec.Command("go", "build", "-o", out, pkg).CombinedOutput(); err != nil {
		tb.Fatalf("go build %s: %v\n%s", pkg, err, msg)
	}
	return out
}

// KubernetesBinEnv names the environment variable that holds the folder of etcd,
// kube-apiserver and kube-controller-manager. Without it they are those that
// `make tools` built.
const KubernetesBinEnv = "SIDEGATE_KUBERNETES_BIN"

// installed returns the path of a program that e2e/install brings.
func installed(name string) (string, error) {
	bin := os.Getenv(KubernetesBinEnv)
	if bin == "" {
		dir, err := CacheDir()
		if err != nil {
			return "", err
		}
		bin = filepath.Join(dir, "bin")
	}
	p := filepath.Join(bin, name)
	if !executable(p) {
		return "", fmt.Errorf("no %s at %s: run `make tools` once", name, p)
	}
	return p, nil
}

// tail is the end of some log files: what a failed start is explained by.
func tail(files ...string) string {
	const size = 1500 // bytes
	var b strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && len(text) > 0 {
			fmt.Fprintf(&b, "\n--- %s ends with:\n%s", file, text[max(0, len(text)-size):])
		}
	}
	return b.String()
}
