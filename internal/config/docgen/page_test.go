package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/config"
)

func TestPageIsUpToDate(t *testing.T) {
	want, err := generate("..")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "page.md")
	if err := write("..", path); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, "../../../docs/reference/configuration.md"} {
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is stale, run go generate ./internal/config (-want +got):\n%s", file, diff)
		}
	}
}

func TestPageTellsAll(t *testing.T) {
	page, err := generate("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"| `clusterID` | text, required | `clusterID` tells this Kubernetes cluster from every other",
		"| `metricsAddress` | text | `metricsAddress` serves /metrics; default 127.0.0.1:8080, \"0\" turns it off. |",
		"| `keyFile` | text | `certFile` and `keyFile` are PEM files, read again when they change.", // without a comment of its own
		"| `credentials` | [Credentials](#credentials) | `credentials` say where the cloud account's keys come from.",
		"| `capacity` | map of [quantities]",
		"| `taints` | list of taints (`key`, `value`, `effect`) | `taints` are added to the node when it is registered;",
		"| `statusInterval` | time, such as 500ms or 2s | ",
		"| `policy` | [Policy](#policy) | `policy` says what becomes of pods",
		"| `securityContext` | text | `securityContext` is refuse (default) or report.",
		"- `ALIBABA_CLOUD_ACCESS_KEY_SECRET`\n",
		"- `CUMULET_ADVERTISE_ADDRESS`\n",
	} {
		if !strings.Contains(page, line) {
			t.Errorf("the page does not say %q", line)
		}
	}
	if strings.Contains(page, "fromEnvironment") {
		t.Error("the page tells of a field that is not in the file")
	}
}

func TestExampleIsValid(t *testing.T) {
	if _, err := config.Parse([]byte(example), func(string) string { return "x" }); err != nil {
		t.Error(err)
	}
}

func TestUnknownType(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"config.go": "package config\n// Config is.\ntype Config struct {\n\t// A is.\n\tA chan int `json:\"a\"`\n}\n",
		"read.go":   "package config\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := generate(folder); err == nil || !strings.Contains(err.Error(), "field Config.a") {
		t.Errorf("a type without a word: %v", err)
	}
}
