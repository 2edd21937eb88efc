package kit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ServeOptions say what `sidegate serve` is started with.
type ServeOptions struct {
	// Dir is where nginx's files and all logs go. Its path must be short: unix
	// sockets are below it.
	Dir string
	// Manifests is the directory that is served.
	Manifests string
	// Sidegate and Nginx are the binaries.
	Sidegate, Nginx string
	// Flags are more flags; Restart replaces them.
	Flags []string
	// Hold is a file that the processes keep open for as long as they live.
	Hold *os.File
}

// Serve is a running `sidegate serve --echo`: the controller and nginx without a
// cluster, and pods for Services that have none.
type Serve struct {
	options              ServeOptions
	httpPort, httpsPort  int
	discovery, listeners int
	cmd                  *exec.Cmd
	exited               chan struct{}
}

// serveStart is how long it may take until the first generation is served, and
// serveStop until all has ended.
const (
	serveStart = time.Minute
	serveStop  = 15 * time.Second
)

// StartServe starts it on free ports, 8080 and 8443 where they are, and returns
// when nginx serves what is in the directory.
func StartServe(ctx context.Context, options ServeOptions) (*Serve, error) {
	s := &Serve{options: options, listeners: 4}
	for _, dir := range []string{s.nginxDir(), s.logDir()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	var err error
	if s.httpPort, err = freePort(8080); err != nil {
		return nil, err
	}
	if s.httpsPort, err = freePort(8443); err != nil {
		return nil, err
	}
	if s.discovery, err = freePorts(10530, s.listeners); err != nil {
		return nil, err
	}
	return s, s.start(ctx, options.Flags)
}

// Restart ends it and starts it anew, with these flags instead of the former.
func (s *Serve) Restart(ctx context.Context, flags ...string) error {
	if err := s.Stop(); err != nil {
		return err
	}
	return s.start(ctx, flags)
}

func (s *Serve) start(ctx context.Context, flags []string) error {
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	args := append([]string{"serve", "--filename=" + s.options.Manifests, "--echo"}, flags...)
	s.cmd = exec.Command(s.options.Sidegate, append(args,
		"--http-port="+strconv.Itoa(s.httpPort), "--https-port="+strconv.Itoa(s.httpsPort),
		"--discovery-address=127.0.0.1:"+strconv.Itoa(s.discovery), "--discovery-listeners="+strconv.Itoa(s.listeners),
		"--nginx-binary="+s.options.Nginx, "--nginx-dir="+s.nginxDir(), "--nginx-log-dir="+s.logDir(),
		s.debugFlag(),
	)...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if s.options.Hold != nil {
		s.cmd.ExtraFiles = []*os.File{s.options.Hold}
	}
	// A terminal's ^C is for who started this, and it may outlive the terminal.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		cmd.Wait() //nolint:errcheck // how it ended is in cmd.ProcessState
		close(exited)
	}(s.cmd, s.exited)
	if err := s.waitServed(ctx); err != nil {
		return errors.Join(err, s.Stop())
	}
	return nil
}

// waitServed waits until nginx serves a generation of this process.
func (s *Serve) waitServed(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, serveStart)
	defer cancel()
	for {
		err := s.served(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
			continue
		case <-s.exited:
			err = errors.New("it has ended: " + s.cmd.ProcessState.String())
		case <-ctx.Done():
			err = errors.Join(ctx.Err(), err)
		}
		return fmt.Errorf("waiting for sidegate serve: %w%s", err, tail(s.logFile()))
	}
}

// served returns nil when nginx serves a generation of this process. A process
// that asks costs more than to look whether nginx is there at all.
func (s *Serve) served(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.HTTP())
	if err != nil {
		return err
	}
	conn.Close()
	text, err := s.Ask(ctx, "dump", "generations")
	if err != nil {
		return err
	}
	var generations []struct{ Live bool }
	if err := json.Unmarshal(text, &generations); err != nil {
		return err
	}
	if len(generations) == 0 || !generations[0].Live {
		return errors.New("no generation is live yet")
	}
	return nil
}

// Ask runs a subcommand that asks the running one, and returns what it prints.
func (s *Serve) Ask(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, s.options.Sidegate, append(slices.Clone(args), s.debugFlag())...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("sidegate %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}

// Stop ends it, nginx after its last request.
func (s *Serve) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.exited:
		return nil
	case <-time.After(serveStop):
		err := s.cmd.Process.Kill()
		<-s.exited
		return errors.Join(fmt.Errorf("sidegate serve did not end within %s", serveStop), err)
	}
}

// Pid is the one of the controller, which ends nginx when it ends.
func (s *Serve) Pid() int { return s.cmd.Process.Pid }

// HTTP and HTTPS are where nginx answers, as HOST:PORT.
func (s *Serve) HTTP() string  { return "127.0.0.1:" + strconv.Itoa(s.httpPort) }
func (s *Serve) HTTPS() string { return "127.0.0.1:" + strconv.Itoa(s.httpsPort) }

// debugFlag is where the debug endpoint is: a socket of its own, as several may
// run at once.
func (s *Serve) debugFlag() string {
	return "--debug-address=unix:" + filepath.Join(s.options.Dir, "debug.sock")
}

func (s *Serve) nginxDir() string { return filepath.Join(s.options.Dir, "nginx") }
func (s *Serve) logDir() string   { return filepath.Join(s.options.Dir, "log") }
func (s *Serve) logFile() string  { return filepath.Join(s.options.Dir, "sidegate.log") }

// freePort is a port that is free at all addresses: the one that is wanted, or
// any.
func freePort(want int) (int, error) {
	l, err := net.Listen("tcp", ":"+strconv.Itoa(want))
	if errors.Is(err, syscall.EADDRINUSE) {
		l, err = net.Listen("tcp", ":0")
	}
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// freePorts is the first of some ports that are free on loopback, from a port
// upward, for both TCP and UDP.
func freePorts(from, count int) (int, error) {
	for ; from+count < 32768; from += count {
		if free(from, count) {
			return from, nil
		}
	}
	return 0, errors.New("there are no free ports on loopback")
}

func free(from, count int) bool {
	for port := from; port < from+count; port++ {
		address := "127.0.0.1:" + strconv.Itoa(port)
		l, err := net.Listen("tcp", address)
		if err != nil {
			return false
		}
		defer l.Close()
		p, err := net.ListenPacket("udp", address)
		if err != nil {
			return false
		}
		defer p.Close()
	}
	return true
}
