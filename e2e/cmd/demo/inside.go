package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/sidegate/sidegate/e2e/kit"
)

// inside starts everything in the namespace and then does as it is told. It
// ends with up, unless it is told to keep on; everything else ends with it, as
// it is all in one process namespace.
func inside(ctx context.Context, dir string) error {
	conn, err := fileConn(wireFD)
	if err != nil {
		return err
	}
	// Inherited, and not for those that are started here.
	for fd := lockFD; fd < entryFD+len(entries); fd++ {
		syscall.CloseOnExec(fd)
	}
	encoder, decoder := json.NewEncoder(conn), json.NewDecoder(conn)
	say := func(what string) { encoder.Encode(report{Say: what}) } //nolint:errcheck // up has ended: seen below
	answer := func(err error) error {
		if err != nil {
			return encoder.Encode(report{Err: err.Error()})
		}
		return encoder.Encode(report{})
	}
	c, err := startCluster(dir, say)
	if err := answer(err); err != nil || c == nil {
		return err
	}
	for {
		var o order
		switch err := decoder.Decode(&o); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case o.Keep:
			if err := answer(nil); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		default:
			if err := answer(c.controller(ctx, o.Controller)); err != nil {
				return err
			}
		}
	}
}

// cluster is what runs in the namespace.
type cluster struct {
	dir     string
	plane   *kit.ControlPlane
	gateway *kit.Gateway
}

// startCluster starts the control plane, the node and the forwarding of the
// entries: what a cluster has before an ingress controller is installed.
func startCluster(dir string, say func(string)) (*cluster, error) {
	say("starting etcd, kube-apiserver and kube-controller-manager")
	_, port, err := net.SplitHostPort(inner("api"))
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir}
	state := filepath.Join(dir, "cluster")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, err
	}
	options := kit.ControlPlaneOptions{Dir: state, Controllers: kit.Controllers}
	if _, err := fmt.Sscan(port, &options.Port); err != nil {
		return nil, err
	}
	if c.plane, err = kit.Start(options); err != nil {
		return nil, err
	}
	say("starting the node")
	if err := c.startNode(); err != nil {
		return nil, err
	}
	for i, e := range entries {
		f := os.NewFile(uintptr(entryFD+i), e.what)
		listener, err := net.FileListener(f)
		f.Close() // FileListener has a copy
		if err != nil {
			return nil, err
		}
		go forward(listener, e.inside)
	}
	return c, nil
}

// startNode starts the program that runs the pods.
func (c *cluster) startNode() error {
	echo, err := sibling("echo")
	if err != nil {
		return err
	}
	podrunner, err := sibling("podrunner")
	if err != nil {
		return err
	}
	pods := filepath.Join(c.dir, "pods")
	if err := os.MkdirAll(pods, 0o755); err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(c.dir, "podrunner.log"))
	if err != nil {
		return err
	}
	defer out.Close() // the process has its own
	cmd := exec.Command(podrunner,
		"--kubeconfig="+c.plane.Kubeconfig, "--log-dir="+pods,
		"--image=sidegate.test/echo="+echo, "--image=sidegate.test/default-backend="+echo)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	for {
		var nodes corev1.NodeList
		if err := c.plane.Client.List(context.Background(), &nodes); err == nil && len(nodes.Items) > 0 {
			return nil
		}
		select {
		case err := <-exited:
			return fmt.Errorf("podrunner has ended (%w): see %s", err, out.Name())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// controller starts the gateway, or its controller anew.
func (c *cluster) controller(ctx context.Context, flags []string) error {
	if c.gateway != nil {
		return c.gateway.RestartController(ctx, flags...)
	}
	sidegate, err := sibling("sidegate")
	if err != nil {
		return err
	}
	nginx, err := nginxBinary()
	if err != nil {
		return err
	}
	c.gateway, err = kit.StartGateway(ctx, kit.GatewayOptions{
		Dir: c.dir, Sidegate: sidegate, Nginx: nginx, Kubeconfig: c.plane.Kubeconfig,
		Flags: append([]string{
			"--publish-service=ingress-nginx/ingress-nginx-controller",
			"--configmap=ingress-nginx/ingress-nginx-controller",
		}, flags...),
	})
	return err
}

// forward takes what comes in at a listener to an address in the namespace.
func forward(listener net.Listener, to string) {
	for {
		outer, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer outer.Close()
			inner, err := net.Dial("tcp", to)
			if err != nil {
				return
			}
			defer inner.Close()
			var both sync.WaitGroup
			both.Go(func() { pipe(outer, inner) })
			both.Go(func() { pipe(inner, outer) })
			both.Wait()
		}()
	}
}

// pipe copies one direction and passes its end on.
func pipe(to, from net.Conn) {
	io.Copy(to, from)              //nolint:errcheck // the connection is over either way
	to.(*net.TCPConn).CloseWrite() //nolint:errcheck // as above
}

// inner is where an entry leads to.
func inner(what string) string {
	for _, e := range entries {
		if e.what == what {
			return e.inside
		}
	}
	panic("no entry " + what)
}

// sibling is the path of a program beside this one.
func sibling(name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	p := filepath.Join(filepath.Dir(self), name)
	if _, err := os.Stat(p); err != nil {
		return "", fmt.Errorf("%w: run `make demo` or `make demo-cluster`, which build it", err)
	}
	return p, nil
}

// nginxBinary is the nginx that e2e/install brought, or another one by the
// environment.
func nginxBinary() (string, error) {
	if p := os.Getenv(kit.NginxEnv); p != "" {
		return p, nil
	}
	cache, err := kit.CacheDir()
	if err != nil {
		return "", err
	}
	p := filepath.Join(cache, "bin", "nginx")
	if _, err := os.Stat(p); err != nil {
		return "", fmt.Errorf("%w: run `make tools` once", err)
	}
	return p, nil
}
