// Podrunner stands in for a node and what a cloud adds to it: it runs the Pods
// of a cluster as processes of this machine, with addresses of their own,
// answers the cluster's names and gives load balancers an address. See
// kit.Kubelet, kit.ServeDNS and kit.ServeBalancers.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/go-logr/zapr"
	"go.uber.org/zap"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sidegate/sidegate/e2e/kit"
)

func main() {
	// Not the common one, in which controller-runtime has a flag kubeconfig.
	flags := flag.NewFlagSet("podrunner", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", os.Getenv("KUBECONFIG"), "how to reach the API server")
	node := flags.String("node", "node-1", "the name of the Node")
	logs := flags.String("log-dir", "", "the folder for what the containers print; thrown away when empty")
	images := imageFlag{}
	flags.Var(images, "image", "IMAGE=PROGRAM: what stands for an image; may be repeated")
	flags.Parse(os.Args[1:]) //nolint:errcheck // it exits
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, *kubeconfig, *node, kit.Processes{Images: images, LogDir: *logs}); err != nil {
		fmt.Fprintln(os.Stderr, "podrunner:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig, node string, runtime kit.Runtime) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	zapLog, err := zap.NewDevelopment()
	if err != nil {
		return err
	}
	log := zapr.NewLogger(zapLog)
	reader, err := client.New(config, client.Options{})
	if err != nil {
		return err
	}
	if err := kit.ServeDNS(ctx, reader, kit.DNSIP); err != nil {
		return err
	}
	if err := kit.ServeBalancers(ctx, config, kit.OneAddress, log); err != nil {
		return err
	}
	kubelet, err := kit.StartKubelet(ctx, config, kit.KubeletOptions{
		Node: node, Runtime: runtime, Log: log,
	})
	if err != nil {
		return err
	}
	kubelet.Wait()
	return nil
}

// imageFlag collects --image.
type imageFlag map[string]string

func (f imageFlag) String() string { return fmt.Sprint(map[string]string(f)) }

func (f imageFlag) Set(value string) error {
	image, program, ok := strings.Cut(value, "=")
	if !ok {
		return fmt.Errorf("%q: want IMAGE=PROGRAM", value)
	}
	f[image] = program
	return nil
}
