package local

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestOwnLoopback(t *testing.T) {
	for name, c := range map[string]struct {
		network string
		node    int
		want    string
	}{
		"First":  {network: "10.128.0.0", node: 0, want: "127.128.0.8"},
		"Second": {network: "10.143.0.0", node: 1, want: "127.143.0.9"},
		"Other":  {network: "198.18.0.0", node: 0, want: "127.18.0.8"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ownLoopback(netip.MustParseAddr(c.network), c.node).String(); got != c.want {
				t.Errorf("node %d of %s listens at %s, want %s", c.node, c.network, got, c.want)
			}
		})
	}
}

// TestFreeAddress checks that a port that somebody has is not chosen.
func TestFreeAddress(t *testing.T) {
	address := netip.MustParseAddr("127.0.0.1")
	taken, err := net.Listen("tcp", "127.0.0.1:10250")
	if err == nil { // else a kubelet of this host has it
		defer func() { _ = taken.Close() }() // nobody connects
	}
	got, err := freeAddress(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	if got.Addr() != address || got.Port() == kubeletPort || got.Port() == 0 {
		t.Errorf("chose %v, want another port of %v than %d", got, address, kubeletPort)
	}
	free, err := net.Listen("tcp", got.String())
	if err != nil {
		t.Fatalf("what was chosen is taken: %v", err)
	}
	if err := free.Close(); err != nil {
		t.Error(err)
	}
}

func TestAnswersOK(t *testing.T) {
	status := http.StatusServiceUnavailable
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(server.Close)
	if err := answersOK(t.Context(), server.Client(), server.URL); err == nil || !strings.Contains(err.Error(), "answers 503") {
		t.Errorf("a service that is not there yet: %v", err)
	}
	status = http.StatusOK
	if err := answersOK(t.Context(), server.Client(), server.URL); err != nil {
		t.Errorf("a service that is there: %v", err)
	}
}
