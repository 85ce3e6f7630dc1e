package controlplane

import (
	"net"
	"testing"
)

func TestPorts(t *testing.T) {
	dir := directory(t.TempDir())
	first, err := choosePorts(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, port := range first.all() {
		if *port == 0 || seen[*port] {
			t.Errorf("ports = %v, want four different ones", first)
		}
		seen[*port] = true
	}
	again, err := choosePorts(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if again != first {
		t.Errorf("ports = %v after a restart, want the same as before: %v", again, first)
	}

	taken, err := net.Listen("tcp", loopback(first.APIServer))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	others, err := choosePorts(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if others.APIServer == first.APIServer {
		t.Errorf("chose port %d, which is taken", others.APIServer)
	}
	if kept, err := readPorts(dir); err != nil || kept != others {
		t.Errorf("kept %v (%v), want %v", kept, err, others)
	}
}
