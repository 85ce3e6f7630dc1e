package machine

import (
	"strings"
	"testing"
)

func TestCheckMessages(t *testing.T) {
	nothing := func(string) bool { return false }
	cases := map[string]struct {
		reason string
		err    error
		want   []string // in the message; none if all is well
	}{
		"Linux":     {reason: "It is the right system.", err: checkSystem("linux")},
		"Mac":       {reason: "It says what would be right.", err: checkSystem("darwin"), want: []string{"needs Linux, this is darwin", "--privileged"}},
		"Root":      {reason: "It is the right user.", err: checkUser(0)},
		"User":      {reason: "It says what to do.", err: checkUser(1000), want: []string{"this is user 1000", "use sudo"}},
		"Complete":  {reason: "Every program is there.", err: checkPrograms("bin", programs, func(string) bool { return true })},
		"Nothing":   {reason: "Both targets are named once.", err: checkPrograms("bin", programs, nothing), want: []string{"missing in bin (kubelet, machine/containerd,", "make controlplane and make machine"}},
		"NoRunc":    {reason: "Only what is missing is named.", err: checkPrograms("bin", programs, func(file string) bool { return file != "machine/runc" }), want: []string{"(machine/runc): build them with make machine"}},
		"Cgroups":   {reason: "They have what a kubelet needs.", err: checkControllers([]string{"cpuset", "cpu", "memory", "pids"})},
		"Watchers":  {reason: "There are as many as it takes.", err: checkWatchers(9)},
		"NoWatcher": {reason: "It says how to get more.", err: checkWatchers(3), want: []string{"needs 9 inotify instances and 3 are left", "max_user_instances"}},
		"NoCgroups": {reason: "There is no hierarchy.", err: checkControllers(nil), want: []string{"no cgroups below /sys/fs/cgroup"}},
		"NoMemory":  {reason: "Some kernels are started so.", err: checkControllers([]string{"cpu", "pids"}), want: []string{"missing (memory)", "cgroup_disable"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if (tc.err != nil) != (len(tc.want) > 0) {
				t.Fatalf("%s\nerror = %v", tc.reason, tc.err)
			}
			for _, part := range tc.want {
				if !strings.Contains(tc.err.Error(), part) {
					t.Errorf("%s\nerror = %v, want one with %q", tc.reason, tc.err, part)
				}
			}
		})
	}
}
