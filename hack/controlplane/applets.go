package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	_ "time/tzdata" // time zones of CronJobs, as in upstream's binaries

	_ "k8s.io/client-go/plugin/pkg/client/auth"           // kubectl's credential plugins
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client-go's metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // kubernetes_build_info

	"github.com/cumulet/cumulet/hack/controlplane/applet"
)

// applets maps the name by which the binary is called to the program it then
// is. Each runs with os.Args as that program expects them and returns its exit
// status. To add a program, add a line.
var applets = applet.Table{
	"etcd":                    runEtcd,
	"kube-apiserver":          cobraApplet(apiserver.NewAPIServerCommand),
	"kube-controller-manager": cobraApplet(controllermanager.NewControllerManagerCommand),
	"kube-scheduler":          cobraApplet(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kube-proxy":              cobraApplet(proxy.NewProxyCommand),
	"kubectl":                 runKubectl,
	"kubelet":                 runKubelet,
}

// cobraApplet runs a component the way its own main package does. The command
// is made only when it is asked for, since making one registers feature gates
// and flags which the other components define differently.
func cobraApplet(newCommand func() *cobra.Command) func() int {
	return func() int { return cli.Run(newCommand()) }
}

func runEtcd() int {
	etcdmain.Main(os.Args)
	return 0
}

// runKubelet follows k8s.io/kubernetes/cmd/kubelet.
func runKubelet() int {
	return cli.Run(kubelet.NewKubeletCommand(context.Background()))
}

// runKubectl follows k8s.io/kubernetes/cmd/kubectl, which reads -v before the
// command is made so that reading kuberc and finding plugins is logged too.
func runKubectl() int {
	_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(os.Args)) // an unusable level is refused again by the flag itself
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err) // prints and exits with the error's own status
	}
	return 0
}
