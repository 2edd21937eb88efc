package nginx

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/go-logr/logr"
)

const (
	// A child that dies at once is started again after pauses that grow from
	// minPause to maxPause; one that lived for longLife begins anew.
	minPause = 100 * time.Millisecond
	maxPause = 10 * time.Second
	longLife = 10 * time.Second
	// lastWordsWait is for what a master that ends has still written.
	lastWordsWait = 100 * time.Millisecond
	// endGrace is how long TERM, and then KILL, may take.
	endGrace = 5 * time.Second
	// followInterval is how often a master that is no child is looked at.
	followInterval = 200 * time.Millisecond
)

// Spawn runs nginx as a child until ctx ends, and again when it dies. It
// begins when a generation is published. When ctx ends, nginx gets QuitGrace
// to end its requests.
//
// When this process is killed nginx goes on. A master that runs already, by
// the pid file, is therefore taken over instead of starting a second one.
// Its log is lost from then on where it went to this process's pipe.
func (n *Nginx) Spawn(ctx context.Context, log logr.Logger) error {
	pause := minPause
	for ctx.Err() == nil {
		if master, err := findMaster(n.o.PIDFile); err == nil {
			log.Info("a running nginx is taken over", "pid", master.pid)
			n.follow(ctx, master, log)
			continue
		}
		if n.store.current() == "" {
			wait(ctx, n.published, maxPause)
			continue
		}
		n.endOrphans(ctx, log)
		started := time.Now()
		err := n.child(ctx, log)
		if ctx.Err() != nil {
			break
		}
		if time.Since(started) > longLife {
			pause = minPause
		}
		log.Error(err, "nginx has ended; it is started again", "pause", pause.String())
		// A new generation may be what it needs.
		wait(ctx, n.published, pause)
		pause = min(2*pause, maxPause)
	}
	return nil
}

// wait returns when something is published, time has passed, or ctx has ended.
func wait(ctx context.Context, published <-chan struct{}, limit time.Duration) {
	select {
	case <-ctx.Done():
	case <-published:
	case <-time.After(limit):
	}
}

// child starts nginx and waits for its end.
func (n *Nginx) child(ctx context.Context, log logr.Logger) error {
	// nginx ignores SIGPIPE, so the pipe's end with this process does it no
	// harm. It is not cmd's own: its workers may hold it for longer than it
	// lives, and cmd.Wait would wait for them.
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd := exec.Command(n.o.Binary, "-e", "stderr", "-c", n.store.live(), "-g", "daemon off;")
	cmd.Stdout, cmd.Stderr = os.Stdout, writer
	// A process group of its own: a terminal's ^C is for this process, which
	// then ends nginx in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = cmd.Start()
	_ = writer.Close() // the child has its own
	if err != nil {
		_ = reader.Close() // nobody writes to it
		return fmt.Errorf("nginx cannot be started: %w", err)
	}
	log.Info("nginx started", "pid", cmd.Process.Pid)
	read := make(chan struct{})
	go func() {
		defer close(read)
		n.hand(reader, log)
	}()
	// It has an entry in /proc until it is waited for.
	master, _, err := look(cmd.Process.Pid)
	if err != nil {
		return errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		n.stop(master, log)
		err = <-ended
	}
	// Its last words are in the pipe, which has no end while workers hold it.
	select {
	case <-read:
	case <-time.After(lastWordsWait):
	}
	if err == nil {
		err = errors.New("nginx has ended by itself")
	}
	if words := n.lastWords(cmd.Process.Pid); words != "" {
		err = fmt.Errorf("%w: %s", err, words)
	}
	return err
}

// hand hands the child's lines on until the last process that has the pipe
// ends.
func (n *Nginx) hand(pipe io.ReadCloser, log logr.Logger) {
	defer func() { _ = pipe.Close() }() // it is at its end
	// Nothing may stop it: nginx would wait for the pipe. What is longer than
	// any line of nginx is cut in pieces.
	for lines := bufio.NewReader(pipe); ; {
		line, _, err := lines.ReadLine()
		if err != nil {
			return
		}
		m := parseMessage(string(line))
		n.log.add(m)
		switch s := severity(m.Level); {
		case s <= severity("crit"):
			log.Error(nil, m.Text, "level", m.Level, "pid", m.PID)
		case s <= severity("warn") || m.Level == "":
			log.Info(m.Text, "level", m.Level, "pid", m.PID)
		default:
			log.V(1).Info(m.Text, "level", m.Level, "pid", m.PID)
		}
	}
}

// lastWords is the last error that a process logged, or "".
func (n *Nginx) lastWords(pid int) (words string) {
	lines, _ := n.log.since(0)
	for _, m := range lines {
		if m.Level == "emerg" && (m.PID == pid || m.PID == 0) {
			words = m.Text
		}
	}
	return words
}

// follow waits for the end of a master that is not our child, and ends it when
// ctx ends.
func (n *Nginx) follow(ctx context.Context, master process, log logr.Logger) {
	for master.runs() {
		select {
		case <-ctx.Done():
			n.stop(master, log)
			return
		case <-time.After(followInterval):
		}
	}
	log.Info("nginx has ended", "pid", master.pid)
}

// stop ends a master: in order, then at once, then by force.
func (n *Nginx) stop(master process, log logr.Logger) {
	for _, way := range []struct {
		signal syscall.Signal
		grace  time.Duration
	}{{syscall.SIGQUIT, n.o.QuitGrace}, {syscall.SIGTERM, endGrace}, {syscall.SIGKILL, endGrace}} {
		if err := master.signal(way.signal); errors.Is(err, os.ErrProcessDone) {
			return
		} else if err != nil {
			log.Error(err, "nginx cannot be ended")
			return
		}
		for deadline := time.Now().Add(way.grace); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if !master.runs() {
				return
			}
		}
		log.Info("nginx has not ended in time", "pid", master.pid, "signal", way.signal.String(), "after", way.grace.String())
	}
}
