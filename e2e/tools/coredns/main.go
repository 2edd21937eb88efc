// Coredns is CoreDNS with the two plugins that the cluster of the tests needs:
// the names of Services and pods, and a log of what goes wrong.
//
// It is a module of its own beside e2e/tools, because the two want different
// versions of what they share, and an upgrade of one is not to rebuild the other.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
)

func main() {
	// The order in which plugins see a query; those that are not here are not known.
	dnsserver.Directives = []string{"ready", "errors", "kubernetes"}
	coremain.Run()
}
