package nginx

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/wait"
)

// quitGrace is how long a child may take to end its requests.
const quitGrace = 30 * time.Second

// Spawn runs nginx as a child until ctx ends, and again when it dies. A
// master that runs already, because the process that started it was killed,
// is left to serve until it ends. Spawn waits for a published generation.
func (n *Nginx) Spawn(ctx context.Context, log logr.Logger) error {
	backoff := wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Steps: 8, Cap: 10 * time.Second}
	for {
		if err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(context.Context) (bool, error) {
			return n.store.current() != "" && findMaster(n.PIDFile) == nil, nil
		}); err != nil {
			return n.quitAdopted()
		}
		started := time.Now()
		err := n.run(ctx, log)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(started) > time.Minute {
			backoff.Duration, backoff.Steps = 100*time.Millisecond, 8
		}
		pause := backoff.Step()
		log.Error(err, "nginx ended; it is started again", "pause", pause.String())
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// run starts nginx and waits for its end.
func (n *Nginx) run(ctx context.Context, log logr.Logger) error {
	cmd := exec.CommandContext(ctx, n.Binary, "-c", filepath.Join(n.Dir, "current", "nginx.conf"), "-g", "daemon off;")
	// A process group of its own: a terminal's ^C is for the controller,
	// which then ends nginx in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
	cmd.WaitDelay = quitGrace
	// A pipe would kill nginx by SIGPIPE when this process is killed, so
	// its words before it has its log go through a file.
	words, err := os.CreateTemp(filepath.Join(n.Dir, "run"), "stderr-*")
	if err != nil {
		return err
	}
	defer func() { _ = errors.Join(os.Remove(words.Name()), words.Close()) }()
	cmd.Stdout, cmd.Stderr = words, words
	if err := cmd.Start(); err != nil {
		return err
	}
	log.Info("nginx started", "pid", cmd.Process.Pid)
	err = cmd.Wait()
	if _, seekErr := words.Seek(0, io.SeekStart); seekErr == nil {
		for lines := bufio.NewScanner(words); lines.Scan(); {
			log.Info("nginx says", "line", lines.Text())
		}
	}
	return err
}

// quitAdopted ends a master that an earlier process started.
func (n *Nginx) quitAdopted() error {
	m := findMaster(n.PIDFile)
	if m == nil {
		return nil
	}
	return m.signal(syscall.SIGQUIT)
}
