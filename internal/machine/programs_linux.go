package machine

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// callTimeout bounds one call to a program inside the machine.
const callTimeout = 10 * time.Second

// startContainerd starts containerd and returns when it can run pods, of which
// an earlier run has left none.
func (f *first) startContainerd(ctx context.Context) error {
	if err := f.step("starting containerd"); err != nil {
		return err
	}
	settings := f.plan.Containerd
	settings.Snapshotter = "overlayfs"
	if err := overlayWorks(containerdRoot); err != nil {
		f.log.Warn("images are copied for each container", "because", err)
		settings.Snapshotter = "native"
	}
	var err error
	if settings.RestrictOOMScoreAdj, err = mayNotRaiseResources(); err != nil {
		return err
	}
	if err := os.WriteFile(containerdConfig, settings.render(), 0o600); err != nil {
		return fmt.Errorf("writing containerd's configuration: %w", err)
	}
	env := []string{
		"PATH=" + programPath, "HOME=/root",
		"HTTP_PROXY=" + f.plan.Proxy, "HTTPS_PROXY=" + f.plan.Proxy, "NO_PROXY=127.0.0.0/8,localhost",
	}
	argv := []string{programsFolder + "/containerd", "--config", containerdConfig}
	if err := f.reaper.start(containerdProgram, argv, env, containerdLogFD); err != nil {
		return err
	}
	runtime, err := newRuntimeClient(containerdSocket)
	if err != nil {
		return err
	}
	defer runtime.close()
	if err := f.await(ctx, "containerd", runtime.ready); err != nil {
		return err
	}
	return runtime.sweep(ctx)
}

// startKubelet starts the kubelet and returns when it is healthy.
func (f *first) startKubelet(ctx context.Context) error {
	if err := f.step("starting kubelet"); err != nil {
		return err
	}
	env := []string{"PATH=" + programPath, "HOME=/root"}
	argv := append([]string{binFolder + "/kubelet"}, f.plan.Kubelet...)
	if err := f.reaper.start(kubeletProgram, argv, env, kubeletLogFD); err != nil {
		return err
	}
	url := "http://" + net.JoinHostPort(ownLoopback, strconv.Itoa(healthPort)) + "/healthz"
	client := &http.Client{Timeout: callTimeout, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	return f.await(ctx, "kubelet", func(ctx context.Context) error { return healthy(ctx, client, url) })
}

// startBeside starts the other programs. It does not wait for them: what they
// need of their cluster may only be there once this machine is.
func (f *first) startBeside() error {
	for i, p := range f.plan.Beside {
		if err := f.step("starting " + p.Name); err != nil {
			return err
		}
		if err := f.reaper.start(p.Name, p.Argv, p.Env, uintptr(firstBesideLogFD+i)); err != nil {
			return err
		}
	}
	return nil
}

// healthy looks at a health endpoint.
func healthy(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %s", url, response.Status, strings.TrimSpace(string(body)))
	}
	return nil
}

// mayNotRaiseResources tells whether CAP_SYS_RESOURCE is missing, without which
// no process can have a lower oom_score_adj than ours.
func mayNotRaiseResources() (bool, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false, fmt.Errorf("reading our capabilities: %w", err)
	}
	return data[0].Effective&(1<<unix.CAP_SYS_RESOURCE) == 0, nil
}
