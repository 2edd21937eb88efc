package nginx

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
)

// spawn runs Spawn until the test ends, and returns what ends it and waits.
func (r *rig) spawn() (end func()) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	var log quietLog
	go func() { done <- r.Spawn(ctx, log.logger()) }()
	end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	})
	r.t.Cleanup(func() {
		end()
		if r.t.Failed() {
			r.t.Log(log.String())
		}
	})
	return end
}

// quietLog keeps lines for a test that fails.
type quietLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *quietLog) logger() logr.Logger {
	return funcr.New(func(_, args string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.b.WriteString(args + "\n")
	}, funcr.Options{})
}

func (l *quietLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestSpawnServesWhatIsPublished(t *testing.T) {
	r := newRig(t, Options{})
	end := r.spawn() // nothing is published yet
	one := r.generation("one")
	r.apply(one, Published)
	r.confirmed(one)
	r.answers("one")
	r.apply(r.generation("two"), Confirmed)
	r.answers("two")

	end()
	if _, err := r.fetch("/"); err == nil {
		t.Error("nginx still serves")
	}
	if _, err := os.Stat(r.o.PIDFile); !os.IsNotExist(err) {
		t.Errorf("nginx was not ended in order: its pid file: %v", err)
	}
}

// subreaper makes this process inherit orphans, as the first process of a
// container does.
func subreaper(t *testing.T) {
	t.Helper()
	const prSetChildSubreaper = 36
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0); errno != 0 {
		t.Fatal(errno)
	}
	t.Cleanup(func() { syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 0, 0) })
}

func TestKilledChildComesBack(t *testing.T) {
	subreaper(t)
	r := newRig(t, Options{})
	r.spawn()
	one := r.generation("one")
	r.apply(one, Published)
	r.confirmed(one)

	for range 2 {
		killed, orphans := r.MasterPID(), r.pids()
		if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		// Its workers are still there: they hold the port and the socket.
		r.eventually("another master runs", func() bool { p := r.MasterPID(); return p != 0 && p != killed })
		r.confirmed(one)
		r.answers("one")
		for _, pid := range orphans {
			r.eventually("the orphans have ended and are reaped", func() bool {
				_, err := os.Stat("/proc/" + strconv.Itoa(pid))
				return os.IsNotExist(err)
			})
		}
	}
	r.apply(r.generation("two"), Confirmed)
	r.answers("two")
}

// An error at run time is in the error log, which is a pipe to us.
func TestSpawnTellsWhyNginxRefuses(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := newRig(t, Options{})
	r.spawn()
	one := r.generation("one")
	r.apply(one, Published)
	r.confirmed(one)
	port, _ := holdPort(t)
	_, _, err := r.Apply(r.context(), r.generation("two", "\tlisten 127.0.0.1:"+strconv.Itoa(port)+";"))
	if err == nil || !strings.Contains(err.Error(), "still could not bind()") {
		t.Errorf("error %v", err)
	}
	r.answers("one")
}

// A child that cannot start is tried again, and says why not.
func TestChildThatCannotStart(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := newRig(t, Options{})
	port, release := holdPort(t)
	r.port = port
	one := r.generation("one")
	r.apply(one, Published)
	r.spawn()
	r.eventually("nginx has said why it ended", func() bool {
		lines, _ := r.Nginx.log.since(0)
		return len(lines) > 0 && lines[len(lines)-1].Text == "still could not bind()"
	})
	release()
	r.confirmed(one)
}

const roleVariable = "SIDEGATE_TEST_SPAWN_IN"

// TestMain runs this binary as the controller that is to be killed when it is
// told to.
func TestMain(m *testing.M) {
	dir := os.Getenv(roleVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	n, err := New(Options{Binary: os.Getenv("SIDEGATE_NGINX"), Dir: dir, PIDFile: filepath.Join(dir, "run", "nginx.pid")})
	if err != nil {
		panic(err)
	}
	panic(n.Spawn(context.Background(), logr.Discard()))
}

func TestKilledControllerLeavesNginxServing(t *testing.T) {
	r := newRig(t, Options{})
	one := r.generation("one")
	r.apply(one, Published)
	controller := exec.Command(os.Args[0])
	controller.Env = append(os.Environ(), roleVariable+"="+r.dir, "SIDEGATE_NGINX="+r.o.Binary)
	if err := controller.Start(); err != nil {
		t.Fatal(err)
	}
	r.confirmed(one)
	master := r.MasterPID()
	workers := r.pids()
	if err := controller.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = controller.Wait() // the error says that it was killed
	r.answers("one")

	// A new controller takes the master over: no other starts, no reload.
	r.Nginx = r.again()
	end := r.spawn()
	r.apply(one, Unchanged)
	for range 20 {
		r.answers("one")
		time.Sleep(followInterval / 10)
	}
	if r.MasterPID() != master || len(r.pids()) != len(workers) || r.pids()[0] != workers[0] {
		t.Errorf("master %d, workers %v; before %d, %v", r.MasterPID(), r.pids(), master, workers)
	}
	// It can be reloaded though nobody reads its pipe any more.
	r.apply(r.generation("two"), Confirmed)
	r.answers("two")
	// When it dies, a child takes its place.
	if err := syscall.Kill(master, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.eventually("a child runs", func() bool { p := r.MasterPID(); return p != 0 && p != master })
	r.confirmed(r.generation("two"))
	end()
	if r.MasterPID() != 0 {
		t.Error("nginx still runs")
	}
}

// A master that was taken over ends with us as a child does.
func TestSpawnEndsWhatItTookOver(t *testing.T) {
	r := newRig(t, Options{})
	one := r.generation("one")
	cmd := r.serve(one)
	master := r.MasterPID()
	end := r.spawn()
	time.Sleep(2 * followInterval)
	if r.MasterPID() != master {
		t.Fatal("a second master was started")
	}
	go func() { _ = cmd.Wait() }() // it is this test's child
	end()
	if r.MasterPID() != 0 {
		t.Error("nginx still runs")
	}
}
