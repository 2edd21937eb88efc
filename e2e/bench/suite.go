package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/sidegate/sidegate/e2e/kit"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// suite is what measurements share: a cluster that grows, backends, and one
// gateway at a time.
type suite struct {
	ctx      context.Context
	options  options
	results  *Results
	dir      string
	sidegate string
	nginx    string
	plane    *kit.ControlPlane
	api      client.Client // without a limit of its own
	backends *backends
	size     int // how many Ingresses there are
	gateway  *kit.Gateway
}

// timeWaitLimit is of this network namespace, in which clients, nginx and pods
// are one machine: the connections of a start to 3,000 pods, as often as it is
// measured here, would leave so many ports in TIME_WAIT that the kernel takes
// milliseconds to find a free one.
const timeWaitLimit = "/proc/sys/net/ipv4/tcp_max_tw_buckets"

func newSuite(ctx context.Context, o options, results *Results) (_ *suite, err error) {
	s := &suite{ctx: ctx, options: o, results: results}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.sidegate, s.nginx, err = programs(); err != nil {
		return s, err
	}
	if err := results.describeMachine(s.nginx); err != nil {
		return s, err
	}
	if s.dir, err = os.MkdirTemp("", "sg"); err != nil { // sockets need a short path
		return s, err
	}
	if err := os.WriteFile(timeWaitLimit, []byte("200"), 0o644); err != nil {
		return s, err
	}
	progress("starting etcd and kube-apiserver")
	if s.plane, err = kit.Start(kit.ControlPlaneOptions{}); err != nil {
		return s, err
	}
	if s.api, err = unlimited(s.plane.Config); err != nil {
		return s, err
	}
	if s.backends, err = startBackends(); err != nil {
		return s, err
	}
	return s, s.createCommon()
}

func (s *suite) close() error {
	err := s.stopGateway()
	if s.backends != nil {
		s.backends.close()
	}
	if s.plane != nil {
		err = errors.Join(err, s.plane.Stop())
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// unlimited is a client that asks as fast as the API server answers.
func unlimited(config *rest.Config) (client.Client, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1
	return client.New(config, client.Options{})
}

// startGateway starts the product from nothing, as a new pod does: its
// directories, which are emptyDirs, are empty. One that runs is ended before.
func (s *suite) startGateway(flags ...string) error {
	if err := s.stopGateway(); err != nil {
		return err
	}
	dir := filepath.Join(s.dir, "g")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if s.options.profiles != "" {
		flags = append(flags, "--profiling")
	}
	var err error
	s.gateway, err = kit.StartGateway(s.ctx, kit.GatewayOptions{
		Dir: dir, Sidegate: s.sidegate, Nginx: s.nginx, Kubeconfig: s.plane.Kubeconfig, Flags: flags,
	})
	return err
}

func (s *suite) stopGateway() error {
	if s.gateway == nil {
		return nil
	}
	err := s.gateway.Stop()
	s.gateway = nil
	return err
}

// needGateway starts a gateway unless one runs, and lets it come to rest.
func (s *suite) needGateway() error {
	if s.gateway != nil {
		return nil
	}
	if err := s.startGateway(); err != nil {
		return err
	}
	return s.sleep(2 * time.Second)
}

// sleep returns early, with an error, when the command is to end.
func (s *suite) sleep(d time.Duration) error { return sleep(s.ctx, d) }

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// patience is how long anything may take before a measurement is given up.
const patience = 2 * time.Minute

// until repeats a check with pauses until it is true.
func until(ctx context.Context, what string, pause time.Duration, check func() (bool, error)) error {
	deadline := time.Now().Add(patience)
	for {
		ok, err := check()
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", what, err)
		case ok:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("%s: not within %s", what, patience)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// programs are the paths of the controller and of nginx.
func programs() (sidegate, nginx string, err error) {
	sidegate, err = builtProgram("sidegate")
	if err != nil {
		return "", "", err
	}
	if nginx = os.Getenv(kit.NginxEnv); nginx != "" {
		return sidegate, nginx, nil
	}
	cache, err := kit.CacheDir()
	if err != nil {
		return "", "", err
	}
	nginx, err = exec.LookPath(filepath.Join(cache, "bin", "nginx"))
	if err != nil {
		return "", "", fmt.Errorf("%w: run `make tools` once", err)
	}
	return sidegate, nginx, nil
}

// builtProgram is the path of a program that `make bench` builds.
func builtProgram(name string) (string, error) {
	path, err := exec.LookPath(filepath.Join(os.Getenv(kit.BinDirEnv), name))
	if err != nil {
		return "", fmt.Errorf("%w: %s must name the folder of the project's programs, as `make bench` sees to", err, kit.BinDirEnv)
	}
	return filepath.Abs(path)
}
