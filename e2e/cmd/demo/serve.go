package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	manifests "github.com/sidegate/sidegate/examples/walkthrough"

	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/e2e/walkthrough"
)

// serve plays on a directory of manifests, without a cluster. It needs neither
// root nor a namespace: all is on loopback.
func serve(ctx context.Context, dir string, keep bool) error {
	start := time.Now()
	lock, err := takeLock(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := empty(dir); err != nil {
		return err
	}
	options := kit.ServeOptions{Dir: dir, Manifests: filepath.Join(dir, "manifests"), Hold: lock}
	if options.Sidegate, err = sibling("sidegate"); err != nil {
		return err
	}
	if options.Nginx, err = nginxBinary(); err != nil {
		return err
	}
	local := &walkthrough.Local{Options: options}
	local.Started = func(s *kit.Serve) error { // for demo down
		return os.WriteFile(filepath.Join(dir, serveName), []byte(strconv.Itoa(s.Pid())), 0o644)
	}
	env := local.Env(manifests.Files)
	printer := &walkthrough.Printer{W: os.Stdout, Color: isTerminal(os.Stdout)}
	err = play(ctx, env, printer, start)
	switch {
	case err != nil && !errors.Is(err, walkthrough.ErrWrong):
		return errors.Join(err, local.Stop(), fmt.Errorf("the logs are in %s", dir))
	case keep:
		return errors.Join(err, env.Apply(ctx, "browser.yaml"), printServed(env, options))
	}
	if err := errors.Join(err, local.Stop()); err != nil {
		fmt.Fprintf(os.Stderr, "The logs are in %s.\n", dir)
		return err
	}
	printOwn(options)
	return os.RemoveAll(dir)
}

// printServed says how to go on with what is left running.
func printServed(env *walkthrough.Env, options kit.ServeOptions) error {
	_, httpPort, err := net.SplitHostPort(env.HTTP)
	if err != nil {
		return err
	}
	_, httpsPort, err := net.SplitHostPort(env.HTTPS)
	if err != nil {
		return err
	}
	fmt.Printf(`
It goes on in the background, and takes what is changed below
  %[1]s
The log is %[2]s.

  curl -H 'Host: foo.bar.com' http://127.0.0.1:%[3]s/backend
  curl -k --connect-to secure.bar.com:443:127.0.0.1:%[4]s https://secure.bar.com/
  http://echo.localhost:%[3]s/ in a browser
  %[5]s explain http://foo.bar.com/backend --debug-address unix:%[6]s
  %[5]s dump findings --debug-address unix:%[6]s

To end and remove it: make demo-clean
`, options.Manifests, filepath.Join(options.Dir, "sidegate.log"), httpPort, httpsPort, shorten(options.Sidegate), filepath.Join(options.Dir, "debug.sock"))
	return nil
}

// printOwn says how to try one's own manifests.
func printOwn(options kit.ServeOptions) {
	fmt.Printf(`
With manifests of your own, and an answer to every request that their Services get:
  %s serve -f DIR --echo --nginx-binary %s
On a real API server, with status, events, scaling and roll-outs: make demo-cluster
`, shorten(options.Sidegate), options.Nginx)
}

// shorten is a path as seen from the working directory, where it is below that.
func shorten(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(short) {
		return short
	}
	return path
}
