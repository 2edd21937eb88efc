// Nodebox is the rest of a cluster beside kubebox: kube-scheduler, and what a
// node runs, kubelet and kube-proxy. Only the tests on a real cluster need it,
// so that the others do not wait for it to be built.
//
// It is installed under the three names as symlinks and runs the part that it
// is called by; `nodebox NAME ARGS...` does the same.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client-go's metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // kubernetes_build_info
	kubeproxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	args := os.Args
	if filepath.Base(args[0]) == "nodebox" && len(args) > 1 {
		args = args[1:]
	}
	// The components read os.Args themselves.
	os.Args = args
	switch name := filepath.Base(args[0]); name {
	case "kube-scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	case "kubelet":
		os.Exit(cli.Run(kubelet.NewKubeletCommand(context.Background())))
	case "kube-proxy":
		os.Exit(cli.Run(kubeproxy.NewProxyCommand()))
	default:
		fmt.Fprintf(os.Stderr, "nodebox: no component %q: want kube-scheduler, kubelet or kube-proxy\n", name)
		os.Exit(2)
	}
}
