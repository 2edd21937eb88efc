package nginx

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/prometheus/procfs"
)

// process is one process for ever: a pid alone is used again.
type process struct {
	pid int
	// start is when it started, in clock ticks since the machine did.
	start uint64
}

// What nginx's processes call themselves. The title is what /proc has instead
// of a command line; a binary's path says nothing where a wrapper runs it
// through a loader of its own.
const (
	titlePrefix   = "nginx: "
	titleMaster   = "nginx: master process"
	titleWorker   = "nginx: worker process"
	titleDraining = "nginx: worker process is shutting down"
	titleCache    = "nginx: cache "
)

// errNoMaster is that no nginx master runs.
var errNoMaster = errors.New("no nginx master runs")

// findMaster returns the process that the pid file names, if it is an nginx
// master. Otherwise the error is errNoMaster and says why: there is no file,
// it is empty (`nginx -t` leaves it so), or it is left of a master that was
// killed and the pid may be another's by now.
func findMaster(pidFile string) (process, error) {
	data, err := os.ReadFile(pidFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return process{}, fmt.Errorf("%w: there is no pid file %s", errNoMaster, pidFile)
	case err != nil:
		return process{}, fmt.Errorf("%w that can be seen: %w", errNoMaster, err)
	case len(bytes.TrimSpace(data)) == 0:
		return process{}, fmt.Errorf("%w: the pid file %s is empty", errNoMaster, pidFile)
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(data)))
	if err != nil || pid <= 0 {
		return process{}, fmt.Errorf("%w: the pid file %s holds %.20q", errNoMaster, pidFile, data)
	}
	p, stat, err := look(pid)
	if err != nil || stat.State == "Z" {
		return process{}, fmt.Errorf("%w: process %d of the pid file %s has ended, or is in a process namespace of its own", errNoMaster, pid, pidFile)
	}
	if !isMaster(p) {
		return process{}, fmt.Errorf("%w: process %d of the pid file %s is %q", errNoMaster, pid, pidFile, stat.Comm)
	}
	return p, nil
}

// look reads what /proc has of a process.
func look(pid int) (process, procfs.ProcStat, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return process{}, procfs.ProcStat{}, err
	}
	stat, err := p.Stat()
	return process{pid, stat.Starttime}, stat, err
}

// isMaster tells whether a process is an nginx master. The title of one that
// was started through a loader can be cut away in /proc, because it is longer
// than the arguments that it overwrites; its children's titles are not.
func isMaster(p process) bool {
	if strings.HasPrefix(title(p.pid), titleMaster) {
		return true
	}
	pids, err := children(p.pid)
	return err == nil && slices.ContainsFunc(pids, func(pid int) bool {
		return strings.HasPrefix(title(pid), titleWorker)
	})
}

// title returns what an nginx process calls itself, or "".
func title(pid int) string {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return ""
	}
	arguments, err := p.CmdLine()
	if err != nil {
		return ""
	}
	i := slices.IndexFunc(arguments, func(a string) bool { return strings.HasPrefix(a, titlePrefix) })
	if i < 0 {
		return ""
	}
	return arguments[i]
}

// children lists the processes whose parent is pid.
func children(pid int) ([]int, error) {
	task := strconv.Itoa(pid)
	data, err := os.ReadFile(filepath.Join(procfs.DefaultMountPoint, task, "task", task, "children"))
	if errors.Is(err, fs.ErrNotExist) {
		return childrenByScan(pid) // a kernel without CONFIG_PROC_CHILDREN, or no such process
	}
	if err != nil {
		return nil, err
	}
	var out []int
	for field := range strings.FieldsSeq(string(data)) {
		out = append(out, number(field))
	}
	return out, nil
}

// childrenByScan finds children by looking at every process.
func childrenByScan(pid int) ([]int, error) {
	all, err := procfs.AllProcs()
	if err != nil {
		return nil, err
	}
	var out []int
	for _, p := range all {
		if stat, err := p.Stat(); err == nil && stat.PPID == pid {
			out = append(out, p.PID)
		}
	}
	return out, nil
}

// role is what a child of the master does.
type role int

const (
	// starting is a child that has not said what it is.
	starting role = iota
	accepting
	draining
	// helping is the manager or the loader of a cache.
	helping
)

// crew lists the children of a master and what they do. It is empty when the
// master has ended.
func crew(master process) (map[process]role, error) {
	pids, err := children(master.pid)
	if err != nil {
		return nil, fmt.Errorf("list the workers of nginx's master %d: %w", master.pid, err)
	}
	out := make(map[process]role, len(pids))
	for _, pid := range pids {
		p, stat, err := look(pid)
		if err != nil || stat.State == "Z" || stat.PPID != master.pid {
			continue // it ended while we looked
		}
		switch t := title(pid); {
		case strings.HasPrefix(t, titleDraining):
			out[p] = draining
		case strings.HasPrefix(t, titleWorker):
			out[p] = accepting
		case strings.HasPrefix(t, titleCache):
			out[p] = helping
		default:
			out[p] = starting
		}
	}
	return out, nil
}

// runs tells whether the process is still there.
func (p process) runs() bool {
	now, stat, err := look(p.pid)
	return err == nil && now == p && stat.State != "Z"
}

// signal sends a signal to the process, and to no other that has its pid by
// now. The error is os.ErrProcessDone when it has ended.
func (p process) signal(s syscall.Signal) error {
	handle, err := os.FindProcess(p.pid) // a pidfd: it stays with the process
	if err != nil {
		return err
	}
	defer func() { _ = handle.Release() }() // it never fails
	if !p.runs() {
		return os.ErrProcessDone
	}
	if err := handle.Signal(s); err != nil {
		return fmt.Errorf("send %s to nginx's process %d (this process must run as the same user): %w", s, p.pid, err)
	}
	return nil
}
