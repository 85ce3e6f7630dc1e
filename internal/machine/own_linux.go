package machine

import (
	"context"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"github.com/cumulet/cumulet/internal/lockfile"
)

// lock keeps others from the machine's directory and from its network, until
// Stop or the end of this process.
func (m *Machine) lock(ctx context.Context) error {
	release, err := lockfile.Acquire(m.options.Dir)
	if err != nil {
		return fmt.Errorf("keeping another machine out: %w", err)
	}
	m.undo = append(m.undo, func(context.Context) error {
		release()
		return nil
	})
	// A socket without a file: its name is known where the link's is, in the
	// host's network namespace, and is free again when its owner is gone.
	var config net.ListenConfig
	name, err := config.Listen(ctx, "unix", "@"+m.options.Network.id())
	if errors.Is(err, unix.EADDRINUSE) {
		return fmt.Errorf("network %v belongs to a machine that runs", m.options.Network.Prefix)
	}
	if err != nil {
		return fmt.Errorf("taking network %v: %w", m.options.Network.Prefix, err)
	}
	m.undo = append(m.undo, func(context.Context) error { return name.Close() })
	return nil
}
