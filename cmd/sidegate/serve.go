package main

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/pkg/controller"
	"github.com/sidegate/sidegate/pkg/debug"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"
)

// dirFlag names a directory of manifests.
const dirFlag = "filename"

func newServeCommand() *cobra.Command {
	o := &options{nginxSpawn: true}
	var dir string
	c := &cobra.Command{
		Use:   "serve -f DIR",
		Short: "Serve a directory of manifests instead of a cluster",
		Long: `Serve runs the controller's pipeline on a directory of manifests, with an nginx
of its own. The directory is watched: a change can be tried before it goes to a
cluster. Endpoints come from EndpointSlices among the manifests.`,
		Example: "  sidegate serve -f ./manifests --http-port 8080 --https-port 8443 --nginx-dir ./state --nginx-log-dir ./state/run",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return o.serve(c.Context(), dir) },
	}
	o.common(c.Flags())
	c.Flags().StringVarP(&dir, dirFlag, "f", "", "the directory of manifests")
	if err := c.MarkFlagRequired(dirFlag); err != nil {
		panic(err) // the flag is there
	}
	return c
}

func (o *options) serve(ctx context.Context, dir string) error {
	log, err := o.logger()
	if err != nil {
		return err
	}
	if err := o.complete(); err != nil {
		return err
	}
	source, err := o.dirSource(dir)
	if err != nil {
		return err
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
		for _, f := range next.Findings {
			log.Info(f.Message, "object", f.Object.String(), "severity", string(f.Severity), "reason", f.Reason, "field", f.Field, "value", f.Value)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return core.Run(ctx, func() { core.Trigger("start") }) })
	group.Go(func() error {
		return controller.WatchDir(ctx, dir, func() { core.Trigger("the manifests changed") })
	})
	group.Go(func() error { return debug.NewServer(o.debugAddress, core).Start(ctx) })
	return group.Wait()
}

// dirSource reads manifests with the classes and the ConfigMap of the flags.
func (o *options) dirSource(dir string) (snapshot.Dir, error) {
	if dir == "" {
		return snapshot.Dir{}, errors.New("-f names no directory")
	}
	configMap, err := objectName("configmap", o.configMap)
	if configMap == (types.NamespacedName{}) {
		configMap = types.NamespacedName{Namespace: "ingress-nginx", Name: "ingress-nginx-controller"}
	}
	return snapshot.Dir{Path: dir, Classes: o.classes(), ConfigMap: configMap}, err
}
