package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/cumulet/cumulet/internal/controlplane"
	"github.com/cumulet/cumulet/internal/machine"
)

// Bare is a cluster whose only node is the clouds' machine itself, without any
// cloud or cumulet between: what fails on it is not cumulet's fault.
type Bare struct {
	stack   *Stack
	machine *machine.Machine
}

// StartBare starts a control plane and the machine as its node. Of the options
// Dir, BinDir, Images and Progress matter. It fails where no machine can run.
func StartBare(ctx context.Context, o Options) (bare *Bare, err error) {
	if err := machine.Check(o.BinDir); err != nil {
		return nil, fmt.Errorf("running containers: %w", err)
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, fmt.Errorf("finding directory: %w", err)
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	b := &Bare{stack: &Stack{options: o}}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Stop())
		}
	}()
	if err := b.stack.prepareMachine(ctx, machineNode); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{
		b.stack.startCluster, b.stack.startRegistry, b.stack.startServices, b.startMachine, b.stack.awaitServices,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *Bare) startMachine(ctx context.Context) error {
	options, err := b.stack.machineOptions(b.stack.Cluster, machineNode)
	if err != nil {
		return err
	}
	options.Progress = b.stack.options.Progress
	if b.machine, err = machine.Start(ctx, options); err != nil {
		return fmt.Errorf("starting machine: %w", err)
	}
	return nil
}

// Cluster is the control plane.
func (b *Bare) Cluster() *controlplane.Cluster { return b.stack.Cluster }

// Kubeconfig is the path of the administrator's kubeconfig.
func (b *Bare) Kubeconfig() string { return b.stack.Kubeconfig() }

// Failed tells when a part has ended by itself.
func (b *Bare) Failed() <-chan error {
	failed := make(chan error, 1)
	go func() {
		select {
		case err := <-b.stack.Cluster.Failed():
			failed <- err
		case err := <-b.machine.Failed():
			failed <- err
		}
	}()
	return failed
}

// Stop ends everything, the machine first.
func (b *Bare) Stop() error {
	var errs []error
	if b.machine != nil {
		errs = append(errs, b.machine.Stop())
	}
	return errors.Join(append(errs, b.stack.Stop())...)
}
