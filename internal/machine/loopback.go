package machine

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
)

// loopbackForward returns how a URL of the host's loopback address is reached
// from inside the machine, at the same address. ok is false for other URLs.
func loopbackForward(address string) (forward Forward, ok bool, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return Forward{}, false, fmt.Errorf("address %q: want a URL like https://127.0.0.1:6443", address)
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	name := host
	if host == "localhost" {
		host = "127.0.0.1" // as the machine's own hosts file says
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() {
		return Forward{}, false, nil //nolint:nilerr // a name of another host
	}
	inside, err := netip.ParseAddrPort(net.JoinHostPort(host, port))
	if err != nil {
		return Forward{}, false, fmt.Errorf("address %q: %w", address, err)
	}
	return Forward{Inside: inside, Host: net.JoinHostPort(name, port)}, true, nil
}

// forwards lists what a machine needs from the start: its programs' API servers,
// the mirrors on loopback, and what the options ask for.
func (o Options) forwards() ([]Forward, error) {
	var all []Forward
	for _, kubeconfig := range o.kubeconfigs() {
		forwards, err := serverForwards(kubeconfig)
		if err != nil {
			return nil, err
		}
		all = append(all, forwards...)
	}
	for _, bases := range o.Mirrors {
		for _, base := range bases {
			forward, ok, err := loopbackForward(base)
			if err != nil {
				return nil, fmt.Errorf("reading Mirrors: %w", err)
			}
			if ok {
				all = append(all, forward)
			}
		}
	}
	return append(all, o.Forward...), nil
}

// serverForwards returns how the API server of a kubeconfig is reached.
func serverForwards(kubeconfig string) ([]Forward, error) {
	config, err := readKubeconfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	var all []Forward
	for _, cluster := range config.Clusters {
		forward, ok, err := loopbackForward(cluster.Server)
		if err != nil || !ok {
			return nil, fmt.Errorf("server %q of kubeconfig %s: want one on this host's loopback address: %w", cluster.Server, kubeconfig, err)
		}
		all = append(all, forward)
	}
	return all, nil
}
