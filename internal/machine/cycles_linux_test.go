package machine

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// cycles is how often TestMachineCycles starts a machine.
const cycles = 20

// TestMachineCycles checks that nothing piles up.
func TestMachineCycles(t *testing.T) {
	w := newWorld(t)
	options := w.options(t, "node-a")
	options.Progress = nil
	// The kubelet is stopped somewhere on its way to this pod.
	w.create(t, appPod("running", "node-a"))
	var before map[string]int
	var starts, stops []time.Duration
	for i := range cycles {
		began := time.Now()
		m, err := Start(t.Context(), options)
		if err != nil {
			t.Fatalf("start %d: %v", i, err)
		}
		starts = append(starts, time.Since(began))
		began = time.Now()
		if err := m.Stop(); err != nil {
			t.Fatalf("stop %d: %v", i, err)
		}
		stops = append(stops, time.Since(began))
		if i == 0 {
			checkNothingLeft(t, options)
			before = counts(t, options)
		}
	}
	zero := int64(0)
	if err := w.api.CoreV1().Pods(metav1.NamespaceDefault).Delete(t.Context(), "running", metav1.DeleteOptions{GracePeriodSeconds: &zero}); err != nil {
		t.Fatal(err)
	}
	m, err := Start(t.Context(), options) // which removes what the last has left
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	checkNothingLeft(t, options)
	eventually(t, 10*time.Second, func() error {
		for what, now := range counts(t, options) {
			// Idle connections come and go.
			if now > before[what]+2 {
				return fmt.Errorf("%s: %d after the first cycle, %d after the last", what, before[what], now)
			}
		}
		return nil
	})
	slices.Sort(starts)
	slices.Sort(stops)
	t.Logf("start: median %v, longest %v; stop: median %v, longest %v; %v",
		starts[cycles/2].Round(time.Millisecond), starts[cycles-1].Round(time.Millisecond),
		stops[cycles/2].Round(time.Millisecond), stops[cycles-1].Round(time.Millisecond), counts(t, options))
}

// counts counts what could pile up in this process and on the host.
func counts(t *testing.T, options Options) map[string]int {
	t.Helper()
	threads := countEntries(t, "/proc/self/task")
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{
		"descriptors": countEntries(t, "/proc/self/fd"),
		"threads":     threads,
		"goroutines":  goroutines(),
		"links":       len(links),
		"mounts":      strings.Count(string(mounts), "\n"),
		"state":       countEntries(t, options.Dir),
	}
	for _, folder := range []string{"io.containerd.snapshotter.v1.overlayfs/snapshots", "io.containerd.content.v1.content/ingest", "tmpmounts"} {
		all[folder] = countEntries(t, filepath.Join(options.Dir, "containerd", folder))
	}
	return all
}

func countEntries(t *testing.T, folder string) int {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return len(entries)
}

// hostSettings is what a machine could change on the host by mistake.
func hostSettings(t *testing.T) map[string]string {
	t.Helper()
	settings := map[string]string{}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(kernelSettings)), []string{"net/ipv4/ip_forward", "net/ipv4/ip_local_port_range", "kernel/hostname"}) {
		content, err := os.ReadFile(filepath.Join("/proc/sys", name))
		if err != nil {
			t.Fatal(err)
		}
		settings[name] = string(content)
	}
	for _, path := range []string{"/etc/hosts", "/etc/resolv.conf"} {
		content, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		settings[path] = string(content)
	}
	for _, folder := range []string{"/var/lib/kubelet", "/var/lib/containerd", "/var/lib/cni", "/run/containerd", "/opt/containerd", "/opt/cni", "/etc/cni", "/usr/libexec/kubernetes", "/var/log/pods", "/var/log/containers", "/run/netns", "/run/nri"} {
		if info, err := os.Stat(folder); err == nil {
			settings[folder] = info.ModTime().String()
		}
	}
	return settings
}
