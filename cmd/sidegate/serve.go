package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/pkg/controller"
	"github.com/sidegate/sidegate/pkg/standin"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
)

func newServeCommand() *cobra.Command {
	o := &options{nginxSpawn: true}
	var dir string
	var echo bool
	c := &cobra.Command{
		Use:   "serve -f DIR",
		Short: "Serve a directory of manifests instead of a cluster",
		Long: `Serve runs the controller's pipeline on a directory of manifests, with an nginx
of its own. The directory is watched: a change can be tried before it goes to a
cluster. Endpoints come from EndpointSlices among the manifests.

With --echo, three pods at addresses on loopback stand in for each Service that
has no EndpointSlice, and answer with the request as they saw it, as JSON; those
of the Service that --default-backend-service names answer 404 and a page. A
target port that has only a name is 8080, and one that cannot be had, as nginx
or something else listens there, is another one, which the log says. Queries
as ?status=503, ?delay=2s and ?set-cookie=a%3Db ask the echo for more.

Without --nginx-dir the state of nginx is kept in a directory that is removed at
the end.`,
		Example: `  sidegate serve -f ./manifests
  sidegate serve -f ./manifests --echo
  sidegate serve -f ./manifests --http-port 80 --https-port 443 --nginx-dir /run/sidegate`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.serve(c.Context(), c.Flags(), dir, echo) },
	}
	o.common(c.Flags())
	manifestsFlag(c, &dir)
	c.Flags().BoolVar(&echo, "echo", false, "answer for Services without an EndpointSlice with the request as it arrived")
	// Ports that any user may have.
	for name, value := range map[string]string{"http-port": "8080", "https-port": "8443"} {
		flag := c.Flags().Lookup(name)
		if err := flag.Value.Set(value); err != nil {
			panic(err) // it is a number
		}
		flag.DefValue = value
	}
	return c
}

func (o *options) serve(ctx context.Context, flags *pflag.FlagSet, dir string, echo bool) error {
	log, err := o.logger()
	if err != nil {
		return err
	}
	debugServer, err := o.debugServer(log)
	if err != nil {
		return err
	}
	manifests, err := o.dirSource(dir)
	if err != nil {
		return err
	}
	// What is wrong at the start ends the command, what comes later does not.
	if _, err := manifests.Snapshot(ctx); err != nil {
		return err
	}
	var source controller.Source = manifests
	if echo {
		o.allowLoopback = true // the stand-ins are there
		pods, err := o.standIn(log, manifests)
		if err != nil {
			return err
		}
		defer pods.Close() // after nginx, which ends its requests
		source = pods
	}
	if !flags.Changed("nginx-dir") {
		// Names of unix sockets are short, and so is the one of this directory.
		if o.nginxDir, err = os.MkdirTemp("", "sidegate-"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(o.nginxDir) }() // it holds nothing of value
	}
	if err := o.complete(); err != nil {
		return err
	}
	if !flags.Changed("nginx-log-dir") {
		o.nginxLogDir = o.nginxDir + "/run"
	}
	config, err := o.core(ctx, log, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	core, err := controller.NewCore(ctx, config, source)
	if err != nil {
		return err
	}
	core.Pipeline.Report = func(old, next *controller.State) {
		controller.LogFindings(log, old.Findings, next.Findings)
		if next.Confirmed && !old.Confirmed {
			log.Info("serving", "http", o.httpPort, "https", o.httpsPort, "debug", debugServer.Address.String(), "manifests", dir, "nginx", o.nginxDir)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return core.Run(ctx, func() { core.Trigger("start") }) })
	group.Go(func() error {
		return controller.WatchDir(ctx, watched(dir), func() { core.Trigger("the manifests changed") })
	})
	group.Go(func() error { return show(debugServer, core).Start(ctx) })
	return group.Wait()
}

// standIn gives pods to Services without EndpointSlices.
func (o *options) standIn(log logr.Logger, from controller.Source) (*standin.Source, error) {
	backend, err := objectName("default-backend-service", o.defaultBackend)
	return &standin.Source{
		From: from, Log: log.WithName("echo"), DefaultBackend: backend,
		Reserved: []int32{int32(o.httpPort), int32(o.httpsPort)},
	}, err
}

// watched is the directory that changes when the manifests do.
func watched(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return filepath.Dir(path)
	}
	return path
}
