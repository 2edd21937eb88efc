package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/pkg/controller"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
)

func newServeCommand() *cobra.Command {
	o := &options{nginxSpawn: true}
	var dir string
	c := &cobra.Command{
		Use:   "serve -f DIR",
		Short: "Serve a directory of manifests instead of a cluster",
		Long: `Serve runs the controller's pipeline on a directory of manifests, with an nginx
of its own. The directory is watched: a change can be tried before it goes to a
cluster. Endpoints come from EndpointSlices among the manifests.

Without --nginx-dir the state of nginx is kept in a directory that is removed at
the end.`,
		Example: `  sidegate serve -f ./manifests
  sidegate serve -f ./manifests --http-port 80 --https-port 443 --nginx-dir /run/sidegate`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.serve(c.Context(), c.Flags(), dir) },
	}
	o.common(c.Flags())
	manifestsFlag(c, &dir)
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

func (o *options) serve(ctx context.Context, flags *pflag.FlagSet, dir string) error {
	log, err := o.logger()
	if err != nil {
		return err
	}
	debugServer, err := o.debugServer(log)
	if err != nil {
		return err
	}
	source, err := o.dirSource(dir)
	if err != nil {
		return err
	}
	// What is wrong at the start ends the command, what comes later does not.
	if _, err := source.Snapshot(ctx); err != nil {
		return err
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

// watched is the directory that changes when the manifests do.
func watched(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return filepath.Dir(path)
	}
	return path
}
