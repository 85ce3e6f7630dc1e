package prober

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
)

// checkGRPC asks the health service (grpc.health.v1) without TLS, as a kubelet
// does.
func (r *Runner) checkGRPC(ctx context.Context, address string, action *corev1.GRPCAction, timeout time.Duration) (Outcome, string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithUserAgent("kube-probe/"+kubernetesVersion),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return r.dial(ctx, "tcp", address)
		}),
	)
	if err != nil {
		return Unknown, "", fmt.Errorf("making gRPC client for %s: %w", address, err)
	}
	defer func() { _ = conn.Close() }() // the answer is known
	request := &health.HealthCheckRequest{}
	if action.Service != nil {
		request.Service = *action.Service
	}
	// A server that is not there yet may come until the timeout.
	answer, err := health.NewHealthClient(conn).Check(ctx, request, grpc.WaitForReady(true))
	switch {
	case err != nil:
		return Failure, grpcFailure(err, conn.GetState(), address, timeout), nil
	case answer.GetStatus() != health.HealthCheckResponse_SERVING:
		return Failure, fmt.Sprintf("service unhealthy (responded with %q)", answer.GetStatus().String()), nil
	default:
		return Success, "", nil
	}
}

// grpcFailure words a failed call as a kubelet does.
func grpcFailure(err error, state connectivity.State, address string, timeout time.Duration) string {
	switch code := status.Code(err); {
	case code == codes.DeadlineExceeded && state != connectivity.Ready:
		return fmt.Sprintf("timeout: failed to connect service %q within %v: %v", address, timeout, context.DeadlineExceeded)
	case code == codes.DeadlineExceeded:
		return fmt.Sprintf("timeout: health rpc did not complete within %v", timeout)
	case code == codes.Unimplemented:
		return "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): " + status.Convert(err).Message()
	default:
		return fmt.Sprintf("error: health rpc probe failed: %v", err)
	}
}
