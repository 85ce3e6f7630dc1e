package translate

import (
	"slices"
	"testing"
)

func TestDotted(t *testing.T) {
	cases := map[string]struct{ reason, name, want string }{
		"Dots":      {"it is as it should be", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_port_range"},
		"Slashes":   {"slashes are dots", "kernel/shm_rmid_forced", "kernel.shm_rmid_forced"},
		"Both":      {"then a dot is part of a name", "net/ipv4/conf/eno2.100/rp_filter", "net.ipv4.conf.eno2/100.rp_filter"},
		"DotsFirst": {"the first separator decides", "net.ipv4.conf.eno2/100.rp_filter", "net.ipv4.conf.eno2/100.rp_filter"},
		"Neither":   {"nothing is to be done", "kernel", "kernel"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := dotted(c.name); got != c.want {
				t.Errorf("%s: %s, want %s", c.reason, got, c.want)
			}
		})
	}
	if !slices.IsSorted(safeSysctls) || len(safeSysctls) != 12 {
		t.Errorf("%d safe sysctls: %v; Kubernetes 1.35 has 12", len(safeSysctls), safeSysctls)
	}
}
