package nginx

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// watch runs Watch until the test ends; the pids come from the channel.
func (r *rig) watch() <-chan int {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	seen, done := make(chan int, 100), make(chan error, 1)
	go func() { done <- r.Watch(ctx, func(pid int) { seen <- pid }) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	})
	return seen
}

func next(t *testing.T, seen <-chan int) int {
	t.Helper()
	select {
	case pid := <-seen:
		return pid
	case <-time.After(30 * time.Second):
		t.Fatal("Watch has told nothing in 30 s")
		return 0
	}
}

func TestWatchSeesMastersComeAndGo(t *testing.T) {
	r := newRig(t, Options{})
	seen := r.watch()
	if pid := next(t, seen); pid != 0 {
		t.Fatalf("master %d before there is one", pid)
	}
	one := r.generation("one")
	r.apply(one, Published) // `nginx -t` leaves an empty pid file
	first := r.start()
	if pid := next(t, seen); pid != first.Process.Pid {
		t.Fatalf("master %d, want %d", pid, first.Process.Pid)
	}
	r.confirmed(one)

	// Killed as the kernel does when memory is short, and started again by
	// somebody who knows nothing of sockets: without help it could not start.
	r.kill(first)
	if pid := next(t, seen); pid != 0 {
		t.Fatalf("master %d after it was killed", pid)
	}
	if data, err := os.ReadFile(r.o.PIDFile); err != nil || len(data) == 0 {
		t.Fatalf("the test is about a pid file that is left: %q, %v", data, err)
	}
	second := r.start()
	if pid := next(t, seen); pid != second.Process.Pid {
		t.Fatalf("master %d, want %d", pid, second.Process.Pid)
	}
	r.confirmed(one)
	r.answers("one")
}

// nginx reads its configuration before it writes its pid file. What is
// published in between it has not read.
func TestConfirmCurrentTellsAMasterThatReadTheOneBefore(t *testing.T) {
	r := newRig(t, Options{})
	one, two := r.generation("one"), r.generation("two")
	r.serve(one)
	if err := r.store.stage(two); err != nil {
		t.Fatal(err)
	}
	if err := r.store.publish(two.ID); err != nil {
		t.Fatal(err)
	}
	r.confirmed(two)
	r.answers("two")
}

func TestConfirmCurrentWithoutAMaster(t *testing.T) {
	r := newRig(t, Options{})
	if _, err := r.ConfirmCurrent(r.context()); err == nil || !strings.Contains(err.Error(), "no generation is published") {
		t.Errorf("error %v", err)
	}
	r.apply(r.generation("one"), Published)
	if _, err := r.ConfirmCurrent(r.context()); err == nil || !strings.Contains(err.Error(), "no nginx master runs: the pid file") {
		t.Errorf("error %v", err)
	}
}

// A master that ends while it is waited for holds nobody up.
func TestConfirmCurrentEndsWithTheMaster(t *testing.T) {
	r := newRig(t, Options{ConfirmTimeout: time.Hour})
	r.workers = 1
	address, started, _ := slowBackend(t)
	slow := "\tlocation = /slow { proxy_pass http://" + address + "; }"
	master := r.serve(r.generation("one", slow))
	go func() { _, _ = r.fetch("/slow") }()
	<-started
	if err := master.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	r.eventually("it ends", func() bool { return len(r.pids()) == 0 })
	done := make(chan error, 1)
	go func() {
		_, err := r.ConfirmCurrent(r.context())
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("a master without workers was not waited for: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	r.kill(master)
	var unconfirmed *UnconfirmedError
	if err := <-done; !errors.As(err, &unconfirmed) || !strings.Contains(unconfirmed.Why, "no nginx master runs") {
		t.Errorf("error %v", err)
	}
}

// slowBackend answers when it is told to.
func slowBackend(t *testing.T) (address string, started <-chan struct{}, release func()) {
	t.Helper()
	begun, hold := make(chan struct{}, 10), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		begun <- struct{}{}
		<-hold
		_, _ = io.WriteString(w, "at last")
	}))
	released := false
	release = func() {
		if !released {
			released = true
			close(hold)
		}
	}
	t.Cleanup(func() { release(); server.Close() })
	return server.Listener.Addr().String(), begun, release
}

func TestDrainingWorkersHoldReloadsBack(t *testing.T) {
	r := newRig(t, Options{MaxDraining: 1, DrainWait: time.Minute})
	r.workers = 1
	address, started, release := slowBackend(t)
	slow := "\tlocation = /slow { proxy_pass http://" + address + "; }"
	one := r.generation("one", slow)
	r.serve(one)
	r.watch()
	answer := make(chan string, 1)
	go func() {
		body, err := r.fetch("/slow")
		if err != nil {
			body = err.Error()
		}
		answer <- body
	}()
	<-started
	pid := r.pids()[0]

	r.apply(r.generation("two", slow), Confirmed)
	r.answers("two")
	r.eventually("the old worker drains", func() bool {
		workers, err := r.Workers()
		if err != nil || len(workers) != 2 {
			return false
		}
		for _, w := range workers {
			if w.PID == pid {
				return w.Draining && w.Generation == one.ID && !w.DrainingSince.IsZero()
			}
		}
		return false
	})

	// Another reload would make a second one.
	three := r.generation("three", slow)
	applied := make(chan error, 1)
	go func() {
		_, _, err := r.Apply(r.context(), three)
		applied <- err
	}()
	r.eventually("the next generation is staged", func() bool { return r.store.has(three.ID) })
	select {
	case err := <-applied:
		t.Fatalf("the reload was not held back: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	r.answers("two")
	release()
	if got := <-answer; got != "at last" {
		t.Errorf("the request of before the reload got %q", got)
	}
	if err := <-applied; err != nil {
		t.Fatal(err)
	}
	r.answers("three")
}

// The wait has an end: a connection that never ends stops no reload for ever.
func TestDrainWaitEnds(t *testing.T) {
	r := newRig(t, Options{MaxDraining: 1, DrainWait: 50 * time.Millisecond})
	r.workers = 1
	address, started, _ := slowBackend(t)
	slow := "\tlocation = /slow { proxy_pass http://" + address + "; }"
	r.serve(r.generation("one", slow))
	go func() { _, _ = r.fetch("/slow") }()
	<-started
	r.apply(r.generation("two", slow), Confirmed)
	r.apply(r.generation("three", slow), Confirmed)
	r.answers("three")
}

func TestFindMaster(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "nginx.pid")
	tests := map[string]struct {
		content string
		want    string
	}{
		"empty":            {"", "is empty"},
		"a line feed only": {"\n", "is empty"},
		"no number":        {"x\n", `holds "x\n"`},
		"zero":             {"0\n", `holds "0\n"`},
		"has ended":        {"4194305\n", "has ended"}, // above the kernel's highest pid
		"another process":  {"1\n", "process 1 of the pid file " + file + " is "},
	}
	if _, err := findMaster(file); err == nil || !strings.Contains(err.Error(), "there is no pid file") {
		t.Errorf("no file: %v", err)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := findMaster(file); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}
