// Kubebox is etcd, kube-apiserver and kube-controller-manager in one binary.
//
// The three share most of their packages, so one binary links once and takes a
// third of the space. It is installed under the three names as symlinks and
// runs the part that it is called by; `kubebox NAME ARGS...` does the same.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client-go's metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // kubernetes_build_info
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func main() {
	args := os.Args
	if filepath.Base(args[0]) == "kubebox" && len(args) > 1 {
		args = args[1:]
	}
	// The components read os.Args themselves.
	os.Args = args
	switch name := filepath.Base(args[0]); name {
	case "etcd":
		etcdmain.Main(args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	default:
		fmt.Fprintf(os.Stderr, "kubebox: no component %q: want etcd, kube-apiserver or kube-controller-manager\n", name)
		os.Exit(2)
	}
}
