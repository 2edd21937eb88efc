package nginx

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sidegate/sidegate/e2e/kit"
)

// rig is an nginx directory of a test, and what a configuration needs to know.
type rig struct {
	*Nginx
	t   testing.TB
	dir string
	// port is nginx's own, on loopback.
	port int
	// workers is how many a configuration asks for.
	workers int
	// errorLog is what error_log gets.
	errorLog string
}

// newRig makes an nginx directory below a short path, because the path of a
// unix socket is. Nothing runs in it yet.
func newRig(t testing.TB, o Options) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "sg")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	o.Binary, o.Dir, o.PIDFile = kit.Nginx(t), dir, filepath.Join(dir, "run", "nginx.pid")
	n, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{Nginx: n, t: t, dir: dir, port: freePort(t), workers: 2, errorLog: "stderr"}
}

// again is what a restarted controller has: the same directory, no memory.
func (r *rig) again() *Nginx {
	r.t.Helper()
	n, err := New(r.o)
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

// generation makes a configuration whose / answers with the word. More is put
// into its server{}.
func (r *rig) generation(word string, more ...string) Generation {
	text := fmt.Sprintf(`pid %[1]s/run/nginx.pid;
error_log %[2]s notice;
worker_processes %[3]d;
events { worker_connections 512; }
http {
access_log off;
client_body_temp_path %[1]s/run/body;
proxy_temp_path %[1]s/run/proxy;
fastcgi_temp_path %[1]s/run/fastcgi;
uwsgi_temp_path %[1]s/run/uwsgi;
scgi_temp_path %[1]s/run/scgi;
server_names_hash_max_size 4096;
server {
	listen unix:%[1]s/run/status.sock;
	location = /generation { default_type text/plain; return 200 "GENERATION $pid $nginx_version\n"; }
	location = /nginx_status { stub_status; }
}
server {
	listen 127.0.0.1:%[4]d;
	location = / { return 200 %[5]s; }
%[6]s
}
}
`, r.dir, r.errorLog, r.workers, r.port, word, strings.Join(more, "\n"))
	id := fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	return Generation{ID: id, Text: []byte(strings.Replace(text, "GENERATION", id, 1))}
}

// start runs the published configuration, as somebody else's process, until
// the test ends.
func (r *rig) start() *exec.Cmd {
	r.t.Helper()
	cmd := exec.Command(r.o.Binary, "-e", "stderr", "-c", r.store.live(), "-g", "daemon off;")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { r.kill(cmd) })
	return cmd
}

// kill ends a master and its workers, which are in its process group, as the
// end of a container does.
func (r *rig) kill(cmd *exec.Cmd) {
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err == nil {
		_ = cmd.Wait() // the error says that it was killed
	}
}

// apply fails the test when the generation does not come to the outcome.
func (r *rig) apply(g Generation, want Outcome) []Step {
	r.t.Helper()
	outcome, steps, err := r.Apply(r.context(), g)
	if err != nil {
		r.t.Fatal(err)
	}
	if outcome != want {
		r.t.Fatalf("outcome %s, want %s", outcome, want)
	}
	return steps
}

// serve publishes a generation and starts nginx with it.
func (r *rig) serve(g Generation) *exec.Cmd {
	r.t.Helper()
	r.apply(g, Published)
	cmd := r.start()
	r.confirmed(g)
	return cmd
}

// confirmed waits for a started nginx.
func (r *rig) confirmed(g Generation) {
	r.t.Helper()
	r.eventually("a master runs", func() bool { return r.MasterPID() != 0 })
	if id, err := r.ConfirmCurrent(r.context()); err != nil || id != g.ID {
		r.t.Fatalf("confirmed %q, %v; want %s", id, err, g.ID)
	}
}

// context ends long before the test binary does.
func (r *rig) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	r.t.Cleanup(cancel)
	return ctx
}

func (r *rig) eventually(what string, condition func() bool) {
	r.t.Helper()
	eventually(r.t, what, condition)
}

func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in 30 s: %s", what)
		}
	}
}

// fetch returns what nginx answers on its port.
func (r *rig) fetch(path string) (string, error) {
	client := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d%s", r.port, path))
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// answers fails the test when nginx answers / with something else.
func (r *rig) answers(want string) {
	r.t.Helper()
	if got, err := r.fetch("/"); err != nil || got != want {
		r.t.Fatalf("nginx answers %q, %v; want %q", got, err, want)
	}
}

// pids lists the workers that accept connections.
func (r *rig) pids() (out []int) {
	r.t.Helper()
	workers, err := r.Workers()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, w := range workers {
		if !w.Draining {
			out = append(out, w.PID)
		}
	}
	slices.Sort(out)
	return out
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
