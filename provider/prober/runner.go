package prober

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// kubernetesVersion is the version of the kubelet whose requests these are; it
// stands in their User-Agent.
const kubernetesVersion = "1.35"

// Outcome is how a check ended.
type Outcome string

// The outcomes, in the kubelet's spelling.
const (
	Success Outcome = "success"
	// Warning is a success with something to be said about it.
	Warning Outcome = "warning"
	Failure Outcome = "failure"
	// Unknown: the check could not be made, and says nothing.
	Unknown Outcome = "unknown"
)

// Target is a container as handlers reach it.
type Target struct {
	// Group is the id of the container group in the cloud.
	Group string
	// Container is the name of the container.
	Container string
	// Address is the group's IP address, the host of handlers that name none.
	Address string
}

// Checker checks a container once. The text is what a kubelet would tell of a
// failure or a warning. An error means that the check could not be made.
type Checker interface {
	Check(ctx context.Context, t Target, p *corev1.Probe) (Outcome, string, error)
}

// Runner carries out handlers. Make it with NewRunner.
type Runner struct {
	exec Exec
	dial Dialer
}

var _ Checker = (*Runner)(nil)

// Dialer opens connections to groups, as net.Dialer.DialContext does.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// NewRunner makes a runner that has commands run by exec and connects by dial.
func NewRunner(exec Exec, dial Dialer) *Runner {
	return &Runner{exec: exec, dial: briefly(dial)}
}

// briefly lets closed sockets linger for a second only, as a kubelet does: many
// probes would use up the node's ports.
func briefly(dial Dialer) Dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			if err := tcp.SetLinger(1); err != nil {
				_ = conn.Close()
				return nil, fmt.Errorf("preparing connection to %s: %w", address, err)
			}
		}
		return conn, nil
	}
}

// Check implements Checker. Every number of the probe must be given and its
// port be numeric. It takes no longer than the probe's timeout, and commands
// execOverhead longer.
func (r *Runner) Check(ctx context.Context, t Target, p *corev1.Probe) (Outcome, string, error) {
	timeout := time.Duration(p.TimeoutSeconds) * time.Second
	switch {
	case p.HTTPGet != nil:
		return r.checkHTTP(ctx, t, p.HTTPGet, timeout)
	case p.TCPSocket != nil:
		return r.checkTCP(ctx, address(p.TCPSocket.Host, p.TCPSocket.Port, t), timeout)
	case p.GRPC != nil:
		return r.checkGRPC(ctx, address("", intstr.FromInt32(p.GRPC.Port), t), p.GRPC, timeout)
	case p.Exec != nil:
		return r.checkExec(ctx, t, p.Exec.Command, timeout)
	default:
		return Unknown, "", fmt.Errorf("missing probe handler for container %q", t.Container)
	}
}

// checkTCP is content with a connection.
func (r *Runner) checkTCP(ctx context.Context, address string, timeout time.Duration) (Outcome, string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := r.dial(ctx, "tcp", address)
	if err != nil {
		return Failure, err.Error(), nil // that nobody answers is what the check found
	}
	_ = conn.Close() // the answer is known
	return Success, "", nil
}

// address is a host and port to connect to; an empty host is the group's.
func address(host string, port intstr.IntOrString, t Target) string {
	if host == "" {
		host = t.Address
	}
	return net.JoinHostPort(host, strconv.Itoa(port.IntValue()))
}
