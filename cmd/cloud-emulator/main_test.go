package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cumulet/cumulet/internal/emulator"
)

// patience is how long a test polls for what must come.
const patience = 20 * time.Second

func TestServesUntilItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	file := filepath.Join(t.TempDir(), "clouds.json")
	command := newCommand()
	var out bytes.Buffer
	command.SetOut(&out)
	command.SetErr(&out)
	command.SetArgs([]string{"--config-out", file, "--kci-dialect", "seed", "--quotas", "--schedule-latency", "10ms"})
	ended := make(chan error, 1)
	go func() { ended <- command.ExecuteContext(ctx) }()

	var config emulator.Config
	for deadline := time.Now().Add(patience); ; {
		content, err := os.ReadFile(file)
		if err == nil {
			if err := json.Unmarshal(content, &config); err != nil {
				t.Fatalf("reading the configuration: %v", err)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no configuration: %v", err)
		}
	}
	answer, err := http.Get(config.Admin.Endpoint + "/healthz")
	if err != nil {
		t.Fatalf("asking for health: %v", err)
	}
	_ = answer.Body.Close()
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("ending: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	for _, endpoint := range []string{config.ECI.Endpoint, config.KCI.Endpoint, config.Admin.Endpoint} {
		if !strings.Contains(out.String(), endpoint) {
			t.Errorf("output %q lacks %s", out.String(), endpoint)
		}
	}
	for _, secret := range []string{config.ECI.AccessKeySecret, config.KCI.AccessKeySecret} {
		if len(secret) < 30 || strings.Contains(out.String(), secret) {
			t.Error("a secret is short or was printed")
		}
	}
}

func TestRefusesWrongFlags(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"NoFile":    {nil, `required flag(s) "config-out" not set`},
		"Dialect":   {[]string{"--config-out", "x", "--kci-dialect", "plain"}, `reading --kci-dialect: KCI dialect "plain"`},
		"Arguments": {[]string{"serve"}, `unknown command "serve"`},
		"Address":   {[]string{"--config-out", "x", "--eci-address", "256.0.0.1:1"}, "listening for eci on 256.0.0.1:1"},
		"Machine":   {[]string{"--config-out", "x", "--backing-kubeconfig", "y", "--machine", "/no/such/file"}, "reading --machine: open /no/such/file"},
		"Backing":   {[]string{"--config-out", "x", "--backing-kubeconfig", "/no/such/file"}, "reading --backing-kubeconfig"},
	} {
		t.Run(name, func(t *testing.T) {
			command := newCommand()
			command.SetOut(&bytes.Buffer{})
			command.SetErr(&bytes.Buffer{})
			command.SetArgs(tc.args)
			err := command.ExecuteContext(t.Context())
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q in it", err, tc.want)
			}
		})
	}
}
