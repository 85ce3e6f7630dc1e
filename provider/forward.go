package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// dialTimeout bounds the connection to a group's address.
const dialTimeout = 10 * time.Second

// PortForward connects a stream to a port of the pod's group. Neither cloud
// has an action for it: cumulet dials the group's address itself, so it must
// run where that address is reachable, which is the group's network.
func (p *Provider) PortForward(ctx context.Context, namespace, pod string, port int32, stream io.ReadWriteCloser) error {
	r, ok := p.store.byPodName(namespace, pod)
	if !ok {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, pod)
	}
	if r.group == nil || len(r.group.IPs) == 0 || r.vanished {
		return apierrors.NewBadRequest(fmt.Sprintf("pod %q has no address: it is not running", pod))
	}
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := p.Dial(dialing, "tcp", net.JoinHostPort(r.group.IPs[0], strconv.Itoa(int(port))))
	if err != nil {
		return fmt.Errorf("connecting to the container group's address (cumulet must run in its network): %w", err)
	}
	return pipe(ctx, conn, stream)
}

// pipe copies both ways until both directions have ended or ctx has.
func pipe(ctx context.Context, conn net.Conn, stream io.ReadWriteCloser) error {
	stop := context.AfterFunc(ctx, func() {
		_ = conn.Close()
		_ = stream.Close()
	})
	defer stop()
	defer func() { _ = conn.Close() }()
	var toCloud, toClient error
	var group sync.WaitGroup
	group.Go(func() {
		_, toCloud = io.Copy(conn, stream)
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	})
	group.Go(func() {
		_, toClient = io.Copy(stream, conn)
		_ = stream.Close()
	})
	group.Wait()
	return errors.Join(toClient, toCloud)
}
