package kit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Controllers are those of kube-controller-manager that make pods, and
// endpoints of them, out of what a user writes, and that clean up behind him.
// There is no scheduler and no kubelet: see Kubelet.
var Controllers = []string{
	"deployment-controller", "replicaset-controller", "endpointslice-controller",
	"namespace-controller", "garbage-collector-controller",
}

// ControlPlaneOptions says what Start is to start, and where.
type ControlPlaneOptions struct {
	// Dir is where etcd's data, keys, the kubeconfig and logs go; an own one is
	// made, and removed by Stop, when it is empty.
	Dir string
	// Port of the API server on 127.0.0.1; a free one when it is 0.
	Port int
	// Controllers is what kube-controller-manager runs; it is not started when
	// there are none.
	Controllers []string
}

// ControlPlane is a running etcd and kube-apiserver, with a
// kube-controller-manager on demand: the released ones, not a model of them.
type ControlPlane struct {
	// Config, Client and Kubeconfig (a file) are all of the same user, who is
	// cluster-admin.
	Config     *rest.Config
	Client     client.Client
	Kubeconfig string
	// Dir is where all state and the logs are.
	Dir string

	env     *envtest.Environment
	manager *exec.Cmd
	owned   bool // Dir is to be removed
	logs    []*os.File
}

// apiStopTimeout is how long the API server gets to end. It would wait 20 s and
// more for watches that are open; nothing here needs that courtesy, as etcd
// holds all there is.
const apiStopTimeout = 2 * time.Second

// Start starts a control plane. It must run where CheckNetns is content.
func Start(opts ControlPlaneOptions) (_ *ControlPlane, err error) {
	if err := CheckNetns(); err != nil {
		return nil, err
	}
	c := &ControlPlane{Dir: opts.Dir}
	if c.Dir == "" {
		if c.Dir, err = os.MkdirTemp("", "sg-cluster"); err != nil {
			return nil, err
		}
		c.owned = true
	}
	defer func() {
		if err != nil {
			var logs []string
			for _, f := range c.logs {
				logs = append(logs, f.Name())
			}
			err = errors.Join(fmt.Errorf("starting a control plane: %w%s", err, tail(logs...)), c.Stop())
		}
	}()
	if err := c.startAPI(opts); err != nil {
		return nil, err
	}
	if err := c.connect(); err != nil {
		return nil, err
	}
	if len(opts.Controllers) > 0 {
		if err := c.startManager(opts.Controllers); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// NewControlPlane starts a control plane with Controllers for one test.
func NewControlPlane(tb testing.TB) *ControlPlane {
	tb.Helper()
	c, err := Start(ControlPlaneOptions{Controllers: Controllers})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

func (c *ControlPlane) startAPI(opts ControlPlaneOptions) error {
	etcd, err := installed("etcd")
	if err != nil {
		return err
	}
	c.env = &envtest.Environment{
		BinaryAssetsDirectory:    filepath.Dir(etcd),
		ControlPlaneStartTimeout: time.Minute,
		ControlPlaneStopTimeout:  apiStopTimeout,
	}
	server := c.env.ControlPlane.GetAPIServer()
	server.Path = filepath.Join(filepath.Dir(etcd), "kube-apiserver")
	if opts.Port != 0 {
		server.SecureServing.Address, server.SecureServing.Port = "127.0.0.1", fmt.Sprint(opts.Port)
	}
	server.CertDir = filepath.Join(c.Dir, "apiserver")
	server.Configure().
		// There is no default route by which it could find one.
		Set("advertise-address", NodeIP.String()).
		Set("service-cluster-ip-range", ServiceRange.String()+","+ServiceRangeIPv6.String())
	if server.Out, err = c.log("kube-apiserver"); err != nil {
		return err
	}
	server.Err = server.Out

	etcdOut, err := c.log("etcd")
	if err != nil {
		return err
	}
	store := &envtest.Etcd{Path: etcd, DataDir: filepath.Join(c.Dir, "etcd"), Out: etcdOut, Err: etcdOut}
	c.env.ControlPlane.Etcd = store
	for _, dir := range []string{server.CertDir, store.DataDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	c.Config, err = c.env.Start()
	return err
}

// connect makes the clients, once the API server is there.
func (c *ControlPlane) connect() error {
	var err error
	if c.Client, err = client.New(c.Config, client.Options{}); err != nil {
		return err
	}
	c.Kubeconfig = filepath.Join(c.Dir, "kubeconfig")
	return os.WriteFile(c.Kubeconfig, c.env.KubeConfig, 0o600)
}

func (c *ControlPlane) startManager(controllers []string) error {
	path, err := installed("kube-controller-manager")
	if err != nil {
		return err
	}
	out, err := c.log("kube-controller-manager")
	if err != nil {
		return err
	}
	cmd := exec.Command(path,
		"--kubeconfig="+c.Kubeconfig,
		"--controllers="+strings.Join(controllers, ","),
		"--leader-elect=false",
		"--secure-port=0", // nobody asks it anything
		"--kube-api-qps=1000", "--kube-api-burst=2000",
		// A change of a hundred pods would otherwise wait for its turn.
		"--concurrent-deployment-syncs=20", "--concurrent-replicaset-syncs=20",
		"--concurrent-service-endpoint-syncs=20",
	)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return err
	}
	c.manager = cmd
	return nil
}

// StopAPIServer takes the API server away, with every connection to it. etcd
// stays, and so do all objects.
func (c *ControlPlane) StopAPIServer() error {
	server := c.env.ControlPlane.GetAPIServer()
	if server.SecureServing.Port == "" {
		return nil // it never started
	}
	stopErr := server.Stop() // an error, too, when it had to kill it
	address := server.SecureServing.HostPort()
	for deadline := time.Now().Add(apiStopTimeout); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return nil
		}
		conn.Close()
		if time.Now().After(deadline) {
			return fmt.Errorf("the API server still listens on %s: %w", address, stopErr)
		}
	}
}

// StartAPIServer brings the API server back: the same port, keys and objects.
func (c *ControlPlane) StartAPIServer() error {
	return c.env.ControlPlane.GetAPIServer().Start()
}

// Stop ends everything that Start started.
func (c *ControlPlane) Stop() error {
	var errs []error
	if c.manager != nil {
		errs = append(errs, stopProcess(c.manager, 2*time.Second))
	}
	if c.env != nil {
		errs = append(errs, c.StopAPIServer())
		if store := c.env.ControlPlane.Etcd; store != nil {
			errs = append(errs, store.Stop())
		}
	}
	for _, f := range c.logs {
		errs = append(errs, f.Close())
	}
	if c.owned {
		errs = append(errs, os.RemoveAll(c.Dir))
	}
	return errors.Join(errs...)
}

func (c *ControlPlane) log(name string) (io.Writer, error) {
	f, err := os.Create(filepath.Join(c.Dir, name+".log"))
	if err != nil {
		return nil, err
	}
	c.logs = append(c.logs, f)
	return f, nil
}

// stopProcess ends a process that was started with Start: SIGTERM, and SIGKILL
// when it takes longer than grace.
func stopProcess(cmd *exec.Cmd, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { cmd.Process.Kill() }) //nolint:errcheck // it has ended
	defer stop()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}
