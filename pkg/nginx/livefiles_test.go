package nginx

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestWriteReplacesOnlyWhatChanged(t *testing.T) {
	l := &LiveFiles{Dir: filepath.Join(t.TempDir(), "keys")}
	path := filepath.Join(l.Dir, "default.web.pem")
	var last os.FileInfo
	for _, step := range []struct {
		content string
		changed bool
	}{{"one", true}, {"one", false}, {"two", true}, {"two", false}, {"", true}} {
		changed, err := l.Write("default.web.pem", []byte(step.content))
		if err != nil || changed != step.changed {
			t.Errorf("%q: changed %v, %v; want %v", step.content, changed, err, step.changed)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode %o", info.Mode().Perm())
		}
		// Written in place, a reader could see half of it.
		if last != nil && os.SameFile(last, info) == step.changed {
			t.Errorf("%q: another file than before: %v", step.content, !os.SameFile(last, info))
		}
		last = info
		if data, err := os.ReadFile(path); err != nil || string(data) != step.content {
			t.Errorf("%q, %v", data, err)
		}
	}
	// What a process before this one has written is not written again.
	if changed, err := (&LiveFiles{Dir: l.Dir}).Write("default.web.pem", nil); err != nil || changed {
		t.Errorf("after a restart: changed %v, %v", changed, err)
	}
}

func TestWriteTakesNames(t *testing.T) {
	l := &LiveFiles{Dir: t.TempDir()}
	for _, name := range []string{"", ".", "..", ".hidden", "../up", "a/b", "/abs", "nul\x00"} {
		if _, err := l.Write(name, []byte("hunter2")); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if entries, err := os.ReadDir(l.Dir); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestWriteGivesFilesToTheWorkers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give files away")
	}
	l := &LiveFiles{Dir: filepath.Join(t.TempDir(), "keys"), Owner: &Owner{UID: 65534, GID: 65533}}
	if _, err := l.Write("a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(l.Dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	if stat.Uid != 65534 || stat.Gid != 65533 || info.Mode().Perm() != 0o600 {
		t.Errorf("%d:%d %o", stat.Uid, stat.Gid, info.Mode().Perm())
	}
}

func TestPruneGivesOldWorkersTime(t *testing.T) {
	l := &LiveFiles{Dir: filepath.Join(t.TempDir(), "keys"), Grace: time.Hour}
	onlyA := func(name string) bool { return name == "a" }
	if err := l.Prune(onlyA); err != nil {
		t.Errorf("before anything is written: %v", err)
	}
	for _, name := range []string{"a", "b"} {
		if _, err := l.Write(name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	// What a process that was killed while it wrote has left.
	if err := os.WriteFile(filepath.Join(l.Dir, tempPrefix+"1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	names := func() (out string) {
		entries, err := os.ReadDir(l.Dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			out += e.Name() + " "
		}
		return out
	}
	prune := func() {
		t.Helper()
		if err := l.Prune(onlyA); err != nil {
			t.Fatal(err)
		}
	}
	prune()
	if got := names(); got != ".new-1 a b " {
		t.Errorf("removed within the grace: %s", got)
	}
	l.Grace = time.Nanosecond
	time.Sleep(time.Millisecond)
	prune()
	if got := names(); got != "a " {
		t.Errorf("left: %s", got)
	}
	if changed, err := l.Write("b", []byte("b")); err != nil || !changed {
		t.Errorf("written again: %v, %v", changed, err)
	}
	// Its time begins anew: it was used in between.
	l.Grace = time.Hour
	prune()
	if got := names(); got != "a b " {
		t.Errorf("left: %s", got)
	}
}

// The certificate for hosts without one is kept beside the live files, and must
// be there after a restart.
func TestPruneKeepsToItsOwn(t *testing.T) {
	l := &LiveFiles{Dir: t.TempDir(), Grace: time.Nanosecond}
	const other = ".self-signed.pem"
	if err := os.WriteFile(filepath.Join(l.Dir, other), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Prune(func(string) bool { return false }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	if _, err := os.Stat(filepath.Join(l.Dir, other)); err != nil {
		t.Error(err)
	}
}
