package nginx

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

func TestChildrenByScanAgree(t *testing.T) {
	r := newRig(t, Options{})
	r.workers = 4
	r.serve(r.generation("one"))
	fast, err := children(r.MasterPID())
	if err != nil {
		t.Fatal(err)
	}
	slow, err := childrenByScan(r.MasterPID())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(fast)
	slices.Sort(slow)
	if len(fast) != 4 || !slices.Equal(fast, slow) {
		t.Errorf("%v and %v", fast, slow)
	}
}

// A signal reaches the process that is meant, not one that has its pid by now.
func TestSignalKnowsTheProcess(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p, _, err := look(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	earlier := process{p.pid, p.start - 1}
	if err := earlier.signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("the process that had the pid before: %v", err)
	}
	if !p.runs() {
		t.Fatal("another process was killed")
	}
	if err := p.signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the error says that it was killed
	if err := p.signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) || p.runs() {
		t.Errorf("the process that has ended: %v", err)
	}
}

func TestStats(t *testing.T) {
	r := newRig(t, Options{})
	if _, err := r.ProcessStats(); !errors.Is(err, errNoMaster) {
		t.Errorf("without a master: %v", err)
	}
	if _, err := r.Connections(r.context()); err == nil {
		t.Error("connections without a master")
	}
	r.serve(r.generation("one"))
	var first ProcessStats
	r.eventually("nginx has used time that /proc can count", func() bool {
		r.answers("one")
		var err error
		if first, err = r.ProcessStats(); err != nil {
			t.Fatal(err)
		}
		return first.CPUSeconds > 0
	})
	if first.Count != 1+r.workers || first.OldestStart < 1e9 ||
		first.ResidentBytes < 1<<20 || first.VirtualBytes < first.ResidentBytes {
		t.Errorf("%+v", first)
	}
	connections, err := r.Connections(r.context())
	if err != nil || connections.Requests < 2 || connections.Accepted < connections.Handled || connections.Active < 1 {
		t.Errorf("%+v, %v", connections, err)
	}

	info, err := Inspect(r.context(), r.o.Binary)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := r.Nginx.Version(r.context()); err != nil || v != info.Version {
		t.Errorf("version %v, %v; that of the binary is %v", v, err, info.Version)
	}

	// The work of workers that have ended still counts.
	for i := range 5 {
		r.apply(r.generation("g"+strconv.Itoa(i)), Confirmed)
	}
	r.eventually("old workers have ended", func() bool {
		workers, err := r.Workers()
		return err == nil && len(workers) == r.workers
	})
	last, err := r.ProcessStats()
	if err != nil {
		t.Fatal(err)
	}
	if last.CPUSeconds < first.CPUSeconds || last.ReadBytes < first.ReadBytes || last.WriteBytes < first.WriteBytes || last.OldestStart != first.OldestStart {
		t.Errorf("%+v, before %+v", last, first)
	}
}
