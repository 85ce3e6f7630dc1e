package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// listenInside listens on a TCP address in a network namespace. The socket stays
// in there; whoever accepts from it is outside. It keeps the namespace alive
// until it is closed.
func listenInside(ctx context.Context, namespace *os.File, address netip.AddrPort) (net.Listener, error) {
	// Not /proc/self: this thread may be another than the first.
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("listening inside the machine: %w", err)
	}
	defer func() { _ = own.Close() }() // it was only looked at
	runtime.LockOSThread()
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("entering the machine's network: %w", err)
	}
	var config net.ListenConfig
	listener, listenErr := config.Listen(ctx, "tcp", address.String())
	if err := unix.Setns(int(own.Fd()), unix.CLONE_NEWNET); err != nil {
		// The thread stays locked, and ends with this goroutine: nobody else
		// is to run in there.
		return nil, errors.Join(listenErr, fmt.Errorf("leaving the machine's network: %w", err))
	}
	runtime.UnlockOSThread()
	if listenErr != nil {
		return nil, fmt.Errorf("listening on %v inside the machine: %w", address, listenErr)
	}
	return listener, nil
}

// forwarder carries connections from listeners to addresses of the host. It
// owns every goroutine and connection of these; close ends them all.
type forwarder struct {
	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	// told is called with errors that no caller is left to be told of.
	told func(error)
}

func newForwarder(told func(error)) *forwarder {
	ctx, cancel := context.WithCancel(context.Background())
	return &forwarder{ctx: ctx, cancel: cancel, told: told}
}

// serve carries each connection of a listener to host, until close.
func (f *forwarder) serve(listener net.Listener, host string) {
	context.AfterFunc(f.ctx, func() { _ = listener.Close() })
	f.tasks.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				if f.ctx.Err() == nil {
					f.told(fmt.Errorf("forwarding to %s: %w", host, err))
				}
				return
			}
			f.tasks.Go(func() { f.carry(connection, host) })
		}
	})
}

// serveHTTP serves HTTP on a listener, until close.
func (f *forwarder) serveHTTP(server *http.Server, listener net.Listener) {
	context.AfterFunc(f.ctx, func() { _ = server.Close() }) // nothing is to be saved
	f.tasks.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			f.told(err)
		}
	})
}

// carry copies both ways between a connection and a new one to host, until
// both have ended.
func (f *forwarder) carry(inside net.Conn, host string) {
	defer inside.Close()
	dialer := net.Dialer{Timeout: dialTimeout}
	outside, err := dialer.DialContext(f.ctx, "tcp", host)
	if err != nil {
		return // the other side sees its connection close, as with any proxy
	}
	defer outside.Close()
	stop := context.AfterFunc(f.ctx, func() {
		_, _ = inside.Close(), outside.Close() // their ends are what is wanted
	})
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { copyUntilEnd(outside, inside) })
	both.Go(func() { copyUntilEnd(inside, outside) })
	both.Wait()
}

// copyUntilEnd copies what from sends, and then tells to that no more comes.
// The connections' errors are their ends: there is nobody else to tell.
func copyUntilEnd(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite()
		return
	}
	_, _ = to.Close(), from.Close()
}

// close ends every listener and connection.
func (f *forwarder) close() {
	f.cancel()
	f.tasks.Wait()
}
