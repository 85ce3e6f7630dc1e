package machine

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ReserveNetwork chooses a network that overlaps no route or address of the
// host, and keeps it from others who reserve one, until release or the end of
// this process: between choosing a network and the start of the machine that
// takes it, some time may pass.
func ReserveNetwork(ctx context.Context) (network Network, release func() error, err error) {
	used, err := usedPrefixes()
	if err != nil {
		return Network{}, nil, fmt.Errorf("choosing a network: %w", err)
	}
	for {
		network, err := chooseNetwork(used)
		if err != nil {
			return Network{}, nil, err
		}
		name, err := takeName(ctx, reservation(network.id()))
		if err == nil {
			return network, name.Close, nil
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			return Network{}, nil, fmt.Errorf("reserving network %v: %w", network.Prefix, err)
		}
		used = append(used, network.Prefix)
	}
}
