// Command coredns is CoreDNS with the plugins that a cluster's name server
// takes. The emulated clouds' machine runs it for its pods.
package main

import (
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
)

// order is that in which the plugins see a request, as CoreDNS' own list has
// it.
var order = []string{"bind", "ready", "errors", "loadbalance", "template", "kubernetes"}

func main() {
	dnsserver.Directives = order
	coremain.Run()
}
