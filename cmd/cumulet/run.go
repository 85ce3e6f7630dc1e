package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cumulet/cumulet/internal/agent"
	"github.com/cumulet/cumulet/internal/config"
	"github.com/cumulet/cumulet/internal/lockfile"
	"github.com/cumulet/cumulet/internal/parent"
)

func newRunCommand() *cobra.Command {
	var file, format string
	var verbosity int
	command := &cobra.Command{
		Use:   "run --config FILE",
		Short: "Run the virtual nodes of a configuration file until SIGINT or SIGTERM",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLogger(format, verbosity)
			if err != nil {
				return err
			}
			return run(cmd.Context(), file, log)
		},
	}
	command.Flags().StringVar(&file, "config", "", "configuration file (YAML); its fields are in docs/reference/configuration.md")
	command.Flags().StringVar(&format, "log-format", "text", "form of the log on stderr: text or json")
	command.Flags().IntVarP(&verbosity, "verbosity", "v", 0,
		"how much to log: 0 what an operator needs, 1 what a developer may want, 2 everything")
	_ = command.MarkFlagRequired("config") // it fails only for flags that do not exist
	return command
}

// newLogger makes the process's logger and hands it to the libraries that log
// by themselves.
func newLogger(format string, verbosity int) (logr.Logger, error) {
	options := &slog.HandlerOptions{Level: slog.Level(-verbosity)}
	var handler slog.Handler
	switch format {
	case "text":
		handler = slog.NewTextHandler(os.Stderr, options)
	case "json":
		handler = slog.NewJSONHandler(os.Stderr, options)
	default:
		return logr.Logger{}, fmt.Errorf("--log-format is %q, must be text or json", format)
	}
	log := logr.FromSlogHandler(handler)
	klog.SetLogger(log)
	ctrl.SetLogger(log)
	return log, nil
}

func run(ctx context.Context, file string, log logr.Logger) error {
	ctx, stop := parent.Context(ctx)
	defer stop()
	c, err := config.Load(file)
	if err != nil {
		return err
	}
	if err := checkOptions(c); err != nil {
		return err
	}
	unlock, err := lockfile.Acquire(c.StateDir)
	if err != nil {
		return err
	}
	defer unlock()
	return agent.Run(ctx, c, agent.Options{NewCloud: newCloud, Version: version, Log: log})
}
