// Command kubernetes is etcd, kube-apiserver, kube-controller-manager,
// kube-scheduler and kubectl in one binary. It is the one by whose name it is
// called (bin/kubectl is a link to it), or the one its first argument names
// (kubernetes kubectl get pods).
//
// If the environment has CUMULET_PARENT_FD, it ends when its parent does: see
// applet.EndWithParent.
package main

import (
	"fmt"
	"os"

	"github.com/cumulet/cumulet/hack/controlplane/applet"
)

func main() {
	run, commandLine, err := applet.Choose(applets, os.Args)
	if err == nil {
		err = applet.EndWithParent()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Args = commandLine
	os.Exit(run())
}
