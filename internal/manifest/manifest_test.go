package manifest

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// read reads one text as stdin.
func read(t *testing.T, text string) *Manifests {
	t.Helper()
	m, err := Read([]Source{{"stdin", []byte(text)}}, "shop")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// summary is what of a pod the golden files show.
type summary struct {
	Owner   string         `json:"owner,omitempty"`
	Count   int            `json:"count"`
	Remarks []string       `json:"remarks,omitempty"`
	Pod     *corev1.Pod    `json:"pod"`
	Missing []string       `json:"missing,omitempty"`
	Found   map[string]int `json:"found,omitempty"`
}

// TestPods holds which pods the manifests of testdata make.
func TestPods(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			sources, err := Load([]string{file}, nil)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Read(sources, "default")
			if err != nil {
				t.Fatal(err)
			}
			var out []summary
			for i := range m.Pods {
				p := &m.Pods[i]
				found, missing, remarks := m.References(p.Pod)
				s := summary{Owner: p.Owner, Count: p.Count, Remarks: append(p.Remarks, remarks...), Pod: p.Pod, Found: map[string]int{
					"configMaps": len(found.ConfigMaps), "secrets": len(found.Secrets), "claims": len(found.Claims),
					"volumes": len(found.Volumes), "services": len(found.Services), "tokens": len(found.Tokens),
				}}
				for _, lack := range missing {
					s.Missing = append(s.Missing, lack.String())
				}
				out = append(out, s)
			}
			got, err := yaml.Marshal(map[string]any{"pods": out, "skipped": m.Skipped})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", string(got))
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update, then read the file)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestRefusedManifests(t *testing.T) {
	const head = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
	cases := map[string]struct {
		reason, text string
		want         []string
	}{
		"UnknownField": {"strict decoding names the field", head + "spec: {containers: [{name: a, image: a, imagePullPolic: Always}]}",
			[]string{`stdin, document 1: Pod a: strict decoding error: unknown field "spec.containers[0].imagePullPolic"`}},
		"UnknownInTemplate": {"and in a template", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {container: []}}}",
			[]string{`Deployment d: strict decoding error: unknown field "spec.template.spec.container"`}},
		"Duplicate":    {"a key twice", head + "spec: {}\nspec: {}", []string{`key "spec" already set in map`}},
		"WrongType":    {"a word for a number", head + "spec: {containers: [{name: a, image: a}], terminationGracePeriodSeconds: soon}", []string{"terminationGracePeriodSeconds"}},
		"NoContainers": {"a pod needs one", head + "spec: {}", []string{"Pod a: spec.containers: there is none"}},
		"NoImage":      {"and an image", head + "spec: {containers: [{name: a}]}", []string{"spec.containers[0].image: is empty"}},
		"TwoNames":     {"names are unique over both lists", head + "spec: {initContainers: [{name: a, image: a}], containers: [{name: a, image: a}]}", []string{"a is there twice"}},
		"NoName":       {"a pod needs a name", "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: a}]}", []string{"metadata.name: is empty"}},
		"NoKind":       {"an object has a kind", "a: b", []string{"no Kubernetes object", "'Kind' is missing"}},
		"NoObject":     {"a list of YAML is none", "- a", []string{"no object"}},
		"BadYAML":      {"no YAML", "a: b: c", []string{"document 1"}},
		"BadJSON":      {"no JSON", `{"a": `, []string{"document 1"}},
		"DuplicateInJSON": {"in JSON too", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"a","image":"a"}],"hostNetwork":true,"hostNetwork":false}}`,
			[]string{`Pod a: strict decoding error: duplicate field "spec.hostNetwork"`}},
		"DuplicateInItem": {"and in items", `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","name":"b"},"spec":{"containers":[{"name":"a","image":"a"}]}}]}`,
			[]string{`List: strict decoding error: duplicate field "items[0].metadata.name"`}},
		"NoVersion":    {"an object has a version", "kind: Secret\nmetadata: {name: s}\nstringData: {key: hunter2}", []string{"no Kubernetes object", "'apiVersion' is missing"}},
		"NoKindEither": {"what it holds may be secret", "apiVersion: v1\nmetadata: {name: s}\nstringData: {key: hunter2}", []string{"no Kubernetes object", "'Kind' is missing"}},
		"OldVersion": {"Kubernetes has moved it", "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: a, image: a}]}}}",
			[]string{"Deployment d: in Kubernetes it is apiVersion apps/v1, kind Deployment"}},
		"OtherGroup": {"a mistake often made", "apiVersion: v1\nkind: Deployment\nmetadata: {name: d}", []string{"Deployment d: in Kubernetes it is apiVersion apps/v1, kind Deployment"}},
		"KindCase":   {"kinds have capitals", "apiVersion: v1\nkind: pod\nmetadata: {name: a}", []string{"pod a: in Kubernetes it is apiVersion v1, kind Pod"}},
		"KindTypo":   {"no kind of Kubernetes' own", "apiVersion: v1\nkind: Secrets\nmetadata: {name: a}", []string{"Secrets a: apiVersion v1 has no such kind"}},
		"BadNames": {"as the API server has them", "apiVersion: v1\nkind: Pod\nmetadata: {name: My_Pod, labels: {a b: c}}\nspec: {containers: [{name: A_b, image: a}], volumes: [{name: V}]}",
			[]string{`metadata.name: Invalid value: "My_Pod"`, `metadata.labels: Invalid value: "a b"`, `spec.containers[0].name: Invalid value: "A_b"`, `spec.volumes[0].name: Invalid value: "V"`}},
		"BadWords": {"only the words that there are", head + "spec: {restartPolicy: Sometimes, dnsPolicy: Mine, containers: [{name: a, image: a, imagePullPolicy: Later, ports: [{containerPort: 80, protocol: HTTP}]}]}",
			[]string{`spec.restartPolicy: Unsupported value: "Sometimes"`, `spec.dnsPolicy: Unsupported value: "Mine"`, `spec.containers[0].imagePullPolicy: Unsupported value: "Later"`, `spec.containers[0].ports[0].protocol: Unsupported value: "HTTP"`}},
		"BadNumbers": {"within their bounds", head + "spec: {terminationGracePeriodSeconds: -1, activeDeadlineSeconds: 0, containers: [{name: a, image: a, ports: [{containerPort: 70000}], livenessProbe: {periodSeconds: -1, exec: {command: [a]}}, resources: {requests: {cpu: 2}, limits: {cpu: 1, memory: -1Gi}}}]}",
			[]string{"spec.terminationGracePeriodSeconds: Invalid value: -1", "spec.activeDeadlineSeconds: Invalid value: 0", "spec.containers[0].ports[0].containerPort: Invalid value: 70000",
				"spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1",
				`spec.containers[0].resources.limits[memory]: Invalid value: "-1Gi"`, `spec.containers[0].resources.requests[cpu]: Invalid value: "2": must be less than or equal to cpu limit of 1`}},
		"OneOf": {"one of several", head + "spec: {containers: [{name: a, image: a, env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}], readinessProbe: {}, lifecycle: {preStop: {exec: {command: [a]}, sleep: {seconds: 1}}}}], volumes: [{name: v, emptyDir: {}, configMap: {name: c}}, {name: v}]}",
			[]string{"spec.containers[0].env[0].valueFrom: Invalid value", "spec.containers[0].readinessProbe: Required value", "spec.containers[0].lifecycle.preStop: Forbidden", "spec.volumes[0]: Forbidden", `spec.volumes[1].name: Duplicate value: "v"`}},
		"Mounts": {"a place once, said in one way", head + "spec: {containers: [{name: a, image: a, volumeMounts: [{name: v}, {name: v, mountPath: /a, subPath: x, subPathExpr: why}, {name: v, mountPath: /a}]}], volumes: [{name: v}]}",
			[]string{"spec.containers[0].volumeMounts[0].mountPath: Required value", "spec.containers[0].volumeMounts[1].subPathExpr: Invalid value", `spec.containers[0].volumeMounts[2].mountPath: Invalid value: "/a": must be unique`}},
		"JobRestarts": {"a Job's pods end", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {containers: [{name: a, image: a}]}}}",
			[]string{`Job j: spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"`}},
		"CronJobRestarts": {"and a CronJob's", "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: j}\nspec: {schedule: '* * * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Always, containers: [{name: a, image: a}]}}}}}",
			[]string{`CronJob j: spec.jobTemplate.spec.template.spec.restartPolicy: Unsupported value: "Always"`}},
		"DeploymentEnds": {"others' do not", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}",
			[]string{`Deployment d: spec.template.spec.restartPolicy: Unsupported value: "Never"`}},
		"Selector": {"it must select its own", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, spec: {containers: [{name: a, image: a}]}}}",
			[]string{"Deployment d: spec.template.metadata.labels: Invalid value"}},
		"TwicePod":      {"which of the two?", head + "spec: {containers: [{name: a, image: a}]}\n---\n" + head + "spec: {containers: [{name: a, image: b}]}", []string{"Pod a: it is there twice, first in stdin"}},
		"EveryDocument": {"all faults at once", head + "spec: {}\n---\n" + head + "spec: {x: 1}", []string{"spec.containers: there is none", `document 2: Pod a: strict decoding error: unknown field "spec.x"`}},
		"InList":        {"items are numbered", `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"x":1}}]}`, []string{`items[0]: Pod a: strict decoding error: unknown field "spec.x"`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Read([]Source{{"stdin", []byte(c.text)}}, "shop")
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("%s: got %v, want %s", c.reason, err, want)
				}
			}
			if _, again := Read([]Source{{"stdin", []byte(c.text)}}, "shop"); again == nil || again.Error() != err.Error() {
				t.Errorf("%s: once %v, then %v", c.reason, err, again)
			}
		})
	}
}

// TestAdmission: what the admission plugins of the API server do to a pod, by
// what stands beside it in its namespace.
func TestAdmission(t *testing.T) {
	const beside = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: NAMESPACEUID}
spec:
  SPEC
  containers: [{name: a, image: "a:1", resources: {limits: {cpu: 1}}}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: builder}
imagePullSecrets: [{name: registry}]
automountServiceAccountToken: false
---
apiVersion: v1
kind: LimitRange
metadata: {name: small}
spec:
  limits:
  - {type: Container, default: {cpu: 4, memory: 8Gi}, max: {memory: 9Gi, ephemeral-storage: 1Gi}, min: {memory: 1Gi}}
  - {type: Pod, max: {cpu: 64}}
`
	type said struct {
		Account, Limits, Requests string
		Pulls                     []string
		Token                     bool
	}
	ranged := "cpu=1,ephemeral-storage=1Gi,memory=8Gi"
	for name, c := range map[string]struct {
		reason, namespace, uid, spec string
		want                         said
	}{
		"Default":    {"every namespace has an account default", "shop", "", "", said{"default", ranged, ranged, nil, true}},
		"Named":      {"the account's pull secrets, and no token", "shop", "", "serviceAccountName: builder", said{"builder", ranged, ranged, []string{"registry"}, false}},
		"Deprecated": {"by its old name", "shop", "", "serviceAccount: builder", said{"builder", ranged, ranged, []string{"registry"}, false}},
		"Own":        {"the pod's own pull secrets instead", "shop", "", "serviceAccountName: builder\n  imagePullSecrets: [{name: own}]", said{"builder", ranged, ranged, []string{"own"}, false}},
		"Elsewhere":  {"another namespace has others", "other", "", "serviceAccountName: builder", said{"builder", "cpu=1", "cpu=1", nil, true}},
		"Admitted":   {"what a cluster has given out it has admitted", "shop", ", uid: 0b6f3c1e-5a52-4c0f-9d8e-3f6a1b2c3d4e", "serviceAccountName: builder", said{"builder", "cpu=1", "cpu=1", nil, false}},
	} {
		t.Run(name, func(t *testing.T) {
			m := read(t, strings.NewReplacer("NAMESPACEUID", c.namespace+c.uid, "SPEC", c.spec).Replace(beside))
			p := m.Pods[0].Pod
			list := func(l corev1.ResourceList) string {
				var out []string
				for name, q := range l {
					out = append(out, string(name)+"="+q.String())
				}
				slices.Sort(out)
				return strings.Join(out, ",")
			}
			got := said{Account: p.Spec.ServiceAccountName, Limits: list(p.Spec.Containers[0].Resources.Limits), Requests: list(p.Spec.Containers[0].Resources.Requests),
				Token: strings.Contains(strings.Join(m.Pods[0].Remarks, "\n"), "kube-api-access")}
			for _, s := range p.Spec.ImagePullSecrets {
				got.Pulls = append(got.Pulls, s.Name)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || len(m.Skipped) > 0 {
				t.Errorf("%s (-want +got), skipped %v:\n%s", c.reason, m.Skipped, diff)
			}
		})
	}
}

// TestMissing: every object that a pod lacks is told at once, with what to do.
func TestMissing(t *testing.T) {
	m := read(t, `
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: a
    image: a
    env:
    - {name: C, valueFrom: {secretKeyRef: {name: keys, key: perhaps, optional: true}}}
    - {name: D, valueFrom: {secretKeyRef: {name: none, key: a}}}
    volumeMounts: [{name: v, mountPath: /v}]
  volumes:
  - {name: v, configMap: {name: settings}}
`)
	_, missing, _ := m.References(m.Pods[0].Pod)
	var got []string
	for _, lack := range missing {
		got = append(got, lack.String())
	}
	want := []string{
		"ConfigMap shop/settings is not among the files: add it with another -f (kubectl get configmap settings -n shop -o yaml)",
		"Secret shop/none is not among the files: add it with another -f (kubectl get secret none -n shop -o yaml)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestNamesAreStable: the same manifest makes the same pod, another another.
func TestNamesAreStable(t *testing.T) {
	const text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: a, image: nginx:1}]}}}"
	first, again := read(t, text).Pods[0].Pod, read(t, text).Pods[0].Pod
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("a second reading differs:\n%s", diff)
	}
	if other := read(t, strings.Replace(text, "nginx:1", "nginx:2", 1)).Pods[0].Pod; other.Name == first.Name || other.UID == first.UID {
		t.Errorf("another template makes the same name %s or UID %s", other.Name, other.UID)
	}
}

// TestClaims: a claim gets the volume that it names, that names it, or the
// smallest that fits.
func TestClaims(t *testing.T) {
	const volumes = `
apiVersion: v1
kind: PersistentVolume
metadata: {name: big}
spec: {capacity: {storage: 100Gi}, accessModes: [ReadWriteOnce], storageClassName: fast}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: small}
spec: {capacity: {storage: 20Gi}, accessModes: [ReadWriteOnce], storageClassName: fast}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: promised}
spec: {capacity: {storage: 20Gi}, accessModes: [ReadWriteOnce], storageClassName: fast, claimRef: {namespace: shop, name: theirs}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: NAME}
spec: {accessModes: [ReadWriteOnce], storageClassName: CLASS, resources: {requests: {storage: SIZE}}VOLUME}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers: [{name: a, image: a, volumeMounts: [{name: v, mountPath: /v}]}]
  volumes: [{name: v, persistentVolumeClaim: {claimName: NAME}}]
`
	cases := map[string]struct{ reason, name, class, size, volume, want string }{
		"Smallest": {"the smallest that is large enough", "mine", "fast", "10Gi", "", "small"},
		"Larger":   {"if it is large enough", "mine", "fast", "50Gi", "", "big"},
		"TooLarge": {"none is", "mine", "fast", "500Gi", "", ""},
		"Class":    {"another class is another kind", "mine", "slow", "10Gi", "", ""},
		"Named":    {"the claim names it", "mine", "fast", "10Gi", ", volumeName: big", "big"},
		"Promised": {"the volume names the claim", "theirs", "fast", "10Gi", "", "promised"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text := strings.NewReplacer("NAME", c.name, "CLASS", c.class, "SIZE", c.size, "VOLUME", c.volume).Replace(volumes)
			m := read(t, text)
			found, missing, _ := m.References(m.Pods[0].Pod)
			got := ""
			for volume := range found.Volumes {
				got += volume
			}
			if got != c.want || (len(missing) == 0) != (c.want != "") {
				t.Errorf("%s: bound to %q, missing %v; want %q", c.reason, got, missing, c.want)
			}
		})
	}
}
