package imagetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// command runs a command that must not fail.
func command(t *testing.T, in io.Reader, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Stdin = in
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// container is the image, laid out to be run by runc as a kubelet would have
// it: user 101, read-only root, no privileges to gain, one capability.
type container struct {
	bundle, id string
	spec       specs.Spec
}

func newContainer(t *testing.T) *container {
	t.Helper()
	img, _ := load(t)
	config, err := img.ConfigFile()
	must(t, err)
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can run a container")
	}
	if _, err := exec.LookPath("runc"); err != nil {
		t.Skip("SKIPPED: there is no runc to run the image")
	}
	if config.Architecture != runtime.GOARCH {
		t.Skipf("SKIPPED: the image is for %s and the machine is %s", config.Architecture, runtime.GOARCH)
	}
	c := &container{bundle: t.TempDir(), id: fmt.Sprintf("sidegate-imagetest-%d-%d", os.Getpid(), time.Now().UnixNano())}
	root := filepath.Join(c.bundle, "rootfs")
	must(t, os.Mkdir(root, 0o755))
	extract(t, img, root)
	command(t, nil, "runc", "spec", "--bundle", c.bundle)
	data, err := os.ReadFile(c.config())
	must(t, err)
	must(t, json.Unmarshal(data, &c.spec))
	p := c.spec.Process
	p.Terminal, p.User = false, specs.User{UID: 101, GID: 101}
	p.Env = config.Config.Env
	one := []string{"CAP_NET_BIND_SERVICE"}
	p.Capabilities = &specs.LinuxCapabilities{Bounding: one, Permitted: one, Effective: one}
	if !p.NoNewPrivileges || !c.spec.Root.Readonly {
		t.Fatal("runc spec no longer has noNewPrivileges and a read-only root")
	}
	c.spec.Mounts = append(c.spec.Mounts, specs.Mount{
		Destination: "/etc/nginx/sidegate", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev", "mode=0770", "uid=101", "gid=101"},
	})
	return c
}

func (c *container) config() string { return filepath.Join(c.bundle, "config.json") }

// start runs a command in the container. Its output may be read when it ended.
func (c *container) start(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	c.spec.Process.Args = args
	data, err := json.Marshal(c.spec)
	must(t, err)
	must(t, os.WriteFile(c.config(), data, 0o644))
	var out bytes.Buffer
	cmd := exec.Command("runc", "run", "--bundle", c.bundle, c.id)
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = exec.Command("runc", "delete", "--force", c.id).Run() // it is gone by now where all is well
	})
	return cmd, &out
}

// run runs a command to its end.
func (c *container) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd, out := c.start(t, args...)
	err := cmd.Wait()
	return out.String(), err
}

func TestVersions(t *testing.T) {
	c := newContainer(t)
	img, _ := load(t)
	config, err := img.ConfigFile()
	must(t, err)
	version := config.Config.Labels["org.opencontainers.image.version"]
	for _, tt := range []struct {
		args []string
		want string
	}{
		{append(config.Config.Entrypoint, "--version"), "sidegate " + version + " "},
		{[]string{"nginx", "-v"}, "nginx version: nginx/1."},
		{[]string{"nginx-hostnetwork", "-v"}, "nginx version: nginx/1."},
		{[]string{"nginx-test", "-v"}, "nginx version: nginx/1."},
		{[]string{"nginx", "-e", "stderr", "-t", "-c", "/none"}, `open() "/none" failed`},
	} {
		if out, _ := c.run(t, tt.args...); !strings.Contains(out, tt.want) {
			t.Errorf("%v says %q, want %q", tt.args, out, tt.want)
		}
	}
}

// Without the capability nginx could not listen on port 80 of the host's
// network; where the pod does not have it, the nginx for that cannot be run at
// all, and the other one can.
func TestCapabilityIsNeeded(t *testing.T) {
	c := newContainer(t)
	c.spec.Process.Capabilities = &specs.LinuxCapabilities{}
	if out, err := c.run(t, "/usr/sbin/nginx-hostnetwork", "-v"); err == nil || !strings.Contains(out, "operation not permitted") {
		t.Errorf("nginx for the host's network without NET_BIND_SERVICE: %v, %q, want that it is not permitted", err, out)
	}
	for _, args := range [][]string{{"/usr/sbin/nginx", "-v"}, {"/usr/local/bin/sidegate", "--version"}} {
		if out, err := c.run(t, args...); err != nil {
			t.Errorf("%v without NET_BIND_SERVICE: %v, %q, want that it runs", args, err, out)
		}
	}
}

// The nginx that the controller tests with has the controller's files at
// /proc/PID/root, and the nginx that serves has its user.
func TestTestCannotBeLookedInto(t *testing.T) {
	for program, readable := range map[string]bool{"nginx": true, "nginx-test": false} {
		t.Run(program, func(t *testing.T) {
			c := newContainer(t)
			dir := t.TempDir()
			must(t, os.Chmod(dir, 0o755))
			must(t, unix.Mkfifo(filepath.Join(dir, "fifo"), 0o644)) // nginx waits for somebody to write to it
			c.spec.Mounts = append(c.spec.Mounts, specs.Mount{Destination: "/mnt", Type: "bind", Source: dir, Options: []string{"bind", "ro"}})
			c.start(t, program, "-e", "stderr", "-t", "-c", "/mnt/fifo")
			var out []byte
			for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
				pid, err := c.state()
				if err != nil {
					continue
				}
				if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); strings.TrimSpace(string(name)) != program {
					continue
				}
				look := exec.Command("head", "-c", "1", fmt.Sprintf("/proc/%d/environ", pid))
				look.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 101, Gid: 101}}
				out, err = look.CombinedOutput()
				if (err == nil) != readable {
					t.Errorf("user 101 reads what /proc has of %s: %v, %q", program, err, out)
				}
				return
			}
			t.Errorf("%s did not start within 10 s", program)
		})
	}
}

const ingress = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: moved
  annotations: {nginx.ingress.kubernetes.io/app-root: /new}
spec:
  ingressClassName: nginx
  rules:
    - host: old.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: none, port: {number: 80}}}}]}
`

// serve starts the controller on an Ingress, on ports 80 and 443, with one of the
// two nginx, and waits until the Ingress is served. The channel tells how it
// ended.
func (c *container) serve(t *testing.T, nginx string) (get func(host string) string, out *bytes.Buffer, ended chan error) {
	t.Helper()
	manifests := filepath.Join(c.bundle, "manifests")
	must(t, os.Mkdir(manifests, 0o755))
	must(t, os.WriteFile(filepath.Join(manifests, "ingress.yaml"), []byte(ingress), 0o644))
	c.spec.Mounts = append(c.spec.Mounts, specs.Mount{Destination: "/mnt", Type: "bind", Source: manifests, Options: []string{"bind", "ro"}})
	cmd, out := c.start(t, "/usr/local/bin/sidegate", "serve", "-f", "/mnt", "--http-port", "80", "--https-port", "443",
		"--nginx-binary", nginx, "--nginx-dir", "/etc/nginx/sidegate", "--nginx-log-dir", "/var/log/nginx")
	ended = make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	client := &http.Client{
		Timeout:       5 * time.Second,
		Transport:     &http.Transport{DialContext: c.dial},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	get = func(host string) string {
		request, err := http.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
		must(t, err)
		request.Host = host
		response, err := client.Do(request)
		if err != nil {
			return err.Error()
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return fmt.Sprintf("%d %s %s", response.StatusCode, response.Header.Get("Location"), bytes.TrimSpace(body))
	}
	const want = "302 http://old.example.com/new "
	got := ""
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if got = get("old.example.com"); strings.HasPrefix(got, want) {
			return get, out, ended
		}
	}
	c.end(t, "KILL", ended)
	t.Fatalf("the redirect of the Ingress: %q, want %q\n%s", got, want, out)
	return nil, nil, nil
}

// end sends a signal and waits for the end.
func (c *container) end(t *testing.T, signal string, ended chan error) error {
	t.Helper()
	command(t, nil, "runc", "kill", c.id, signal)
	select {
	case err := <-ended:
		return err
	case <-time.After(20 * time.Second):
		t.Fatalf("did not end 20 s after SIG%s", signal)
		return nil
	}
}

// The whole of it: the controller tests, publishes and serves through the
// image's nginx, and ends in order: in a network of the pod's own, where a sysctl
// lets anybody listen on port 80, and in the host's, where none does.
func TestServes(t *testing.T) {
	t.Run("in the pod's network", func(t *testing.T) {
		c := newContainer(t)
		c.spec.Linux.Sysctl = map[string]string{"net.ipv4.ip_unprivileged_port_start": "0"}
		serves(t, c, "nginx")
	})
	t.Run("in the host's network", func(t *testing.T) { serves(t, newContainer(t), "nginx-hostnetwork") })
}

func serves(t *testing.T, c *container, nginx string) {
	get, out, ended := c.serve(t, nginx)
	if got := get("other.example.com"); got != "404  default backend - 404" {
		t.Errorf("a host of no Ingress: %q", got)
	}
	// Without it the controller cannot see what nginx reads and writes.
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.pid(t)))
	must(t, err)
	if !strings.Contains(string(status), "CapEff:\t0000000000000400\n") {
		t.Errorf("the controller's effective capabilities are not NET_BIND_SERVICE alone:\n%s", status)
	}
	if err := c.end(t, "TERM", ended); err != nil {
		t.Errorf("ended with %v\n%s", err, out)
	}
	if strings.Contains(out.String(), "Permission denied") || strings.Contains(out.String(), "Read-only file system") {
		t.Errorf("something in the image stood in the way:\n%s", out)
	}
	if !strings.Contains(out.String(), "GET / HTTP/1.1") {
		t.Errorf("the access log does not go to standard output:\n%s", out)
	}
}

// pid is the first process of the container, as seen from here.
func (c *container) pid(t *testing.T) int {
	t.Helper()
	pid, err := c.state()
	must(t, err)
	return pid
}

func (c *container) state() (int, error) {
	state, err := exec.Command("runc", "state", c.id).Output()
	if err != nil {
		return 0, fmt.Errorf("runc state: %w", err)
	}
	var s specs.State
	if err := json.Unmarshal(state, &s); err != nil {
		return 0, err
	}
	return s.Pid, nil
}

// dial connects from within the container's network. A thread that cannot be
// brought back to its own network is thrown away.
func (c *container) dial(_ context.Context, network, address string) (net.Conn, error) {
	pid, err := c.state()
	if err != nil {
		return nil, err
	}
	inside, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return nil, err
	}
	defer inside.Close()
	var conn net.Conn
	var inNetwork sync.WaitGroup
	inNetwork.Go(func() {
		runtime.LockOSThread() // and never unlocked
		if err = unix.Setns(int(inside.Fd()), syscall.CLONE_NEWNET); err != nil {
			return
		}
		var fd int
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return
		}
		var to *net.TCPAddr
		if to, err = net.ResolveTCPAddr(network, address); err != nil {
			return
		}
		f := os.NewFile(uintptr(fd), "socket")
		defer f.Close()
		if err = unix.Connect(fd, &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}); err != nil {
			return
		}
		conn, err = net.FileConn(f)
	})
	inNetwork.Wait()
	return conn, err
}
