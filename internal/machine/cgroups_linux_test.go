package machine

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseHierarchies(t *testing.T) {
	cases := map[string]struct {
		reason string
		want   []hierarchy
	}{
		"Unified": {reason: "Most systems have one of version 2.", want: []hierarchy{{path: "/sys/fs/cgroup", unified: true}}},
		"Hybrid": {
			reason: "Some have version 1 with one of version 2 beside; what containers mount once more does not count.",
			want: []hierarchy{
				{path: "/sys/fs/cgroup/cpu,cpuacct"},
				{path: "/sys/fs/cgroup/memory"},
				{path: "/sys/fs/cgroup/systemd"},
				{path: "/sys/fs/cgroup/unified", unified: true},
			},
		},
		"None": {reason: "Some containers have none."},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			file, err := os.Open(filepath.Join("testdata", "mountinfo", strings.ToLower(name)))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			got, err := parseHierarchies(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(hierarchy{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestControllersOfVersion1(t *testing.T) {
	got, err := hierarchy{path: "/sys/fs/cgroup/cpu,cpuacct"}.controllers()
	if diff := cmp.Diff([]string{"cpu", "cpuacct"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func FuzzParseHierarchies(f *testing.F) {
	files, err := filepath.Glob("testdata/mountinfo/*")
	if err != nil || len(files) == 0 {
		f.Fatal("there is no file to begin with", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(content))
	}
	f.Add("0 0 0 0 //sys/fs/cgroup/ - cgroup")
	f.Fuzz(func(t *testing.T, mountinfo string) {
		found, err := parseHierarchies(strings.NewReader(mountinfo))
		if err != nil {
			return
		}
		for _, h := range found {
			if !strings.HasPrefix(h.path, cgroupRoot) {
				t.Errorf("%q is no hierarchy's place", h.path)
			}
		}
	})
}

// TestMachineCgroupInContainer checks what is done where the root of the cgroups
// is not the kernel's own: it has processes, and may have none beside children
// that have controllers.
func TestMachineCgroupInContainer(t *testing.T) {
	all, err := hierarchies()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(all, func(h hierarchy) bool { return h.unified })
	if at < 0 {
		t.Fatalf("of %v none is of version 2", all)
	}
	root := all[at]
	const container, machine = "cumulet-test", "machine"
	if err := root.create(container); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := root.remove(ctx, container); err != nil { // which kills what runs there
			t.Error(err)
		}
	})
	inside := hierarchy{path: filepath.Join(root.path, container), unified: true}
	process := exec.CommandContext(t.Context(), "sleep", "60")
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = process.Wait() }() // killed at the end
	pid := strconv.Itoa(process.Process.Pid)
	if err := os.WriteFile(filepath.Join(inside.path, "cgroup.procs"), []byte(pid), 0o600); err != nil {
		t.Fatal(err)
	}

	for range 2 { // again after a crash
		if err := inside.create(machine); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		"cgroup.procs":              "",
		evacuated + "/cgroup.procs": pid,
		machine + "/cgroup.procs":   "",
	} {
		got, err := os.ReadFile(filepath.Join(inside.path, path))
		if err != nil || strings.TrimSpace(string(got)) != want {
			t.Errorf("%s has %q (%v), want %q", path, got, err, want)
		}
	}
	delegated, err := os.ReadFile(filepath.Join(inside.path, machine, "cgroup.controllers"))
	if err != nil || len(strings.Fields(string(delegated))) == 0 {
		t.Errorf("the machine has controllers %q (%v), want some", delegated, err)
	}
}
