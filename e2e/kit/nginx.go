package kit

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// NginxEnv names the environment variable that holds the path of the nginx
// binary that tests use. The Makefile sets it.
const NginxEnv = "SIDEGATE_NGINX"

// Nginx returns the path of a stock nginx, 1.30.1 or newer: the one that
// SIDEGATE_NGINX names, the one that `make tools` installed, or the one on
// PATH. A test that needs nginx and finds none fails: skipping would let a
// machine without nginx report success.
func Nginx(tb testing.TB) string {
	tb.Helper()
	if p := os.Getenv(NginxEnv); p != "" {
		return p
	}
	if dir, err := CacheDir(); err == nil {
		if p := filepath.Join(dir, "bin", "nginx"); executable(p) {
			return p
		}
	}
	p, err := exec.LookPath("nginx")
	if err != nil {
		tb.Fatalf("no nginx: set %s, or run `make tools` once", NginxEnv)
	}
	return p
}

// NginxModules returns where the dynamic modules of an nginx are, when that is
// not where it looks for them itself: the one that `make tools` unpacked does
// not run from where it was built for. It is empty otherwise.
func NginxModules(nginx string) string {
	dir, err := CacheDir()
	if err != nil || nginx != filepath.Join(dir, "bin", "nginx") {
		return ""
	}
	modules := filepath.Join(dir, "nginx-modules")
	if info, err := os.Stat(modules); err != nil || !info.IsDir() {
		return ""
	}
	return modules
}

// CacheDir is where the project's scripts keep what is slow to get or build.
func CacheDir() (string, error) {
	if d := os.Getenv("XDG_CACHE_HOME"); d != "" {
		return filepath.Join(d, "sidegate"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".cache", "sidegate"), nil
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
