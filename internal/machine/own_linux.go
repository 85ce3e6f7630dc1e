package machine

import (
	"context"
	"errors"
	"fmt"

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
	name, err := takeName(ctx, m.options.Network.id())
	if errors.Is(err, unix.EADDRINUSE) {
		return fmt.Errorf("network %v belongs to a machine that runs", m.options.Network.Prefix)
	}
	if err != nil {
		return fmt.Errorf("taking network %v: %w", m.options.Network.Prefix, err)
	}
	m.undo = append(m.undo, func(context.Context) error { return name.Close() })
	return nil
}
