package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNewTest(t *testing.T) {
	tests := map[string]struct {
		reason string
		entry  upstream
		want   test
		err    string
	}{
		"PodSemantics": {
			"what no rule names in the areas of a node is class A; tags are flags",
			upstream{"[sig-storage] EmptyDir wrapper volumes should not cause race condition when used for configmaps [Serial] [Conformance]", "test/e2e/storage/empty_dir_wrapper.go"},
			test{
				Name: "EmptyDir wrapper volumes should not cause race condition when used for configmaps",
				Spec: "[sig-storage] EmptyDir wrapper volumes should not cause race condition when used for configmaps [Serial] [Conformance]",
				Area: "sig-storage", File: "storage/empty_dir_wrapper.go", Class: podSemantics, Serial: true,
			}, "",
		},
		"TagInside": {
			"a tag in the middle goes too",
			upstream{"[sig-node] NoExecuteTaintManager Single Pod [Serial] removing taint cancels eviction [Disruptive] [Conformance]", "test/e2e/node/taints.go"},
			test{
				Name: "NoExecuteTaintManager Single Pod removing taint cancels eviction",
				Spec: "[sig-node] NoExecuteTaintManager Single Pod [Serial] removing taint cancels eviction [Disruptive] [Conformance]",
				Area: "sig-node", File: "node/taints.go", Class: cloudDependent, Serial: true, Disruptive: true,
			}, "",
		},
		"LiveUpdate": {
			"one test of a file has another class than the rest",
			upstream{"[sig-storage] Secrets optional updates should be reflected in volume [Conformance]", "test/e2e/common/storage/secrets_volume.go"},
			test{
				Name: "Secrets optional updates should be reflected in volume",
				Spec: "[sig-storage] Secrets optional updates should be reflected in volume [Conformance]",
				Area: "sig-storage", File: "common/storage/secrets_volume.go", Class: cloudDependent,
			}, "",
		},
		"Other": {
			"brackets that begin in lower case are no tag",
			upstream{"[sig-cli] Kubectl [other] logs [Slow] [Conformance]", "test/e2e/kubectl/logs.go"},
			test{
				Name: "Kubectl [other] logs", Spec: "[sig-cli] Kubectl [other] logs [Slow] [Conformance]",
				Area: "sig-cli", File: "kubectl/logs.go", Class: otherAreas, Slow: true,
			}, "",
		},
		"NoArea": {"upstream has changed its names", upstream{"Kubectl logs", "test/e2e/kubectl/logs.go"}, test{}, `test "Kubectl logs" in "test/e2e/kubectl/logs.go"`},
		"NoFile": {"upstream has moved its files", upstream{"[sig-cli] Kubectl logs", "suite/logs.go"}, test{}, "a file below test/e2e"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := newTest(tt.entry)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Fatalf("%s: error %v, want %q", tt.reason, err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

// TestUnmatched has a list without the tests that the rules are about.
func TestUnmatched(t *testing.T) {
	_, err := catalog([]byte(`[{codename: "[sig-cli] Kubectl logs [Conformance]", file: test/e2e/kubectl/logs.go}]`))
	if err == nil || !strings.Contains(err.Error(), `the rule for class B of node/taints.go [] fits no test`) {
		t.Errorf("error %v, want the rules that fit nothing", err)
	}
}
