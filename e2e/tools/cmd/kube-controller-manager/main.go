// Kube-controller-manager is the released one, without what kubebox has beside
// it: for a machine that has etcd and kube-apiserver already, as the tools of
// controller-runtime's envtest, which lack this one.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client-go's metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // kubernetes_build_info
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func main() { os.Exit(cli.Run(controllermanager.NewControllerManagerCommand())) }
