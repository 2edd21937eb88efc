package nginx

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sidegate/sidegate/e2e/kit"
)

// In a pod neither nginx nor this process is root. The tests that matter run
// again as nobody.
func TestUnprivileged(t *testing.T) {
	t.Parallel() // it waits more than it works
	if os.Getuid() != 0 {
		t.Skip("these tests run without privileges already")
	}
	// Nobody may not read the directory that `go test` builds in.
	dir, err := os.MkdirTemp("", "sg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	binary, work := filepath.Join(dir, "nginx.test"), filepath.Join(dir, "t")
	copyFile(t, os.Args[0], binary)
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, work} {
		if err := os.Chown(path, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(binary, "-test.v", "-test.run", "^(TestApplyIsConfirmedByEveryWorker|TestRefusedConfigurationLeavesTheOldOne|TestTestChangesNothing|TestWatchSeesMastersComeAndGo|TestKilledControllerLeavesNginxServing|TestStats)$")
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "TMPDIR="+work, kit.NginxEnv+"="+kit.Nginx(t), "HOME="+work)
	// An nginx that was brought for these tests can be in root's home: that
	// path is all that nobody is let through.
	const capDACReadSearch = 2
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
		AmbientCaps: []uintptr{capDACReadSearch},
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	// What another test starts meanwhile would have the file open for writing for
	// a moment, and then it cannot be run.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
