// Command containerd-shim-runc-v2 is containerd's shim for runc, also for a runc
// that was built without seccomp. kubelet asks for the runtime's seccomp profile
// for every pod's sandbox, whatever the pod says, and such a runc would refuse
// it. The sandbox only holds namespaces and runs nothing of the pod, so it goes
// without. A container that asks for a profile gets it, or is refused.
package main

import (
	"context"

	"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/manager"
	_ "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/task/plugin"
	"github.com/containerd/containerd/v2/pkg/shim"
)

func main() {
	shim.Run(context.Background(), unfiltered{manager.NewShimManager("io.containerd.runc.v2")})
}

// unfiltered is a manager that starts sandboxes without seccomp.
type unfiltered struct {
	shim.Manager
}

// Start is called in the folder of a container's bundle before runc is.
func (u unfiltered) Start(ctx context.Context, id string, options shim.StartOpts) (shim.BootstrapParams, error) {
	if err := unfilterSandbox("config.json"); err != nil {
		return shim.BootstrapParams{}, err
	}
	return u.Manager.Start(ctx, id, options)
}
