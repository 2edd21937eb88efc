package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/sidegate/sidegate/pkg/controller"
	"github.com/sidegate/sidegate/pkg/status"
	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
)

// Writes to the API server are the status of Ingresses: thousands after a
// change of the entry point.
const (
	apiQPS   = 500
	apiBurst = 1000
)

func newRootCommand() *cobra.Command {
	o := &options{}
	c := &cobra.Command{
		Use:   "sidegate",
		Short: "An ingress controller beside a stock nginx",
		Long: `Sidegate turns Ingress objects into the configuration of a stock nginx beside
it, tests it, reloads nginx and proves that the new one is served.

Without a command it is the controller, with the flags of ingress-nginx.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.showVersion {
				return printVersion(c)
			}
			return o.runController(c)
		},
	}
	o.common(c.Flags())
	o.cluster(c.Flags())
	return c
}

// runController runs against an API server.
func (o *options) runController(c *cobra.Command) error {
	log, err := o.logger()
	if err != nil {
		return err
	}
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	if names := ignored(c.Flags()); len(names) > 0 {
		log.Info("flags that are accepted without effect", "flags", strings.Join(names, " "))
	}
	if err := o.complete(); err != nil {
		return err
	}
	if err := conceal(); err != nil {
		return err
	}
	debugServer, err := o.debugServer(log)
	if err != nil {
		return err
	}
	rc, err := o.restConfig()
	if err != nil {
		return err
	}
	core, err := o.core(c.Context(), log, ctrlmetrics.Registry)
	if err != nil {
		return err
	}
	config := controller.ClusterConfig{
		Config: core, Classes: o.classes(), WatchNamespace: o.watchNamespace,
		HealthAddress: net.JoinHostPort(o.healthHost, strconv.Itoa(o.healthPort)), HealthPath: o.healthPath,
		DisableStatus: !o.updateStatus, KeepStatus: !o.updateOnShutdown, DisableEvents: o.disableEvents, ShutdownGrace: time.Duration(o.shutdownGrace) * time.Second,
		Debug: func(core *controller.Core) manager.Runnable { return show(debugServer, core) },
	}
	if config.ConfigMap, err = objectName("configmap", o.configMap); err != nil {
		return err
	}
	if config.Status, err = o.status(); err != nil {
		return err
	}
	config.Election = o.election()
	log.Info("sidegate starts", "version", version, "class", o.controllerClass)
	return controller.RunCluster(c.Context(), rc, config)
}

func (o *options) status() (status.Config, error) {
	service, err := objectName("publish-service", o.publishService)
	if err != nil {
		return status.Config{}, err
	}
	if o.publishService != "" && o.publishAddress != "" {
		return status.Config{}, errors.New("--publish-service and --publish-status-address exclude each other")
	}
	s := status.Config{Service: service}
	for a := range strings.SplitSeq(o.publishAddress, ",") {
		if a = strings.TrimSpace(a); a != "" {
			s.Addresses = append(s.Addresses, a)
		}
	}
	return s, nil
}

func (o *options) election() controller.ElectionConfig {
	return controller.ElectionConfig{
		Disable: o.disableElection, ID: o.electionID, TTL: o.electionTTL,
		Namespace: cmp.Or(os.Getenv("POD_NAMESPACE"), "default"), Pod: os.Getenv("POD_NAME"),
	}
}

func (o *options) restConfig() (*rest.Config, error) {
	rc, err := clientcmd.BuildConfigFromFlags(o.apiServer, o.kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("the API server is not known: %w", err)
	}
	rc.QPS, rc.Burst = apiQPS, apiBurst
	rc.UserAgent = "sidegate/" + version
	return rc, nil
}
