package debug_test

import (
	"context"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/sidegate/sidegate/pkg/debug"
	"github.com/sidegate/sidegate/pkg/sidedoor"
)

// start runs a server until the test ends.
func start(t *testing.T, s *debug.Server) (up *atomic.Int32, stop func()) {
	t.Helper()
	up = &atomic.Int32{}
	s.Log = testr.New(t)
	s.Up = func(_ string, is bool) {
		if is {
			up.Store(1)
		} else {
			up.Store(-1)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Start(ctx) }()
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("it ended with %v", err)
		}
	}
	t.Cleanup(stop)
	return up, stop
}

func address(t *testing.T, text string) sidedoor.Address {
	t.Helper()
	a, err := sidedoor.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func becomes(t *testing.T, up *atomic.Int32, want int32) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); up.Load() != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it is %d and does not become %d", up.Load(), want)
		}
	}
}

func fetch(t *testing.T, c *sidedoor.Client) (int, string) {
	t.Helper()
	response, err := c.Get(t.Context(), "/debug")
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sg") // names of sockets are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// The socket and its directory are this user's alone, and no port listens.
func TestNobodyElseReachesTheSocket(t *testing.T) {
	v, _, _ := newView(t)
	dir := filepath.Join(shortDir(t), "debug")
	path := filepath.Join(dir, "debug.sock")
	old := syscall.Umask(0) // in the worst case
	t.Cleanup(func() { syscall.Umask(old) })
	at := address(t, "unix:"+path)
	up, stop := start(t, &debug.Server{Address: at, View: v})
	becomes(t, up, 1)
	if got := mode(t, path); got.Type() != fs.ModeSocket || got.Perm() != 0o600 {
		t.Errorf("the socket has mode %s", got)
	}
	if got := mode(t, dir); got.Perm() != 0o700 {
		t.Errorf("its directory has mode %s", got)
	}
	if code, body := fetch(t, &sidedoor.Client{Address: at}); code != http.StatusOK || !strings.Contains(body, "/debug/config") {
		t.Errorf("it answers %d %s", code, body)
	}
	noPorts(t)
	stop()
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket is left behind")
	}
}

// noPorts fails where this process listens on a port.
func noPorts(t *testing.T) {
	t.Helper()
	inodes := map[string]bool{}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if target, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil && strings.HasPrefix(target, "socket:[") {
			inodes[strings.Trim(target[len("socket:"):], "[]")] = true
		}
	}
	for _, file := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 9 && f[3] == "0A" && inodes[f[9]] {
				t.Errorf("this process listens on the TCP socket %s", f[1])
			}
		}
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	v, _, _ := newView(t)
	path := filepath.Join(shortDir(t), "debug.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false) // as one who was killed
	at := address(t, "unix:"+path)
	// While somebody listens it is his, and it is tried again.
	up, _ := start(t, &debug.Server{Address: at, View: v})
	becomes(t, up, -1)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	becomes(t, up, 1)
	if code, body := fetch(t, &sidedoor.Client{Address: at}); code != http.StatusOK {
		t.Errorf("it answers %d %s", code, body)
	}
}

func TestWhatIsNoSocketStays(t *testing.T) {
	path := filepath.Join(shortDir(t), "debug.sock")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := address(t, "unix:"+path).Listen(t.Context()); err == nil {
		_ = l.Close()
		t.Error("a file was replaced by a socket")
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "x" {
		t.Errorf("the file is %q, %v", data, err)
	}
}

// Server and client find the same socket by themselves; a directory that
// another could have filled is not taken.
func TestAuto(t *testing.T) {
	if _, err := os.Stat("/run/sidegate"); err == nil {
		t.Skip("a controller runs here")
	}
	if os.Geteuid() == 0 {
		t.Cleanup(func() { _ = os.Remove("/run/sidegate/debug"); _ = os.Remove("/run/sidegate") })
	}
	v, _, _ := newView(t)
	runtime, temp := shortDir(t), shortDir(t)
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	t.Setenv("TMPDIR", temp)
	up, stop := start(t, &debug.Server{Address: address(t, sidedoor.Auto), View: v})
	becomes(t, up, 1)
	if code, body := fetch(t, &sidedoor.Client{Address: address(t, sidedoor.Auto)}); code != http.StatusOK {
		t.Errorf("it answers %d %s", code, body)
	}
	stop()
	if os.Geteuid() == 0 {
		return // root has the first place of all
	}
	if err := os.Chmod(filepath.Join(runtime, "sidegate"), 0o755); err != nil {
		t.Fatal(err)
	}
	up, _ = start(t, &debug.Server{Address: address(t, sidedoor.Auto), View: v})
	becomes(t, up, 1)
	if _, err := os.Stat(filepath.Join(runtime, "sidegate", "debug.sock")); err == nil {
		t.Error("a directory that others can look into is taken")
	}
	if code, body := fetch(t, &sidedoor.Client{Address: address(t, sidedoor.Auto)}); code != http.StatusOK {
		t.Errorf("it answers %d %s", code, body)
	}
}

func TestTCPNeedsTheToken(t *testing.T) {
	v, _, _ := newView(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := address(t, l.Addr().String())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := (&debug.Server{Address: at, View: v}).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "--debug-token-file") {
		t.Errorf("TCP without a token is %v", err)
	}
	file := filepath.Join(t.TempDir(), "token")
	const token = "0123456789abcdef0123"
	for text, mode := range map[string]os.FileMode{token: 0o644, "short": 0o600, "two words that are long": 0o600} {
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if got, err := sidedoor.ReadToken(file); err == nil {
			t.Errorf("%q with mode %o is taken as %q", text, mode, got)
		}
	}
	if err := os.Remove(file); err != nil { // a file that is there keeps its mode
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := sidedoor.ReadToken(file)
	if err != nil || got != token {
		t.Fatalf("the token is %q, %v", got, err)
	}
	up, _ := start(t, &debug.Server{Address: at, View: v, Token: got, Profiling: true})
	becomes(t, up, 1)
	for sent, want := range map[string]int{token: http.StatusOK, "": http.StatusUnauthorized, token + "x": http.StatusUnauthorized} {
		if code, body := fetch(t, &sidedoor.Client{Address: at, Token: sent}); code != want || want != http.StatusOK && strings.Contains(body, "/debug/config") {
			t.Errorf("with the token %q it is %d %s", sent, code, body)
		}
	}
}

func TestNoAddress(t *testing.T) {
	_, stop := start(t, &debug.Server{Address: address(t, "")})
	stop()
	for _, text := range []string{"unix:", "unix:relative", "localhost", "localhost:http-alt", ":99999", "a b", "/path"} {
		if _, err := sidedoor.ParseAddress(text); err == nil {
			t.Errorf("%q is an address", text)
		}
	}
}
