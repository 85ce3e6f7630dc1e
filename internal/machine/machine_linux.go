package machine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

const (
	// startTimeout bounds Start, whatever its context allows. It takes some
	// three seconds on an idle host with two cores.
	startTimeout = 2 * time.Minute
	// stopTimeout bounds Stop, which takes well under a second.
	stopTimeout = 30 * time.Second
)

// Machine is a running machine. Its methods may be called from several
// goroutines.
type Machine struct {
	options Options
	process *process
	forward *forwarder
	// mutex guards forwarded: the addresses inside that are listened on, with
	// where their connections go. Listening does not wait for anything.
	mutex     sync.Mutex
	forwarded map[netip.AddrPort]string
	watch     sync.WaitGroup
	stopping  chan struct{}
	failed    chan error
	// undo ends what was begun, the last first.
	undo []func(context.Context) error
	stop func() error
}

// Start starts a machine and returns when its node is Ready. What an earlier
// one that was killed has left is removed first. ctx bounds the start only:
// after it, the machine runs until Stop, or until this process ends in whatever
// way. The error of a program that ended carries the last lines of its log;
// whatever was started is stopped again.
func Start(ctx context.Context, options Options) (*Machine, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	complete, err := options.complete()
	if err != nil {
		return nil, fmt.Errorf("starting a machine: %w", err)
	}
	if err := Check(complete.BinDir); err != nil {
		return nil, fmt.Errorf("starting a machine: %w", err)
	}
	m := &Machine{
		options:   complete,
		forwarded: map[netip.AddrPort]string{},
		stopping:  make(chan struct{}),
		failed:    make(chan error, 1),
	}
	m.stop = sync.OnceValue(m.stopAll)
	if err := m.start(ctx); err != nil {
		return nil, fmt.Errorf("starting a machine: %w", errors.Join(err, m.Stop()))
	}
	return m, nil
}

// start brings everything up. What it has begun when it fails is in undo.
func (m *Machine) start(ctx context.Context) error {
	began := time.Now()
	content, err := m.prepare(ctx)
	if err != nil {
		return err
	}
	if err := m.launch(); err != nil {
		return err
	}
	if err := m.options.Network.connect(m.process.network, m.options.nodeAddresses()); err != nil {
		return err
	}
	if err := m.forwardAll(ctx); err != nil {
		return err
	}
	if _, err := m.process.control.Write(content); err != nil {
		return fmt.Errorf("telling the machine what to do: %w", err)
	}
	if err := m.process.awaitReady(ctx, m.options.Progress); err != nil {
		return err
	}
	m.options.Progress("waiting for node " + m.options.Node)
	if err := m.awaitNode(ctx, began); err != nil {
		return err
	}
	m.watch.Go(func() {
		err := m.process.wait()
		select {
		case <-m.stopping:
		default:
			m.failed <- err
		}
	})
	return nil
}

// prepare makes sure that nobody else has what the machine is to have, makes
// its folders and cgroups, and returns its plan.
func (m *Machine) prepare(ctx context.Context) ([]byte, error) {
	o := m.options
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	m.options.Progress("removing what an earlier machine has left")
	if err := errors.Join(m.sweep(ctx), sweepAbandoned(ctx)); err != nil {
		return nil, err
	}
	for _, folder := range []string{o.Dir, o.LogDir} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("making the machine's folders: %w", err)
		}
	}
	p, err := newPlan(o)
	if err != nil {
		return nil, err
	}
	content, err := p.encode()
	if err != nil {
		return nil, err
	}
	m.undo = append(m.undo, m.sweep)
	all, err := hierarchies()
	if err != nil {
		return nil, err
	}
	for _, h := range all {
		if err := h.create(o.Network.id()); err != nil {
			return nil, err
		}
	}
	return content, nil
}

// launch starts the machine's first process and what serves it on the host.
func (m *Machine) launch() error {
	started, err := startProcess(m.options.LogDir, programNames(m.options))
	if err != nil {
		return err
	}
	m.process = started
	m.forward = newForwarder(func(err error) { started.logger.Warn("serving the machine", "error", err) })
	m.undo = append(m.undo, started.stop, func(context.Context) error {
		m.forward.close() // first, for its sockets hold the machine's network
		return nil
	})
	return nil
}

// sweep removes what a machine of this directory and network has had: its link,
// its cgroups, and its folders but for those that are kept.
func (m *Machine) sweep(ctx context.Context) error {
	errs := []error{m.options.Network.disconnect(ctx)}
	all, err := hierarchies()
	errs = append(errs, err)
	for _, h := range all {
		errs = append(errs, h.remove(ctx, m.options.Network.id()))
	}
	for _, folder := range stateFolders {
		if !folder.kept {
			errs = append(errs, os.RemoveAll(filepath.Join(m.options.Dir, folder.name)))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("removing what a machine has left: %w", err)
	}
	return nil
}

// forwardAll makes the machine reach its API server, its mirrors, the proxy and
// what the options name.
func (m *Machine) forwardAll(ctx context.Context) error {
	listener, err := listenInside(ctx, m.process.network, proxyAddress)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: newProxy(http.ProxyFromEnvironment), ReadHeaderTimeout: dialTimeout}
	m.forward.serveHTTP(server, listener)
	all, err := m.options.forwards()
	if err != nil {
		return err
	}
	for _, forward := range all {
		if err := m.Forward(ctx, forward); err != nil {
			return err
		}
	}
	return nil
}

// Forward makes connections to a port inside the machine end on the host, until
// Stop. Forwarding the same again changes nothing.
func (m *Machine) Forward(ctx context.Context, forward Forward) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	switch host, there := m.forwarded[forward.Inside]; {
	case there && host == forward.Host:
		return nil
	case there:
		return fmt.Errorf("forwarding %v to %s: it is forwarded to %s already", forward.Inside, forward.Host, host)
	}
	listener, err := listenInside(ctx, m.process.network, forward.Inside)
	if err != nil {
		return err
	}
	m.forward.serve(listener, forward.Host)
	m.forwarded[forward.Inside] = forward.Host
	return nil
}

// ForwardLoopback makes port of 127.0.0.1 inside the machine, which pods cannot
// reach, the same as on the host. An image 127.0.0.1:5000/name then is pulled
// from the host's registry.
func (m *Machine) ForwardLoopback(ctx context.Context, port uint16) error {
	address := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
	return m.Forward(ctx, Forward{Inside: address, Host: address.String()})
}

// PID is the process id, on the host, of the machine's first process.
func (m *Machine) PID() int { return m.process.command.Process.Pid }

// Failed returns a channel with an error if the machine ends although Stop was
// not called. It is closed by Stop. Stop is to be called then, too.
func (m *Machine) Failed() <-chan error { return m.failed }

// Stop ends the machine with all its pods, and removes everything but the
// images, the logs and the folders. It returns when they are gone. Further calls
// wait for the first and return the same.
func (m *Machine) Stop() error { return m.stop() }

func (m *Machine) stopAll() error {
	m.options.Progress("stopping the machine")
	close(m.stopping)
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var errs []error
	for _, undo := range slices.Backward(m.undo) {
		errs = append(errs, undo(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stopping the machine: %w", err)
	}
	// Only then has the one that watches the process ended.
	m.watch.Wait()
	close(m.failed)
	return nil
}
