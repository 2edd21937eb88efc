package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"text/template"
	"time"

	"github.com/prometheus/procfs"
)

//go:embed handwritten.conf
var handwrittenConfig string

//go:embed backend.conf
var backendConfig string

// plainConfig is what the two configurations say.
type plainConfig struct {
	Dir string
	// Backends are addresses with ports.
	Backends []string
	// Body is what the backends answer.
	Body string
	// Host, HTTP, HTTPS and Certificate are those of the proxy.
	Host, HTTP, HTTPS, Certificate string
}

// plainNginx is an nginx without a controller.
type plainNginx struct{ cmd *exec.Cmd }

// startNginx starts one and returns when it listens.
func startNginx(ctx context.Context, binary, text string, c plainConfig, listens string) (*plainNginx, error) {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, err
	}
	t, err := template.New("nginx.conf").Parse(text)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(c.Dir, "nginx.conf")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(t.Execute(f, c), f.Close()); err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "-c", path, "-g", "daemon off;")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	n := &plainNginx{cmd}
	err = until(ctx, "a connection to "+listens, 10*time.Millisecond, func() (bool, error) {
		conn, err := net.Dial("tcp", listens)
		if err != nil {
			return false, nil
		}
		return true, conn.Close()
	})
	if err != nil {
		return nil, errors.Join(err, n.stop())
	}
	return n, nil
}

func (n *plainNginx) stop() error {
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	var exit *exec.ExitError
	if err := n.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}

// processes are the master and its workers.
func (n *plainNginx) processes() ([]procfs.Proc, error) { return family(n.cmd.Process.Pid) }

// family is a process and its children.
func family(parent int) (out []procfs.Proc, err error) {
	all, err := procfs.AllProcs()
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		stat, err := p.Stat()
		if err == nil && (p.PID == parent || stat.PPID == parent) { // else it has ended
			out = append(out, p)
		}
	}
	if len(out) < 2 {
		return nil, fmt.Errorf("process %d has no children", parent)
	}
	return out, nil
}

// cpuSeconds is what processes have used so far.
func cpuSeconds(all []procfs.Proc) (sum float64, err error) {
	for _, p := range all {
		stat, err := p.Stat()
		if err != nil {
			return 0, err
		}
		sum += stat.CPUTime()
	}
	return sum, nil
}

// pin keeps processes on one core.
func pin(all []procfs.Proc, core uint64) error {
	for _, p := range all {
		out, err := exec.Command("taskset", "-a", "-c", "-p", strconv.FormatUint(core, 10), strconv.Itoa(p.PID)).CombinedOutput()
		if err != nil {
			return fmt.Errorf("taskset: %w: %s", err, out)
		}
	}
	return nil
}

// twoCores are the first two that this process may use.
func twoCores() (first, second uint64, err error) {
	self, err := procfs.Self()
	if err != nil {
		return 0, 0, err
	}
	status, err := self.NewStatus()
	if err != nil {
		return 0, 0, err
	}
	if len(status.CpusAllowedList) < 2 {
		return 0, 0, errors.New("throughput needs two cores: one for the proxy, one for what is around it")
	}
	return status.CpusAllowedList[0], status.CpusAllowedList[1], nil
}
