// Command cloud-emulator serves the emulated clouds on ports of this machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/cumulet/cumulet/internal/emulator"
	"github.com/cumulet/cumulet/internal/emulator/kci"
	"github.com/cumulet/cumulet/internal/machine"
	"github.com/cumulet/cumulet/internal/parent"
)

const description = `cloud-emulator serves Alibaba Cloud ECI (API version 2018-08-08) and Kingsoft
Cloud KCI (API version 2020-07-02) on ports of this machine, behind their real
wire protocols and signatures. Containers are simulated: nothing runs, but
groups live, end, restart and log as their commands and SIM_ variables say. With
--backing-kubeconfig they are real: each container group is a pod of another
cluster, whose users never see it.

An admin API without keys tells what exists and was called, and makes things go
wrong on purpose:

  curl $ADMIN/groups
  curl $ADMIN/calls
  curl -d '{"cloud":"eci","kind":"error","action":"CreateContainerGroup","status":400,"code":"Throttling"}' $ADMIN/faults
  curl -X DELETE $ADMIN/faults

It ends with SIGINT or SIGTERM.`

const example = `  # on free ports, with random keys, told by a file that only you can read
  cloud-emulator --config-out clouds.json

  # on fixed ports, about as fast as the real clouds
  cloud-emulator --config-out clouds.json --eci-address 127.0.0.1:8081 --kci-address 127.0.0.1:8082 \
    --schedule-latency 3s --pull-latency 4s --create-latency 500ms --start-latency 500ms --stop-latency 1s`

// flags are the command line.
type flags struct {
	options   emulator.Options
	dialect   string
	configOut string
	// backing, namespace and machine say where containers run.
	backing, namespace, machine string
}

func main() {
	machine.Main()
	if err := execute(); err != nil {
		os.Exit(1) // cobra has told the error
	}
}

// execute serves until a signal, or until the parent is gone.
func execute() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, unwatch := parent.Context(ctx)
	defer unwatch()
	return newCommand().ExecuteContext(ctx)
}

func newCommand() *cobra.Command {
	var f flags
	command := &cobra.Command{
		Use:          "cloud-emulator",
		Short:        "Serve the emulated clouds ECI and KCI on local ports",
		Long:         description,
		Example:      example,
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         func(c *cobra.Command, _ []string) error { return run(c, f) },
	}
	set, o := command.Flags(), &f.options
	set.StringVar(&f.configOut, "config-out", "",
		"write endpoints, regions and the random access keys as JSON to this `file`, mode 0600 (required)")
	set.StringVar(&o.ECI.Address, "eci-address", "127.0.0.1:0", "`address` of the ECI API; port 0 is a free one")
	set.StringVar(&o.KCI.Address, "kci-address", "127.0.0.1:0", "`address` of the KCI API; port 0 is a free one")
	set.StringVar(&o.AdminAddress, "admin-address", "127.0.0.1:0", "`address` of the admin API, which has no keys; port 0 is a free one")
	set.StringVar(&f.dialect, "kci-dialect", string(kci.Extended),
		"how much of KCI to speak: seed (the published document alone) or extended (what the official SDKs have, too)")
	set.BoolVar(&o.Quotas, "quotas", false, "throttle calls as ECI's published quotas say (KCI publishes none)")
	set.Uint64Var(&o.Seed, "seed", 1, "seed of the random choices of faults")
	set.StringVar(&f.backing, "backing-kubeconfig", "",
		"run containers for real, as pods of the cluster that this `file` names (kind, k3s, any); without it they are simulated")
	set.StringVar(&f.namespace, "backing-namespace", "cumulet",
		"`prefix` of the two namespaces that this emulator takes for itself in that cluster, PREFIX-eci and PREFIX-kci; it deletes what it finds there")
	set.StringVar(&f.machine, "machine", "",
		"be that cluster's node as well, by a kubelet and containerd in namespaces of their own; the `file` is one that cumulet-local writes")
	latency := func(d *time.Duration, name, what string) { set.DurationVar(d, name, 0, what) }
	latency(&o.Latency.Schedule, "schedule-latency", "time from the create call until a machine is found")
	latency(&o.Latency.Pull, "pull-latency", "time to pull an image")
	latency(&o.Latency.Create, "create-latency", "time to create a container")
	latency(&o.Latency.Start, "start-latency", "time to start a container")
	latency(&o.Latency.Stop, "stop-latency", "time to tear a group down after its containers have ended")
	if err := command.MarkFlagRequired("config-out"); err != nil {
		panic(err) // only if the flag above is misspelt
	}
	return command
}

// run serves until the command's context ends.
func run(command *cobra.Command, f flags) error {
	dialect, err := kci.ParseDialect(f.dialect)
	if err != nil {
		return fmt.Errorf("reading --kci-dialect: %w", err)
	}
	f.options.KCIDialect = dialect
	if f.machine != "" && f.backing == "" {
		return errors.New("--machine needs --backing-kubeconfig: the cluster that it is to be a node of")
	}
	containers, err := startContainers(command.Context(), &f)
	if err != nil {
		return err
	}
	return errors.Join(serve(command, f, containers.failed()), containers.stop())
}

// serve runs both clouds until the command's context ends, or the machine does.
func serve(command *cobra.Command, f flags, failed <-chan error) error {
	clouds := emulator.New(f.options)
	if err := clouds.Start(command.Context()); err != nil {
		return err
	}
	config := clouds.Config()
	if err := config.Write(f.configOut); err != nil {
		return errors.Join(err, clouds.Close())
	}
	// The keys are in the file alone: what is printed may end up in a log.
	command.Printf("eci    %s  region %s\nkci    %s  region %s\nadmin  %s\n",
		config.ECI.Endpoint, config.ECI.Region, config.KCI.Endpoint, config.KCI.Region, config.Admin.Endpoint)
	select {
	case <-command.Context().Done():
		return clouds.Close()
	case err := <-failed:
		return errors.Join(err, clouds.Close())
	}
}
