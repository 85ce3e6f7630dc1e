//go:build !linux

package machine

import (
	"context"
	"runtime"
)

// Machine cannot run on this system.
type Machine struct{}

// Main does nothing: there is no machine to become.
func Main() {}

// Check says why a machine cannot run here and what to do about it.
func Check(string) error { return checkSystem(runtime.GOOS) }

// CheckServices returns what Check does.
func CheckServices(string) error { return checkSystem(runtime.GOOS) }

// ReserveNetwork returns what Check does.
func ReserveNetwork(context.Context) (Network, func() error, error) {
	return Network{}, nil, checkSystem(runtime.GOOS)
}

// Start returns what Check does.
func Start(context.Context, Options) (*Machine, error) { return nil, checkSystem(runtime.GOOS) }

// Forward returns what Check does.
func (m *Machine) Forward(context.Context, Forward) error { return checkSystem(runtime.GOOS) }

// ForwardLoopback returns what Check does.
func (m *Machine) ForwardLoopback(context.Context, uint16) error { return checkSystem(runtime.GOOS) }

// Kill returns what Check does.
func (m *Machine) Kill(context.Context, string) error { return checkSystem(runtime.GOOS) }

// PID is 0: there is no process.
func (m *Machine) PID() int { return 0 }

// Failed returns nil: no machine has started.
func (m *Machine) Failed() <-chan error { return nil }

// Stop does nothing.
func (m *Machine) Stop() error { return nil }
