package kit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sidegate/sidegate/pkg/sidedoor"
)

// GatewayOptions says which programs make a Gateway, and where it listens.
type GatewayOptions struct {
	// Dir holds everything of it; its path must be short, for the sockets in it.
	Dir string
	// Sidegate and Nginx are paths of the two programs.
	Sidegate, Nginx string
	Kubeconfig      string
	// HTTPPort, HTTPSPort and HealthPort are 80, 443 and 10254 when they are 0.
	HTTPPort, HTTPSPort, HealthPort int
	// Flags are further flags for the controller.
	Flags []string
}

// Gateway is the product as it runs in a pod, with two processes in the place
// of two containers: the controller, and a stock nginx whose master it attaches
// to by the pid file. nginx is started when the first configuration has been
// published, as the startup probe sees to it in the pod.
type Gateway struct {
	options    GatewayOptions
	controller *exec.Cmd
	exited     chan struct{} // the controller has
	nginx      *exec.Cmd
	log        *os.File
}

// gatewayStart is how long a start may take on a busy machine.
const gatewayStart = time.Minute

// StartGateway starts both and returns when the controller is ready.
func StartGateway(ctx context.Context, options GatewayOptions) (_ *Gateway, err error) {
	setDefault(&options.HTTPPort, 80)
	setDefault(&options.HTTPSPort, 443)
	setDefault(&options.HealthPort, 10254)
	g := &Gateway{options: options}
	if err := os.MkdirAll(options.Dir, 0o755); err != nil {
		return nil, err
	}
	if g.log, err = os.Create(filepath.Join(options.Dir, "nginx.log")); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.Stop())
		}
	}()
	return g, g.Start(ctx)
}

// Volumes are the directories that a pod has from its start to its end.
func (g *Gateway) Volumes() []string { return []string{g.nginxDir(), g.secretsDir(), g.logDir()} }

// Start starts both as a pod does, and returns when the controller is ready.
func (g *Gateway) Start(ctx context.Context) error {
	for _, dir := range g.Volumes() {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := g.StartController(); err != nil {
		return err
	}
	if err := g.waitFor(ctx, "a first configuration in "+g.config(), func() error {
		_, err := os.Stat(g.config())
		return err
	}); err != nil {
		return err
	}
	if err := g.StartNginx(); err != nil {
		return err
	}
	return g.WaitReady(ctx)
}

// StartController starts the controller, with these flags in addition, and
// does not wait for it.
func (g *Gateway) StartController(flags ...string) error {
	o := g.options
	args := append([]string{
		"--kubeconfig=" + o.Kubeconfig,
		"--http-port=" + strconv.Itoa(o.HTTPPort),
		"--https-port=" + strconv.Itoa(o.HTTPSPort),
		"--healthz-port=" + strconv.Itoa(o.HealthPort),
		"--debug-address=" + g.DebugAddress(),
		"--nginx-binary=" + o.Nginx,
		"--nginx-dir=" + g.nginxDir(),
		"--nginx-secrets-dir=" + g.secretsDir(),
		"--nginx-log-dir=" + g.logDir(),
		"--nginx-pid-file=" + g.PIDFile(),
	}, o.Flags...)
	if modules := NginxModules(o.Nginx); modules != "" {
		args = append(args, "--nginx-modules-dir="+modules)
	}
	if os.Geteuid() == 0 {
		// Root, possibly of a user namespace of its own, in which there is no other.
		args = append(args, "--nginx-user=root")
	}
	out, err := os.OpenFile(filepath.Join(o.Dir, "sidegate.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close() // the process has its own
	cmd := exec.Command(o.Sidegate, append(args, flags...)...)
	cmd.Env = append(os.Environ(), "POD_NAMESPACE=ingress-nginx", "POD_NAME=sidegate")
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		cmd.Wait() //nolint:errcheck // its log says why
		close(exited)
	}()
	g.controller, g.exited = cmd, exited
	return nil
}

// StopController ends the controller by a signal; nginx goes on without it.
func (g *Gateway) StopController(signal syscall.Signal) error {
	if g.controller == nil {
		return nil
	}
	if err := g.controller.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-g.exited:
		return nil
	case <-time.After(gatewayStart):
		g.controller.Process.Kill() //nolint:errcheck // it has ended
		<-g.exited
		return fmt.Errorf("the controller did not end by %s within %s", signal, gatewayStart)
	}
}

// RestartController ends the controller as a roll-out does, starts it with
// these flags in addition, and returns when it is ready.
func (g *Gateway) RestartController(ctx context.Context, flags ...string) error {
	if err := g.StopController(syscall.SIGTERM); err != nil {
		return err
	}
	if err := g.StartController(flags...); err != nil {
		return err
	}
	return g.WaitReady(ctx)
}

// StartNginx starts the master process on the configuration that is published.
func (g *Gateway) StartNginx() error {
	cmd := exec.Command(g.options.Nginx, "-c", g.config(), "-g", "daemon off;")
	cmd.Stdout, cmd.Stderr = g.log, g.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	g.nginx = cmd
	return nil
}

// ReloadNginx has the master read what is on disk, as somebody's hand does.
func (g *Gateway) ReloadNginx() error { return g.nginx.Process.Signal(syscall.SIGHUP) }

// StopNginx ends the master process and its workers: quickly by SIGTERM, after
// the last request by SIGQUIT.
func (g *Gateway) StopNginx(signal syscall.Signal) error {
	if g.nginx == nil {
		return nil
	}
	cmd := g.nginx
	g.nginx = nil
	if err := cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}

// WaitReady waits until the controller says that it is ready.
func (g *Gateway) WaitReady(ctx context.Context) error {
	url := g.HealthURL() + "/readyz"
	return g.waitFor(ctx, "200 from "+url, func() error {
		resp, err := http.Get(url)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 2000))
		return fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(body)))
	})
}

// waitFor repeats a check until it returns nil, the controller has ended, or
// gatewayStart is over.
func (g *Gateway) waitFor(ctx context.Context, what string, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, gatewayStart)
	defer cancel()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
			continue
		case <-g.exited:
			err = errors.New("the controller has ended: " + g.controller.ProcessState.String())
		case <-ctx.Done():
		}
		return fmt.Errorf("waiting for %s: %w%s", what, err, tail(filepath.Join(g.options.Dir, "sidegate.log"), g.log.Name()))
	}
}

// Stop ends both, nginx first as a pod does.
func (g *Gateway) Stop() error {
	return errors.Join(g.StopNginx(syscall.SIGTERM), g.StopController(syscall.SIGTERM), g.log.Close())
}

// HealthURL is where the controller answers for its health and metrics.
func (g *Gateway) HealthURL() string { return "http://127.0.0.1:" + strconv.Itoa(g.options.HealthPort) }

// DebugAddress is the socket of the debug endpoint, as --debug-address has it.
// Like all files it is there in every network namespace.
func (g *Gateway) DebugAddress() string { return "unix:" + filepath.Join(g.options.Dir, "debug.sock") }

// Debug fetches a page of the debug endpoint: /debug/config.
func (g *Gateway) Debug(ctx context.Context, page string) ([]byte, error) {
	return DebugPage(ctx, g.DebugAddress(), page)
}

// DebugPage fetches a page of the debug endpoint at an address.
func DebugPage(ctx context.Context, address, page string) ([]byte, error) {
	a, err := sidedoor.ParseAddress(address)
	if err != nil {
		return nil, err
	}
	response, err := (&sidedoor.Client{Address: a}).Get(ctx, page)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.200s", page, response.Status, body)
	}
	return body, err
}

// PIDFile is the one of nginx's master process.
func (g *Gateway) PIDFile() string { return filepath.Join(g.options.Dir, "nginx.pid") }

func (g *Gateway) nginxDir() string   { return filepath.Join(g.options.Dir, "nginx") }
func (g *Gateway) secretsDir() string { return filepath.Join(g.options.Dir, "secrets") }
func (g *Gateway) logDir() string     { return filepath.Join(g.options.Dir, "log") }
func (g *Gateway) config() string     { return filepath.Join(g.nginxDir(), "current", "nginx.conf") }

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}
