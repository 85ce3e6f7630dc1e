package controlplane

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cumulet/cumulet/internal/controlplane/process"
)

// Stop ends all processes in the reverse order of their start and returns when
// they are gone: each is asked to end, and killed if it has not ended a few
// seconds later. The directory stays, for another Start. Further calls wait for
// the first and return the same.
func (c *Cluster) Stop() error { return c.stop() }

func (c *Cluster) stopAll() error {
	close(c.stopping)
	c.options.Progress("stopping the control plane")
	err := c.stopProcesses()
	if err == nil {
		// Only then have those that watch the processes all ended.
		c.watch.Wait()
		close(c.failed)
	}
	c.unlock()
	if err != nil {
		return fmt.Errorf("stopping the control plane: %w", err)
	}
	return nil
}

// stopProcesses ends what runs, the last started first: the controllers have
// nobody to report to without kube-apiserver, nor that without etcd.
func (c *Cluster) stopProcesses() error {
	var errs []error
	for i, p := range slices.Backward(c.processes) {
		errs = append(errs, p.Stop(c.components[i].grace))
	}
	return errors.Join(errs...)
}

// killProcesses ends what runs without giving it time: after a start that
// failed, kube-apiserver may wait for an etcd that is gone.
func (c *Cluster) killProcesses() error {
	var errs []error
	for _, p := range c.processes {
		errs = append(errs, p.Stop(0))
	}
	return errors.Join(errs...)
}

// Failed returns a channel with an error for each component that ends although
// Stop was not called. It is closed by Stop. A cluster with a component gone is
// of no use: stop it.
func (c *Cluster) Failed() <-chan error { return c.failed }

// Processes returns the processes of the cluster in the order of their start.
func (c *Cluster) Processes() []*process.Process {
	return append([]*process.Process(nil), c.processes...)
}
