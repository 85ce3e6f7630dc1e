package machine

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// runtimeClient calls containerd as kubelet does.
type runtimeClient struct {
	connection *grpc.ClientConn
	cri        cri.RuntimeServiceClient
}

func newRuntimeClient(socket string) (*runtimeClient, error) {
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("connecting to containerd: %w", err)
	}
	return &runtimeClient{connection: connection, cri: cri.NewRuntimeServiceClient(connection)}, nil
}

func (c *runtimeClient) close() { _ = c.connection.Close() } // there is nothing left to say

// ready looks whether containerd and the pods' network can be used.
func (c *runtimeClient) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	// WaitForReady would wait longer than a new attempt takes.
	answer, err := c.cri.Status(ctx, &cri.StatusRequest{})
	if err != nil {
		c.connection.ResetConnectBackoff()
		return err
	}
	for _, condition := range answer.GetStatus().GetConditions() {
		if !condition.GetStatus() {
			return fmt.Errorf("%s is false: %s: %s", condition.GetType(), condition.GetReason(), condition.GetMessage())
		}
	}
	return nil
}

// sweepParallel is how many pods are removed at a time.
const sweepParallel = 8

// sweep removes the pods which an earlier run has left. Their processes are
// long gone; what remains are records and layers of file systems.
func (c *runtimeClient) sweep(ctx context.Context) error {
	answer, err := c.cri.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
	if err != nil {
		return fmt.Errorf("listing what an earlier run has left: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(sweepParallel)
	for _, sandbox := range answer.GetItems() {
		group.Go(func() error { return c.remove(ctx, sandbox.GetId()) })
	}
	return group.Wait()
}

// remove removes a pod with its containers.
func (c *runtimeClient) remove(ctx context.Context, sandbox string) error {
	if _, err := c.cri.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: sandbox}); err != nil {
		return fmt.Errorf("stopping a pod of an earlier run: %w", err)
	}
	if _, err := c.cri.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: sandbox}); err != nil {
		return fmt.Errorf("removing a pod of an earlier run: %w", err)
	}
	return nil
}
