package controlplane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
)

// ports are the TCP ports of a cluster, all on loopback.
type ports struct {
	Etcd              int `json:"etcd"`
	APIServer         int `json:"apiserver"`
	ControllerManager int `json:"controllerManager"`
	Scheduler         int `json:"scheduler"`
}

func (p *ports) all() []*int {
	return []*int{&p.Etcd, &p.APIServer, &p.ControllerManager, &p.Scheduler}
}

// choosePorts returns the ports which the cluster of this directory had when it
// last ran, so that kubeconfigs handed out then are good again; if it is the
// first time, or one of them is taken now, it returns free ones and keeps them
// in the directory.
func choosePorts(ctx context.Context, dir directory) (ports, error) {
	chosen, err := readPorts(dir)
	if err != nil {
		return ports{}, err
	}
	if chosen == (ports{}) || chosen.reserve(ctx) != nil {
		return newPorts(ctx, dir)
	}
	return chosen, nil
}

// newPorts finds ports which nobody listens on, and keeps them in the
// directory.
func newPorts(ctx context.Context, dir directory) (ports, error) {
	var chosen ports
	if err := chosen.reserve(ctx); err != nil {
		return ports{}, err
	}
	content, err := json.Marshal(chosen)
	if err != nil {
		return ports{}, fmt.Errorf("encoding ports: %w", err)
	}
	return chosen, writeFile(dir.path("ports.json"), content, 0o600)
}

func readPorts(dir directory) (ports, error) {
	content, err := os.ReadFile(dir.path("ports.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return ports{}, nil
	}
	if err != nil {
		return ports{}, fmt.Errorf("reading ports: %w", err)
	}
	var kept ports
	if err := json.Unmarshal(content, &kept); err != nil {
		return ports{}, fmt.Errorf("reading %s: %w", dir.path("ports.json"), err)
	}
	return kept, nil
}

// reserve listens on every port, on a free one where it is 0, and gives them
// all up at the end: nothing keeps others from taking one before the component
// does, but while it looks they are at least different from each other.
func (p *ports) reserve(ctx context.Context) error {
	var listen net.ListenConfig
	for _, port := range p.all() {
		listener, err := listen.Listen(ctx, "tcp", loopback(*port))
		if err != nil {
			return fmt.Errorf("finding a port: %w", err)
		}
		defer listener.Close()
		address, err := netip.ParseAddrPort(listener.Addr().String())
		if err != nil {
			return fmt.Errorf("finding a port: %w", err)
		}
		*port = int(address.Port())
	}
	return nil
}

// loopback is an address of this machine which others cannot reach.
func loopback(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
