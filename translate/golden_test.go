package translate_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// options are those of the node that all cases run on.
func options(l cloudapi.Limits) translate.Options {
	return translate.Options{
		Limits: l, Cluster: "c-1234", Node: "virtual-1",
		Placement:     cloudapi.Placement{Zone: "zone-a", SubnetIDs: []string{"subnet-1"}, SecurityGroupIDs: []string{"sg-1"}},
		ClusterDNS:    []string{"172.21.0.10"},
		ClusterDomain: "cluster.local",
		HostIP:        "10.9.8.7",
		NodeAllocatable: corev1.ResourceList{
			corev1.ResourceCPU:              resource.MustParse("1k"),
			corev1.ResourceMemory:           resource.MustParse("4Ti"),
			corev1.ResourceEphemeralStorage: resource.MustParse("100Gi"),
		},
	}
}

// tokens are all that the cases ask for.
func tokens() map[translate.TokenKey]string {
	return map[translate.TokenKey]string{
		{ExpirationSeconds: 3607}:                   "token-of-the-api-server",
		{Audience: "vault", ExpirationSeconds: 600}: "token-for-vault",
	}
}

// readCase reads a pod and the objects beside it.
func readCase(t testing.TB, path string) (*corev1.Pod, translate.References) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refs := translate.References{
		ConfigMaps: map[string]*corev1.ConfigMap{}, Secrets: map[string]*corev1.Secret{}, Tokens: tokens(),
		Claims: map[string]*corev1.PersistentVolumeClaim{}, Volumes: map[string]*corev1.PersistentVolume{},
		VolumeSecrets: map[types.NamespacedName]*corev1.Secret{},
	}
	var pod *corev1.Pod
	for doc := range bytes.SplitSeq(data, []byte("\n---\n")) {
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal(doc, &kind); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		switch kind.Kind {
		case "Pod":
			pod = decode(t, doc, &corev1.Pod{})
		case "ConfigMap":
			cm := decode(t, doc, &corev1.ConfigMap{})
			refs.ConfigMaps[cm.Name] = cm
		case "Secret":
			s := decode(t, doc, &corev1.Secret{})
			for k, v := range s.StringData { // what the API server does
				if s.Data == nil {
					s.Data = map[string][]byte{}
				}
				s.Data[k] = []byte(v)
			}
			addSecret(&refs, s)
		case "PersistentVolumeClaim":
			claim := decode(t, doc, &corev1.PersistentVolumeClaim{})
			refs.Claims[claim.Name] = claim
		case "PersistentVolume":
			pv := decode(t, doc, &corev1.PersistentVolume{})
			refs.Volumes[pv.Name] = pv
		case "Service":
			refs.Services = append(refs.Services, decode(t, doc, &corev1.Service{}))
		default:
			t.Fatalf("%s: unexpected kind %q", path, kind.Kind)
		}
	}
	return pod, refs
}

// addSecret puts a secret where a provider would: the cases' pods are in
// namespace shop or, those of Kubernetes' tests, e2e.
func addSecret(refs *translate.References, s *corev1.Secret) {
	refs.VolumeSecrets[types.NamespacedName{Namespace: s.Namespace, Name: s.Name}] = s
	if s.Namespace == "" || s.Namespace == "shop" || s.Namespace == "e2e" {
		refs.Secrets[s.Name] = s
	}
}

func decode[T any](t testing.TB, doc []byte, into T) T {
	t.Helper()
	if err := yaml.UnmarshalStrict(doc, into); err != nil {
		t.Fatalf("%v in:\n%s", err, doc)
	}
	return into
}

func TestGroupGoldens(t *testing.T) {
	checkGoldens(t, "testdata/pod", ".group.yaml", translate.SecurityContextRefuse)
}

// TestHardeningGoldens holds what becomes of security contexts under either
// policy.
func TestHardeningGoldens(t *testing.T) {
	checkGoldens(t, "testdata/hardening", ".refuse.yaml", translate.SecurityContextRefuse)
	checkGoldens(t, "testdata/hardening", ".report.yaml", translate.SecurityContextReport)
}

// TestConformanceGoldens holds what becomes of the pods of Kubernetes' own
// conformance tests, as its release 1.35 has them in test/e2e; the first line of
// each file says of which. What is refused there is a declared difference. The
// policy is that of cumulet-local conformance.
func TestConformanceGoldens(t *testing.T) {
	checkGoldens(t, "testdata/conformance", ".group.yaml", translate.SecurityContextReport)
}

// checkGoldens translates every pod of a directory for both clouds, twice.
func checkGoldens(t *testing.T, dir, suffix string, policy translate.SecurityContextPolicy) {
	t.Helper()
	cases, err := filepath.Glob(filepath.Join(dir, "*.pod.yaml"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	clouds := map[string]cloudapi.Limits{"eci": eciLimits(), "kci": kciLimits()}
	for _, path := range cases {
		name := strings.TrimSuffix(filepath.Base(path), ".pod.yaml")
		for cloud, limits := range clouds {
			t.Run(name+"/"+cloud+suffix, func(t *testing.T) {
				o := options(limits)
				o.SecurityContext = policy
				pod, refs := readCase(t, path)
				podBefore, refsBefore := pod.DeepCopy(), copyReferences(refs)
				spec, report, err := translate.Group(pod, refs, o)
				compare(t, filepath.Join(dir, name+"."+cloud+suffix), groupYAML(t, spec, report, err))
				if diff := cmp.Diff(podBefore, pod); diff != "" {
					t.Errorf("the pod was changed (-before +after):\n%s", diff)
				}
				if diff := cmp.Diff(refsBefore, refs); diff != "" {
					t.Errorf("the references were changed (-before +after):\n%s", diff)
				}
				again, reportAgain, errAgain := translate.Group(pod, refs, o)
				if diff := cmp.Diff(groupYAML(t, spec, report, err), groupYAML(t, again, reportAgain, errAgain)); diff != "" {
					t.Errorf("a second run differs (-first +second):\n%s", diff)
				}
			})
		}
	}
}

func copyReferences(r translate.References) translate.References {
	out := translate.References{ConfigMaps: map[string]*corev1.ConfigMap{}, Secrets: map[string]*corev1.Secret{}, Tokens: map[translate.TokenKey]string{}}
	for k, v := range r.ConfigMaps {
		out.ConfigMaps[k] = v.DeepCopy()
	}
	for k, v := range r.Secrets {
		out.Secrets[k] = v.DeepCopy()
	}
	maps.Copy(out.Tokens, r.Tokens)
	out.Claims, out.Volumes = map[string]*corev1.PersistentVolumeClaim{}, map[string]*corev1.PersistentVolume{}
	out.VolumeSecrets = map[types.NamespacedName]*corev1.Secret{}
	for k, v := range r.Claims {
		out.Claims[k] = v.DeepCopy()
	}
	for k, v := range r.Volumes {
		out.Volumes[k] = v.DeepCopy()
	}
	for k, v := range r.VolumeSecrets {
		out.VolumeSecrets[k] = v.DeepCopy()
	}
	for _, s := range r.Services {
		out.Services = append(out.Services, s.DeepCopy())
	}
	return out
}

// compare holds text against a golden file, or writes the file with -update.
func compare(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update, then read the file)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// groupYAML writes the outcome of a translation for people: nothing that is
// zero, text files as text, and of passwords the length alone.
func groupYAML(t *testing.T, spec cloudapi.GroupSpec, report translate.Report, err error) []byte {
	t.Helper()
	out := map[string]any{"report": plain(t, report)}
	var refused *translate.Refused
	var missing *translate.MissingReference
	switch {
	case errors.As(err, &refused):
		var lines []string
		for _, r := range refused.Refusals {
			lines = append(lines, r.String())
		}
		out["refused"] = lines
	case errors.As(err, &missing):
		out["missing"] = missing.Reason() + ": " + missing.Error()
	case err != nil:
		t.Fatal(err)
	default:
		out["group"] = plainGroup(t, spec)
	}
	data, err := yaml.Marshal(prune(out))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func plainGroup(t *testing.T, spec cloudapi.GroupSpec) any {
	group := plain(t, spec).(map[string]any)
	for i, v := range spec.Volumes {
		if v.Bucket != nil {
			bucket := group["Volumes"].([]any)[i].(map[string]any)["Bucket"].(map[string]any)
			bucket["AccessKeySecret"] = fmt.Sprintf("%d characters", len(v.Bucket.AccessKeySecret))
		}
		if v.Files == nil {
			continue
		}
		files := group["Volumes"].([]any)[i].(map[string]any)["Files"].(map[string]any)
		files["DefaultMode"] = fmt.Sprintf("%#o", v.Files.DefaultMode)
		for j, f := range v.Files.Items {
			file := files["Items"].([]any)[j].(map[string]any)
			file["Mode"] = fmt.Sprintf("%#o", f.Mode)
			if file["Content"] = string(f.Content); !utf8.Valid(f.Content) {
				file["Content"] = fmt.Sprintf("bytes %x", f.Content)
			}
		}
	}
	for i, c := range spec.PullCredentials {
		group["PullCredentials"].([]any)[i].(map[string]any)["Password"] = fmt.Sprintf("%d characters", len(c.Password))
	}
	return group
}

func plain(t *testing.T, v any) any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// byValue are fields that are structs, not pointers to one.
var byValue = map[string]bool{
	"Security": true, "Options": true, "Machine": true, "Spot": true, "Address": true, "Data": true,
	// Image is a text in a container.
	"Image": true,
}

// prune drops what is zero or empty, but for Value and the ids of users and
// groups, where that matters.
func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			p := prune(e)
			asked, isStruct := p.(map[string]any)
			switch {
			case byValue[k] && isStruct && len(asked) == 0:
				// a struct by value: nothing in it is nothing asked for
			case p != nil:
				out[k] = p
			case k == "Value":
				out[k] = ""
			case isRoot(k, e):
				out[k] = e
			}
		}
		if len(out) == 0 && len(v) > 0 {
			return map[string]any{}
		}
		return nilIfEmpty(out, len(out))
	case []any:
		var out []any
		for _, e := range v {
			out = append(out, prune(e))
		}
		return nilIfEmpty(out, len(out))
	case string:
		return nilIfEmpty(v, len(v))
	case []string:
		return nilIfEmpty(v, len(v))
	case float64:
		if v == 0 {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}

// isRoot tells of an id that is 0, which is not the same as none.
func isRoot(key string, v any) bool {
	return (key == "RunAsUser" || key == "RunAsGroup") && v != nil
}

func nilIfEmpty(v any, n int) any {
	if n == 0 {
		return nil
	}
	return v
}
