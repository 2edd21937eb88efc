package nginx

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestApplyIsConfirmedByEveryWorker(t *testing.T) {
	for _, workers := range []int{1, 2, 8} {
		t.Run(strconv.Itoa(workers), func(t *testing.T) {
			r := newRig(t, Options{})
			r.workers = workers
			r.serve(r.generation("one"))
			before := r.pids()

			two := r.generation("two")
			steps := r.apply(two, Confirmed)
			r.answers("two")
			if r.Current() != two.ID {
				t.Error("the link does not point to what is served")
			}
			var names []string
			for _, s := range steps {
				names = append(names, s.Name)
			}
			if got, want := strings.Join(names, " "), "look stage test drain publish reload confirm"; got != want {
				t.Errorf("steps %q, want %q", got, want)
			}
			all, err := r.Workers()
			if err != nil {
				t.Fatal(err)
			}
			accepting := 0
			for _, w := range all {
				if w.Draining {
					continue
				}
				accepting++
				if slices.Contains(before, w.PID) {
					t.Errorf("worker %d from before the reload still accepts", w.PID)
				}
				if w.Generation != two.ID {
					t.Errorf("worker %d is known to serve %q", w.PID, w.Generation)
				}
			}
			if accepting != workers {
				t.Errorf("%d workers accept, want %d", accepting, workers)
			}
		})
	}
}

func TestRestartedControllerNeedsNoReload(t *testing.T) {
	r := newRig(t, Options{})
	one, two := r.generation("one"), r.generation("two")
	r.serve(one)
	r.apply(two, Confirmed)
	before := r.pids()

	restarted := r.again()
	if id, err := restarted.Live(r.context()); err != nil || id != two.ID {
		t.Errorf("live is %q, %v; want %s", id, err, two.ID)
	}
	if outcome, _, err := restarted.Apply(r.context(), two); err != nil || outcome != Unchanged {
		t.Errorf("%s, %v; want unchanged", outcome, err)
	}
	// Killed between the signal and the confirmation, or before it could put
	// things right: the disk says something else than nginx serves.
	if err := r.store.publish(one.ID); err != nil {
		t.Fatal(err)
	}
	if outcome, _, err := restarted.Apply(r.context(), two); err != nil || outcome != Unchanged {
		t.Errorf("%s, %v; want unchanged", outcome, err)
	}
	if restarted.Current() != two.ID {
		t.Error("a starting nginx would read another generation than the one that is served")
	}
	if after := r.pids(); !slices.Equal(before, after) {
		t.Errorf("nginx was reloaded: workers %v, before %v", after, before)
	}
}

// The file of what nginx serves was cut or emptied: it is written again, and
// nginx is told, for nobody knows which of the two it has read.
func TestCutGenerationIsWrittenAgain(t *testing.T) {
	for name, cut := range map[string]func([]byte) []byte{
		"empty": func([]byte) []byte { return nil },
		"cut":   func(b []byte) []byte { return b[:len(b)/2] },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			one := r.generation("one")
			r.serve(one)
			if err := os.WriteFile(r.store.file(one.ID), cut(one.Text), 0o644); err != nil {
				t.Fatal(err)
			}
			if outcome, _, err := r.again().Apply(r.context(), one); err != nil || outcome != Confirmed {
				t.Errorf("%s, %v; want confirmed", outcome, err)
			}
			if text, err := os.ReadFile(r.store.live()); err != nil || string(text) != string(one.Text) {
				t.Errorf("on disk are %d bytes of %d, %v", len(text), len(one.Text), err)
			}
		})
	}
}

// The same where no nginx runs: the one that starts reads the file.
func TestCutGenerationIsWrittenAgainForAnNginxThatStarts(t *testing.T) {
	r := newRig(t, Options{})
	one := r.generation("one")
	r.apply(one, Published)
	if err := os.Truncate(r.store.file(one.ID), 0); err != nil {
		t.Fatal(err)
	}
	if outcome, _, err := r.again().Apply(r.context(), one); err != nil || outcome != Published {
		t.Errorf("%s, %v; want published", outcome, err)
	}
	r.start()
	r.confirmed(one)
	r.answers("one")
}

// nginx has read a file that was cut in front of the status server: it cannot be
// asked what it serves, and nobody waits until it could.
func TestNginxWithoutTheStatusServerIsNotWaitedFor(t *testing.T) {
	r := newRig(t, Options{ConfirmTimeout: time.Hour})
	one := r.generation("one")
	r.apply(one, Published)
	cut := bytes.Replace(one.Text, []byte("listen unix:"+r.dir+"/run/status.sock;"), []byte("listen unix:"+r.dir+"/run/other.sock;"), 1)
	if err := os.WriteFile(r.store.file(one.ID), cut, 0o644); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.eventually("it has workers", func() bool { return r.MasterPID() != 0 && len(r.pids()) > 0 })
	var unconfirmed *UnconfirmedError
	if _, err := r.ConfirmCurrent(r.context()); !errors.As(err, &unconfirmed) {
		t.Errorf("error %v", err)
	}
	r.apply(one, Confirmed)
}

func TestRefusedConfigurationLeavesTheOldOne(t *testing.T) {
	r := newRig(t, Options{})
	one := r.generation("one")
	r.serve(one)
	before := r.pids()

	bad := r.generation("two", "\tlocation = /b { proxy_pass nonsense; }")
	line := 1 + strings.Count(string(bad.Text[:strings.Index(string(bad.Text), "nonsense")]), "\n")
	_, _, err := r.Apply(r.context(), bad)
	var refused *RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("error %v, want a refusal", err)
	}
	if refused.Message != "invalid URL prefix in "+refused.File+":"+strconv.Itoa(line) || refused.Line != line {
		t.Errorf("message %q, line %d; want line %d", refused.Message, refused.Line, line)
	}
	if refused.File != r.store.file(bad.ID) {
		t.Errorf("file %q", refused.File)
	}
	r.answers("one")
	if r.Current() != one.ID || !slices.Equal(r.pids(), before) {
		t.Error("a refused configuration has changed something")
	}
	text, message, err := r.Rejected()
	if err != nil || string(text) != string(bad.Text) || !strings.Contains(string(message), "invalid URL prefix") {
		t.Errorf("kept as rejected: %d bytes, %q, %v", len(text), message, err)
	}
	if r.store.has(bad.ID) {
		t.Error("the refused one is among the good ones")
	}
	// And the next good one goes out.
	r.apply(r.generation("three"), Confirmed)
	r.answers("three")
}

func TestTestChangesNothing(t *testing.T) {
	r := newRig(t, Options{})
	one := r.generation("one")
	r.serve(one)
	before := r.pids()
	pid, err := os.ReadFile(r.o.PIDFile)
	if err != nil {
		t.Fatal(err)
	}

	// A name that two servers claim is worth a warning to nginx.
	good := r.generation("two", "\tserver_name a;\n}\nserver {\n\tlisten 127.0.0.1:"+strconv.Itoa(r.port)+";\n\tserver_name a;")
	if err := r.Test(r.context(), good.Text); err != nil {
		t.Error(err)
	}
	if w := r.Warnings(); len(w) != 1 || !strings.HasPrefix(w[0].Text, `conflicting server name "a"`) {
		t.Errorf("warnings %+v", w)
	}
	var refused *RefusedError
	if err := r.Test(r.context(), r.generation("two", "nonsense;").Text); !errors.As(err, &refused) {
		t.Errorf("error %v, want a refusal", err)
	}
	if err := r.Test(r.context(), one.Text); err != nil {
		t.Errorf("the one that is served: %v", err)
	}

	r.answers("one")
	if id, err := r.Live(r.context()); err != nil || id != one.ID {
		t.Errorf("the status socket answers %q, %v", id, err)
	}
	if now, err := os.ReadFile(r.o.PIDFile); err != nil || string(now) != string(pid) {
		t.Errorf("the pid file holds %q, %v; before %q", now, err, pid)
	}
	if !slices.Equal(r.pids(), before) {
		t.Error("nginx was reloaded")
	}
	list, err := r.Generations()
	if err != nil || len(list) != 1 || list[0].ID != one.ID || !list[0].Current {
		t.Errorf("on disk: %+v, %v", list, err)
	}
	if text, _, err := r.Rejected(); err != nil || !strings.Contains(string(text), "nonsense") {
		t.Errorf("the refused one is not kept for a reader: %v", err)
	}
}

func TestTestThatDoesNotRunIsNoRefusal(t *testing.T) {
	tests := map[string]Options{
		"no such binary": {},
		"hangs":          {TestTimeout: 100 * time.Millisecond},
		"is killed":      {},
	}
	scripts := map[string]string{"hangs": "exec sleep 60", "is killed": "kill -9 $$"}
	for name, o := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, o)
			r.o.Binary = filepath.Join(r.dir, "nginx")
			if script, ok := scripts[name]; ok {
				if err := os.WriteFile(r.o.Binary, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			_, _, err := r.Apply(r.context(), r.generation("one"))
			var refused *RefusedError
			if err == nil || errors.As(err, &refused) {
				t.Errorf("error %v; want one that is no refusal", err)
			}
			if r.Current() != "" {
				t.Error("it was published without a test")
			}
		})
	}
}

// holdPort listens on a port that nginx is to be told to listen on.
func holdPort(t *testing.T) (port int, release func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().(*net.TCPAddr).Port, func() { _ = l.Close() }
}

// What `nginx -t` accepts and the master refuses: a port that is in use.
func TestRefusedAtRunTime(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := newRig(t, Options{})
	r.errorLog = filepath.Join(r.dir, "run", "error.log")
	one := r.generation("one")
	r.serve(one)
	before := r.pids()
	port, release := holdPort(t)

	two := r.generation("two", "\tlisten 127.0.0.1:"+strconv.Itoa(port)+";")
	_, _, err := r.Apply(r.context(), two)
	var unconfirmed *UnconfirmedError
	if !errors.As(err, &unconfirmed) {
		t.Fatalf("error %v, want that it is unconfirmed", err)
	}
	if unconfirmed.ID != two.ID || unconfirmed.Restored != one.ID {
		t.Errorf("%+v", unconfirmed)
	}
	for _, want := range []string{
		"there is no new worker", "still accept connections: " + strconv.Itoa(before[0]),
		"bind() to 127.0.0.1:" + strconv.Itoa(port) + " failed (98: Address already in use)", "still could not bind()",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	r.answers("one")
	if r.Current() != one.ID {
		t.Error("an nginx that starts would not come up")
	}
	if !slices.Equal(r.pids(), before) {
		t.Error("nginx has other workers")
	}

	release()
	r.apply(two, Confirmed)
	r.answers("two")
}

// A master that does not answer is given the time that it may take, no more.
func TestUnconfirmedAfterTheDeadline(t *testing.T) {
	r := newRig(t, Options{ConfirmTimeout: 500 * time.Millisecond})
	one := r.generation("one")
	r.serve(one)
	two := r.generation("two")
	// The right configuration with another id in it.
	two.Text = []byte(strings.Replace(string(two.Text), two.ID, strings.Repeat("0", 64), 1))

	_, _, err := r.Apply(r.context(), two)
	var unconfirmed *UnconfirmedError
	if !errors.As(err, &unconfirmed) || !strings.Contains(unconfirmed.Why, "workers that serve generation 000000000000: ") {
		t.Fatalf("error %v", err)
	}
	if r.Current() != one.ID {
		t.Error("the generation before is not published again")
	}
}

// A master that ends over a configuration must not find it again when it is
// started again.
func TestMasterThatEndsIsARefusal(t *testing.T) {
	r := newRig(t, Options{})
	one := r.generation("one")
	master := r.serve(one)
	two := r.generation("two")
	// Stopped, it cannot serve the configuration before it is killed.
	if err := master.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, _, err := r.Apply(r.context(), two)
		done <- err
	}()
	r.eventually("the signal waits for the master", func() bool {
		data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(master.Process.Pid), "status"))
		return err == nil && strings.Contains(string(data), "ShdPnd:\t0000000000000001")
	})
	r.kill(master)
	err := <-done
	var unconfirmed *UnconfirmedError
	if !errors.As(err, &unconfirmed) {
		t.Fatalf("error %v", err)
	}
	if unconfirmed.Restored != one.ID || r.Current() != one.ID {
		t.Errorf("what a started nginx would read is %s: %v", r.Current(), err)
	}
}

// A master that is ending cannot be told of anything.
func TestMasterWithoutWorkersIsNotSignalled(t *testing.T) {
	r := newRig(t, Options{ConfirmTimeout: 300 * time.Millisecond})
	r.workers = 1
	address, started, _ := slowBackend(t)
	slow := "\tlocation = /slow { proxy_pass http://" + address + "; }"
	one := r.generation("one", slow)
	master := r.serve(one)
	go func() { _, _ = r.fetch("/slow") }()
	<-started
	if err := master.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	r.eventually("it ends", func() bool { return len(r.pids()) == 0 })
	_, _, err := r.Apply(r.context(), r.generation("two", slow))
	var unconfirmed *UnconfirmedError
	if !errors.As(err, &unconfirmed) || !strings.Contains(unconfirmed.Why, "no worker that accepts") || r.Current() != one.ID {
		t.Errorf("error %v, published %s", err, r.Current())
	}
}

func TestApplyEndsWithItsContext(t *testing.T) {
	r := newRig(t, Options{})
	r.serve(r.generation("one"))
	two := r.generation("two")
	two.Text = []byte(strings.Replace(string(two.Text), two.ID, strings.Repeat("0", 64), 1))
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, _, err := r.Apply(ctx, two); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestGenerationsAreCollected(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := newRig(t, Options{})
	r.serve(r.generation("first"))
	var last Generation
	for i := range keep + 3 {
		last = r.generation("g" + strconv.Itoa(i))
		r.apply(last, Confirmed)
	}
	// Workers of the last ones may still be ending; what they serve is kept.
	r.eventually("old workers have ended", func() bool {
		workers, err := r.Workers()
		return err == nil && len(workers) == r.workers
	})
	last = r.generation("last")
	r.apply(last, Confirmed)
	list, err := r.Generations()
	if err != nil {
		t.Fatal(err)
	}
	// The current one, keep others, and the one that has just been left.
	if len(list) < keep+1 || len(list) > keep+2 {
		t.Errorf("%d generations on disk, want %d", len(list), keep+1)
	}
	if list[0].ID != last.ID || !list[0].Current {
		t.Errorf("the newest is %+v", list[0])
	}
	if text, err := r.Read(last.ID[:12]); err != nil || string(text) != string(last.Text) {
		t.Errorf("read: %d bytes, %v", len(text), err)
	}
	for _, id := range []string{"", "../current", "x"} {
		if _, err := r.Read(id); err == nil {
			t.Errorf("%q was read", id)
		}
	}
}
