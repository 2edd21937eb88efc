package nginx

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/prometheus/procfs"
)

// Worker is a worker process.
type Worker struct {
	PID int
	// Draining says that it accepts no connections any more.
	Draining bool
}

// master is a running master process.
type master struct{ pid int }

// findMaster reads the pid file. nil is that no master runs: there is no
// file, it is empty (`nginx -t` may make it), or the process is another one.
func findMaster(pidFile string) *master {
	data, err := os.ReadFile(pidFile)
	if err != nil {
		return nil
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(data)))
	if err != nil {
		return nil
	}
	m := &master{pid}
	if strings.Contains(title(pid), "nginx: master process") {
		return m
	}
	// A master that was started through another program cannot always say
	// what it is, but its workers can.
	if workers, err := m.workers(); err != nil || len(workers) == 0 {
		return nil
	}
	return m
}

// title is what a process calls itself; nginx's processes say what they are.
func title(pid int) string {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return ""
	}
	return string(bytes.TrimRight(bytes.ReplaceAll(data, []byte{0}, []byte{' '}), " "))
}

// signal sends a signal to the master.
func (m *master) signal(s syscall.Signal) error { return syscall.Kill(m.pid, s) }

// workers lists the master's workers.
func (m *master) workers() ([]Worker, error) {
	processes, err := procfs.AllProcs()
	if err != nil {
		return nil, err
	}
	var out []Worker
	for _, p := range processes {
		stat, err := p.Stat()
		if err != nil || stat.PPID != m.pid {
			continue // it has ended, or is another's
		}
		t := title(p.PID)
		if !strings.Contains(t, "nginx: worker process") {
			continue
		}
		out = append(out, Worker{PID: p.PID, Draining: strings.Contains(t, "shutting down")})
	}
	return out, nil
}
