package nginx

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
)

// A master that is killed leaves two things behind that keep the next one from
// starting: its workers, which go on serving and hold its ports, and its unix
// sockets, which nginx does not replace.

// orphansLimit bounds the wait for workers to let go of their ports.
const orphansLimit = 10 * time.Second

// endOrphans makes workers without a master let go of the ports and end with
// their last request. They are found by asking: who answers on the status
// socket while there is no master is one of them.
func (n *Nginx) endOrphans(ctx context.Context, log logr.Logger) {
	told := map[int]bool{}
	for deadline := time.Now().Add(orphansLimit); time.Now().Before(deadline); {
		a, err := n.status.ask(ctx)
		if err != nil {
			break // nobody accepts any more
		}
		if p, _, err := look(a.pid); err == nil && !told[a.pid] && strings.HasPrefix(title(a.pid), titleWorker) {
			told[a.pid] = true
			log.Info("a worker whose master was killed is ended", "pid", a.pid)
			if err := p.signal(syscall.SIGQUIT); err != nil {
				log.Error(err, "a worker whose master was killed cannot be ended; it holds nginx's ports")
			}
			go reap(p)
		}
		wait(ctx, nil, 5*time.Millisecond)
	}
	if err := n.removeSockets(0); err != nil {
		log.Error(err, "a socket that a killed nginx left cannot be removed; nginx cannot start")
	}
}

// reap waits for a process that may have become our child: the first process
// of a container inherits those whose parent has died.
func reap(p process) {
	for {
		if _, err := syscall.Wait4(p.pid, nil, 0, nil); !errors.Is(err, syscall.EINTR) {
			return // it was reaped, or is another's
		}
	}
}

// socketPattern finds the unix sockets that a configuration listens on.
var socketPattern = regexp.MustCompile(`\blisten\s+"?unix:([^\s";]+)`)

// removeSockets removes the unix sockets of the published configuration that
// nobody listens on and that are older than age. With an age it does no harm
// while an nginx starts: a socket is bound some microseconds before it is
// listened on.
func (n *Nginx) removeSockets(age time.Duration) error {
	text, err := os.ReadFile(n.store.live())
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing is published
	}
	if err != nil {
		return err
	}
	var failed []error
	for _, m := range socketPattern.FindAllSubmatch(text, -1) {
		path := string(m[1])
		info, err := os.Lstat(path)
		if err != nil || info.Mode().Type() != fs.ModeSocket || time.Since(info.ModTime()) < age {
			continue
		}
		connection, err := net.DialTimeout("unix", path, askTimeout)
		if err == nil {
			_ = connection.Close() // it was only knocked
			continue
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			failed = append(failed, os.Remove(path))
		}
	}
	return errors.Join(failed...)
}
