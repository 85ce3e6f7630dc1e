package conformance

import (
	"strings"
	"testing"
)

func TestFirstCause(t *testing.T) {
	tests := map[string]struct {
		reason, text, want string
	}{
		"OneLine": {
			"tag, place and trace are cut off",
			"[FAILED] context deadline exceeded\nIn [It] at: k8s.io/kubernetes/test/e2e/x.go:12 @ 11/21/26 23:06:11.099\n\nFull Stack Trace\n",
			"context deadline exceeded",
		},
		"Unexpected": {
			"the first line alone says nothing, the type of the error neither",
			"[FAILED] Unexpected error:\n    <*pod.timeoutError | 0xc000123456>: \n    Timed out after 300.004s: pod never ran\n    {\n        msg: \"x\",\n    }\noccurred\nIn [It] at: x.go:1",
			"Unexpected error: Timed out after 300s: pod never ran",
		},
		"ToldToStop": {
			"what was expected follows",
			"[FAILED] Told to stop trying after 2.015s.\nExpected pod to reach phase \"Running\", got final phase \"Failed\" instead:\n    metadata:\n      name: x\nIn [It] at: x.go:1",
			`Told to stop trying after 2s. Expected pod to reach phase "Running", got final phase "Failed" instead:`,
		},
		"Expected": {
			"gomega's values are put into one line",
			"[FAILED] Expected\n    <int>: 2\nto equal\n    <int>: 1\nIn [It] at: x.go:1",
			"Expected 2 to equal 1",
		},
		"TimedOut": {
			"both together",
			"[FAILED] Timed out after 300.000s.\nExpected\n    <v1.PodPhase>: Failed\nto equal\n    <v1.PodPhase>: Succeeded\nIn [It] at: x.go:1",
			"Timed out after 300s. Expected Failed to equal Succeeded",
		},
		"Output": {
			"what follows the values is too much",
			"[FAILED] expected \"0\" in container output: Expected\n    <string>: mount type: tmpfs\nto contain substring\n    <string>: 0\nand more\n",
			`expected "0" in container output: Expected mount type: tmpfs to contain substring 0`,
		},
		"Varying": {
			"what differs from run to run is replaced",
			"wait for pod pod-configmaps-0b0e6a63-1b4c-4b0a-9d0e-6a3f0e8d7c6b in configmap-4593 at 10.244.0.17:8080 since 2026-11-21T23:06:11Z: 0xc0001",
			"wait for pod pod-configmaps-UID in configmap-N at IP since TIME ADDRESS",
		},
		"Paths": {
			"where the machine has its programs and files is nobody's business",
			"error running /home/me/cumulet/bin/kubectl --kubeconfig=/tmp/run-1/kubeconfig logs pod",
			"error running kubectl --kubeconfig=kubeconfig logs pod",
		},
		"Refused": {
			"why cumulet refused the pod stands deep in the pod that is shown",
			"[FAILED] Told to stop trying after 2.015s.\nExpected pod to reach phase \"Running\", got final phase \"Failed\" instead:\n" +
				"      status:\n        message: 'Pod was rejected: spec.hostIPC: not\n          ECI''s'\n        phase: Failed\nIn [It] at: x.go:1",
			`Pod was rejected: spec.hostIPC: not ECI's`,
		},
		"RefusedShort": {
			"a message without special characters stands without quotes",
			"[FAILED] x\n  status:\n    message: Pod was rejected: no\n    phase: Failed\n",
			`Pod was rejected: no`,
		},
		"Empty": {"a failure may say nothing", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := firstCause(tt.text); got != tt.want {
				t.Errorf("%s:\ngot  %q\nwant %q", tt.reason, got, tt.want)
			}
		})
	}
}

func TestShorten(t *testing.T) {
	got := shorten(strings.Repeat("a", maxCause-1) + "äb")
	if want := strings.Repeat("a", maxCause-1) + "…"; got != want {
		t.Errorf("got %q, want the half character left out", got)
	}
}

func FuzzFirstCause(f *testing.F) {
	f.Add("[FAILED] Unexpected error:\n    <*x | 0xc0>: \n  y\nIn [It] at: x.go:1")
	f.Add("message: 'Pod was rejected: a\n b'")
	f.Fuzz(func(t *testing.T, text string) {
		got := firstCause(text)
		if strings.Contains(got, "\n") || len(got) > maxCause+len("…") {
			t.Errorf("cause %q is no short line", got)
		}
	})
}
