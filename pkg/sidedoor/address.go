package sidedoor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Auto is the address that is found by looking where this user can have a
// socket of its own.
const Auto = "auto"

// podSocket is where the socket is in the pod. The chart mounts a volume at
// /run/sidegate that the nginx container does not have; the directory in it is
// made here, because a kubelet gives volumes a mode that lets everybody in.
const podSocket = "/run/sidegate/debug/debug.sock"

// unixPrefix begins the addresses of unix sockets.
const unixPrefix = "unix:"

// Address is where a door such as the debug endpoint is: a unix socket, or a TCP address. The
// zero Address is nowhere.
type Address struct {
	// sockets are the paths that are tried, in this order.
	sockets []string
	// own says that the directory must be this user's alone.
	own bool
	tcp string
}

// ParseAddress reads unix:PATH, HOST:PORT or auto; empty is nowhere.
func ParseAddress(text string) (Address, error) {
	path, isUnix := strings.CutPrefix(text, unixPrefix)
	switch {
	case text == "":
		return Address{}, nil
	case text == Auto:
		return Address{sockets: candidates(), own: true}, nil
	case isUnix && filepath.IsAbs(path):
		return Address{sockets: []string{filepath.Clean(path)}}, nil
	case !isUnix:
		if _, port, err := net.SplitHostPort(text); err == nil {
			if _, err := strconv.ParseUint(port, 10, 16); err == nil {
				return Address{tcp: text}, nil
			}
		}
	}
	return Address{}, fmt.Errorf("it must be unix:/PATH, HOST:PORT, %s, or empty, not %q", Auto, text)
}

// candidates are the sockets that auto stands for. The server takes the first
// one whose directory it can have, and a client the first one that is there.
func candidates() []string {
	out := []string{podSocket}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		out = append(out, filepath.Join(dir, "sidegate", "debug.sock"))
	}
	return append(out, filepath.Join(os.TempDir(), "sidegate-"+strconv.Itoa(os.Geteuid()), "debug.sock"))
}

// IsZero tells whether there is no endpoint.
func (a Address) IsZero() bool { return a.tcp == "" && len(a.sockets) == 0 }

// IsTCP tells whether others than this user can reach it.
func (a Address) IsTCP() bool { return a.tcp != "" }

func (a Address) String() string {
	if a.IsTCP() {
		return a.tcp
	}
	var list []string
	for _, s := range a.sockets {
		list = append(list, unixPrefix+s)
	}
	return strings.Join(list, ", ")
}

// Listen listens. Only this user can connect to a unix socket, from the moment
// that it is there. One that nobody listens on any more is replaced.
func (a Address) Listen(ctx context.Context) (net.Listener, error) {
	if a.IsTCP() {
		var c net.ListenConfig
		return c.Listen(ctx, "tcp", a.tcp)
	}
	var failed []error
	for _, path := range a.sockets {
		if err := prepare(filepath.Dir(path), a.own); err != nil {
			failed = append(failed, err)
			continue
		}
		return listenUnix(ctx, path)
	}
	return nil, errors.Join(failed...)
}

// prepare makes a directory that is this user's alone. What is there already
// and was named by somebody is taken as it is.
func prepare(dir string, own bool) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err == nil || !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !own {
		return nil
	}
	return private(dir)
}

// private tells whether nobody else can have put anything into a directory.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(stat.Uid) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s must be a directory of this user's alone (mode 0700), and is %s of user %d", dir, info.Mode(), stat.Uid)
	}
	return nil
}

func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("%s is there and is no socket; it stays", path)
		}
		if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
			_ = conn.Close()
			return nil, fmt.Errorf("another process listens on %s", path)
		} else if !errors.Is(err, syscall.ECONNREFUSED) {
			return nil, err
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	// Linux makes the file with the mode that the socket has before.
	c := net.ListenConfig{Control: func(_, _ string, conn syscall.RawConn) (err error) {
		if outer := conn.Control(func(fd uintptr) { err = syscall.Fchmod(int(fd), 0o600) }); outer != nil {
			return outer
		}
		return err
	}}
	return c.Listen(ctx, "unix", path)
}

// Dial connects to the endpoint.
func (a Address) Dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	if a.IsTCP() {
		return d.DialContext(ctx, "tcp", a.tcp)
	}
	var failed []error
	for _, path := range a.sockets {
		if a.own {
			// Another user could have put a socket of its own there.
			if err := private(filepath.Dir(path)); err != nil {
				failed = append(failed, err)
				continue
			}
		}
		conn, err := d.DialContext(ctx, "unix", path)
		if err == nil {
			return conn, nil
		}
		failed = append(failed, err)
	}
	return nil, errors.Join(failed...)
}
