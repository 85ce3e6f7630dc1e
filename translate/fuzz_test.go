package translate_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// FuzzGroup holds that any pod that can be decoded is translated without a
// panic, twice alike, without a change to it, and that every cloud either
// takes it whole or says why not.
func FuzzGroup(f *testing.F) {
	for _, doc := range append(seeds(f, "testdata/pod/*.pod.yaml"), seeds(f, "testdata/hardening/*.pod.yaml")...) {
		f.Add(doc, false)
		f.Add(doc, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, leaveOut bool) {
		pod := &corev1.Pod{}
		if json.Unmarshal(data, pod) != nil {
			return
		}
		refs := everything(pod)
		before := pod.DeepCopy()
		for _, limits := range []cloudapi.Limits{eciLimits(), kciLimits(), kciSeedLimits(), {}} {
			o := options(limits)
			if leaveOut {
				o.SecurityContext, o.Hostname = translate.SecurityContextReport, translate.HostnameEmulate
			}
			spec, report, err := translate.Group(pod, refs, o)
			again, reportAgain, errAgain := translate.Group(pod, refs, o)
			if diff := cmp.Diff(spec, again) + cmp.Diff(report, reportAgain); diff != "" || (err == nil) != (errAgain == nil) {
				t.Errorf("a second run differs: %v, %v\n%s", err, errAgain, diff)
			}
			if err != nil && (err.Error() != errAgain.Error() || spec.Name != "") {
				t.Errorf("an error is not stable, or comes with a group: %v", err)
			}
			if err == nil && (len(spec.Containers) != len(translate.LongRunning(pod)) || spec.Name == "") {
				t.Errorf("the group is not the pod: %+v", spec)
			}
		}
		if diff := cmp.Diff(before, pod); diff != "" {
			t.Errorf("the pod was changed:\n%s", diff)
		}
	})
}

// FuzzStatus holds that any answer of a cloud makes a status that the API
// server takes, and the same one when asked again.
func FuzzStatus(f *testing.F) {
	for _, doc := range seeds(f, "testdata/status/*.case.yaml") {
		f.Add(doc)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &statusCase{}
		if json.Unmarshal(data, c) != nil || !isSane(&c.Pod) {
			return
		}
		if _, err := netip.ParseAddr(c.Options.HostIP); err != nil {
			c.Options.HostIP = "10.9.8.7" // the configuration takes no other than an address
		}
		before := c.Pod.DeepCopy()
		for _, call := range []string{"Status", "Waiting", "Rejected", "Failed", "Lost", "Terminated"} {
			c.Call = call
			first := c.run(t, &c.Pod, now)
			for _, fault := range statusFaults(&c.Pod, &first) {
				t.Errorf("%s: %s", call, fault)
			}
			later := c.Pod.DeepCopy()
			later.Status = *first.DeepCopy()
			if diff := cmp.Diff(first, c.run(t, later, now.Add(time.Hour))); diff != "" {
				t.Errorf("%s: without news the status changes:\n%s", call, diff)
			}
		}
		if diff := cmp.Diff(before, &c.Pod); diff != "" {
			t.Errorf("the pod was changed:\n%s", diff)
		}
	})
}

// isSane tells whether a pod could have come from an API server whose pods
// this program alone writes the status of: names are there and unique, and
// the old status is one that we would have written.
func isSane(pod *corev1.Pod) bool {
	names := map[string]bool{}
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for _, c := range list {
			if c.Name == "" || c.Image == "" || names[c.Name] {
				return false
			}
			names[c.Name] = true
		}
	}
	for i := range pod.Spec.EphemeralContainers {
		c := &pod.Spec.EphemeralContainers[i]
		if c.Name == "" || names[c.Name] {
			return false
		}
		names[c.Name] = true
	}
	switch pod.Spec.RestartPolicy {
	case corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever:
	default:
		return false
	}
	s := pod.Status.DeepCopy()
	if s.Phase == "" && len(s.ContainerStatuses)+len(s.InitContainerStatuses)+len(s.Conditions) == 0 && s.StartTime == nil {
		return s.HostIP == "" && s.PodIP == "" && len(s.PodIPs) == 0
	}
	return len(statusFaults(pod, s)) == 0
}

// seeds are the cases of the golden tests as JSON.
func seeds(f *testing.F, pattern string) [][]byte {
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	var docs [][]byte
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		var doc []byte
		if doc, err = yaml.YAMLToJSON(firstDocument(data)); err != nil {
			f.Fatal(err)
		}
		docs = append(docs, doc)
	}
	return docs
}

func firstDocument(data []byte) []byte {
	for i := range data {
		if i > 0 && data[i-1] == '\n' && string(data[i:min(i+4, len(data))]) == "---\n" {
			return data[:i]
		}
	}
	return data
}

// everything makes up all that a pod refers to.
func everything(pod *corev1.Pod) translate.References {
	needs := translate.Needs(pod)
	refs := translate.References{ConfigMaps: map[string]*corev1.ConfigMap{}, Secrets: map[string]*corev1.Secret{}, Tokens: map[translate.TokenKey]string{}}
	text := map[string]string{"a": "1", "b.c": "2", "color": "blue", "key": "$(A)"}
	binary := map[string][]byte{"a": []byte("1"), "user": {0xff}, "key": []byte("x"), ".dockercfg": []byte(`{"*.example.com":{"username":"u"}}`)}
	for _, r := range needs.ConfigMaps {
		refs.ConfigMaps[r.Name] = &corev1.ConfigMap{Data: text, BinaryData: map[string][]byte{"blob": {0xff}}}
	}
	for _, r := range needs.Secrets {
		refs.Secrets[r.Name] = &corev1.Secret{Data: binary}
	}
	for _, name := range needs.PullSecrets {
		refs.Secrets[name] = &corev1.Secret{Type: corev1.SecretTypeDockercfg, Data: binary}
	}
	for _, r := range needs.Tokens {
		refs.Tokens[r.TokenKey] = "token"
	}
	return refs
}
