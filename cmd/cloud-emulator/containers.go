package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/cumulet/cumulet/internal/emulator"
	"github.com/cumulet/cumulet/internal/emulator/kubernetes"
	"github.com/cumulet/cumulet/internal/machine"
)

// containers is what runs real containers; the zero value runs none.
type containers struct {
	machine  *machine.Machine // nil in somebody else's cluster
	runtimes []*kubernetes.Runtime
}

// startContainers gives both clouds runtimes in the backing cluster, on a
// machine of our own if there are settings for one. On an error nothing is left
// running.
func startContainers(ctx context.Context, f *flags) (*containers, error) {
	c := &containers{}
	if f.backing == "" {
		return c, nil
	}
	if err := c.start(ctx, f); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// start starts them; what runs when it fails is for stop.
func (c *containers) start(ctx context.Context, f *flags) (err error) {
	var settings machine.Options
	if f.machine != "" {
		if c.machine, settings, err = startMachine(ctx, f.machine); err != nil {
			return err
		}
	}
	for name, cloud := range map[string]*emulator.Cloud{"eci": &f.options.ECI, "kci": &f.options.KCI} {
		runtime, err := c.newRuntime(f, name, settings)
		if err != nil {
			return err
		}
		c.runtimes = append(c.runtimes, runtime)
		if err := runtime.Connect(ctx); err != nil {
			return fmt.Errorf("connecting the runtime of %s: %w", name, err)
		}
		cloud.Runtime = runtime
		if c.machine != nil {
			cloud.Runtime = reaching{Runtime: runtime, machine: c.machine, log: f.log()}
		}
	}
	return nil
}

func startMachine(ctx context.Context, file string) (*machine.Machine, machine.Options, error) {
	var options machine.Options
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, options, fmt.Errorf("reading --machine: %w", err)
	}
	if err := json.Unmarshal(content, &options); err != nil {
		return nil, options, fmt.Errorf("reading --machine %s: %w", file, err)
	}
	m, err := machine.Start(ctx, options)
	if err != nil {
		return nil, options, fmt.Errorf("starting the machine: %w", err)
	}
	return m, options, nil
}

// log writes to standard error.
func (*flags) log() logr.Logger { return logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, nil)) }

// newRuntime makes the runtime of a cloud, on our own machine if it has settings.
func (c *containers) newRuntime(f *flags, cloud string, settings machine.Options) (*kubernetes.Runtime, error) {
	config, err := clientcmd.BuildConfigFromFlags("", f.backing)
	if err != nil {
		return nil, fmt.Errorf("reading --backing-kubeconfig: %w", err)
	}
	options := kubernetes.Options{
		Config: config, Namespace: f.namespace + "-" + cloud, Cloud: cloud, NodeName: settings.Node, Log: f.log(),
	}
	if c.machine != nil {
		here, inside := machine.SharedFolder(settings, "files-"+cloud)
		options.Files, options.Kill = &kubernetes.Folder{Path: here, Node: inside}, c.machine.Kill
	}
	runtime, err := kubernetes.New(options)
	if err != nil {
		return nil, fmt.Errorf("preparing the runtime of %s: %w", cloud, err)
	}
	return runtime, nil
}

// failed tells when the machine has ended by itself.
func (c *containers) failed() <-chan error {
	if c.machine == nil {
		return nil
	}
	return c.machine.Failed()
}

// stop ends the machine last: containers end on it. The clouds' containers end
// at the same time, for each takes its while.
func (c *containers) stop() error {
	errs := make([]error, len(c.runtimes), len(c.runtimes)+1)
	var ending sync.WaitGroup
	for i, r := range c.runtimes {
		ending.Go(func() { errs[i] = r.Close() })
	}
	ending.Wait()
	if c.machine != nil {
		errs = append(errs, c.machine.Stop())
	}
	return errors.Join(errs...)
}
