package preview

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/manifest"
	"github.com/cumulet/cumulet/translate"
)

// testCloud sells one size and can do next to nothing.
func testCloud(change ...func(*Cloud)) *Cloud {
	c := &Cloud{
		Title: "test", Name: "test", Endpoint: "https://cloud.example/",
		Options: translate.Options{
			Cluster: "c", Node: "n", HostIP: "192.0.2.1", ClusterDNS: []string{"192.0.2.53"}, ClusterDomain: "cluster.local",
			Limits: cloudapi.Limits{
				Cloud: "test", Name: cloudapi.NameLimits{Max: 63}, Tags: true, EnvKey: ".",
				Sizes: []cloudapi.Size{{CPU: 2, Memory: []float64{4}}}, DefaultSize: cloudapi.Size{CPU: 2, Memory: []float64{4}},
			},
		},
		Request: func(spec cloudapi.GroupSpec, token string) (cloudapi.Request, error) {
			r := cloudapi.NewRequest("Make", "1", map[string]string{"Name": spec.Name, "Token": token, "Odd": "a\nb", "Key": "swordfish"}, []string{"Key"}, nil)
			r.Headers = []cloudapi.Header{{Name: "x-action", Value: "Make"}}
			return r, nil
		},
		Remarks: []string{"made up"},
	}
	for _, f := range change {
		f(c)
	}
	return c
}

func shown(t *testing.T, c *Cloud, secrets bool, text string) Result {
	t.Helper()
	m, err := manifest.Read([]manifest.Source{{Name: "web.yaml", Data: []byte(text)}}, "shop")
	if err != nil {
		t.Fatal(err)
	}
	return c.Of(m, &m.Pods[0], secrets)
}

const pod = `
apiVersion: v1
kind: Pod
metadata: {name: web, uid: 0b6f3c1e-5a52-4c0f-9d8e-3f6a1b2c3d4e}
spec:
  automountServiceAccountToken: false
  containers: [{name: web, image: nginx:1.27, resources: {limits: {cpu: 1500m, memory: 3Gi}}}]
`

// TestText holds the whole output for people of a small pod.
func TestText(t *testing.T) {
	const want = `Pod shop/web (web.yaml)

  test: would run
    billed    2 vCPU and 4 GiB; asked for: 1.5 vCPU and 3 GiB (+0.5 vCPU, +1 GiB)
    ignored   spec.automountServiceAccountToken: the API server has acted upon it
    changed   spec.containers: rounded up to a size that is sold (1.5 vCPU and 3 GiB -> 2 vCPU and 4 GiB)
    ignored   spec.containers[0].imagePullPolicy: a new group has no images yet and pulls what it needs; Never is refused
    emulated  spec.terminationGracePeriodSeconds: the cloud takes no grace period; what there is of it is left to the node
    note      made up
    request   Make 1
      Key=(secret)
      Name=shop-web-0b6f3c1e
      Odd="a\nb"
      Token=0b6f3c1e-5a52-4c0f-9d8e-3f6a1b2c3d4e

skipped Widget w of a.yaml: nobody knows it
`
	var out bytes.Buffer
	o := Output{Results: []Result{shown(t, testCloud(), false, pod)}, Skipped: []manifest.Skipped{{Source: "a.yaml", Kind: "Widget", Name: "w", Reason: "nobody knows it"}}}
	if err := WriteText(&out, o); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRequests(t *testing.T) {
	const want = `### pod shop/web on test
POST https://cloud.example/
content-type: application/x-www-form-urlencoded
x-action: Make

Key=swordfish&Name=shop-web-0b6f3c1e&Odd=a%0Ab&Token=0b6f3c1e-5a52-4c0f-9d8e-3f6a1b2c3d4e

### pod shop/web on test: refused

`
	refused := strings.Replace(pod, "spec:", "spec:\n  hostPID: true", 1)
	o := Output{Results: []Result{shown(t, testCloud(), true, pod), shown(t, testCloud(), true, refused)}}
	var out bytes.Buffer
	if err := WriteRequests(&out, o); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestVerdicts(t *testing.T) {
	missing := strings.Replace(pod, "image: nginx:1.27", "image: nginx:1.27, envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: keys}}]", 1)
	noKey := strings.Replace(pod, "image: nginx:1.27", "image: nginx:1.27, env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: a}}}]", 1) +
		"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
	const add = " is not among the files: add it with another -f (kubectl get "
	cases := map[string]struct {
		reason, pod string
		cloud       *Cloud
		verdict     Verdict
		refused     []Line
		missing     []string
	}{
		"Runs": {"nothing is in the way", pod, testCloud(), VerdictRuns, nil, nil},
		"Refused": {"every reason is told", strings.Replace(pod, "spec:", "spec:\n  hostPID: true\n  hostIPC: true", 1), testCloud(), VerdictRefused, []Line{
			{Decision: "Refused", Field: "spec.hostIPC", Reason: "a container group shares no host with anything"},
			{Decision: "Refused", Field: "spec.hostPID", Reason: "the processes beside those of a group are the cloud's own"},
		}, nil},
		"Missing": {"all that is missing is told, with what to do", missing, testCloud(), VerdictMissing, nil, []string{
			"ConfigMap shop/settings" + add + "configmap settings -n shop -o yaml)", "Secret shop/keys" + add + "secret keys -n shop -o yaml)",
		}},
		"NoKey": {"a key is missing", noKey, testCloud(), VerdictMissing, nil, []string{"couldn't find key a in ConfigMap shop/settings"}},
		"Both": {"what can never be counts for more", strings.Replace(missing, "spec:", "spec:\n  hostPID: true", 1), testCloud(), VerdictRefused, []Line{
			{Decision: "Refused", Field: "spec.hostPID", Reason: "the processes beside those of a group are the cloud's own"},
		}, []string{
			"ConfigMap shop/settings" + add + "configmap settings -n shop -o yaml)", "Secret shop/keys" + add + "secret keys -n shop -o yaml)",
		}},
		"NoRequest": {"the adapter has the last word", pod, testCloud(func(c *Cloud) {
			c.Request = func(cloudapi.GroupSpec, string) (cloudapi.Request, error) {
				return cloudapi.Request{}, errors.New("no word for it")
			}
		}), VerdictRefused, []Line{{Decision: "Refused", Reason: "no word for it"}}, nil},
		"BadNode": {"an error of the node's options is one of this pod's too", pod, testCloud(func(c *Cloud) { c.Options.Report = "x" }), VerdictRefused,
			[]Line{{Decision: "Refused", Reason: `the policy for reports is "x"; it must be warn or strict`}}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := shown(t, c.cloud, false, c.pod)
			if got.Verdict != c.verdict || (got.Request != nil) != (c.verdict == VerdictRuns) {
				t.Errorf("%s: verdict %s, request %v", c.reason, got.Verdict, got.Request)
			}
			if diff := cmp.Diff(c.refused, got.Refused) + cmp.Diff(c.missing, got.Missing); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// TestMissingKeys: every key that is missing is told at once, beside whole objects;
// not those of volumes that no container mounts, for which a kubelet does not wait.
func TestMissingKeys(t *testing.T) {
	cloud := testCloud(func(c *Cloud) { c.Options.Limits.Can.InitContainers = true })
	got := shown(t, cloud, false, `
apiVersion: v1
kind: Secret
metadata: {name: keys}
data: {there: eA==}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
binaryData: {bin: eA==}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  initContainers:
  - {name: i, image: i, env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: bin}}}]}
  containers:
  - name: a
    image: a
    env:
    - {name: A, valueFrom: {secretKeyRef: {name: keys, key: there}}}
    - {name: B, valueFrom: {secretKeyRef: {name: keys, key: gone}}}
    - {name: C, valueFrom: {secretKeyRef: {name: keys, key: perhaps, optional: true}}}
    - {name: D, valueFrom: {secretKeyRef: {name: none, key: a}}}
    - {name: E, valueFrom: {secretKeyRef: {name: keys, key: gone}}}
    volumeMounts: [{name: v, mountPath: /v}, {name: w, mountPath: /w}]
  volumes:
  - {name: u, configMap: {name: settings, items: [{key: nobodys, path: nb}]}}
  - {name: v, configMap: {name: settings, items: [{key: bin, path: b}, {key: lost, path: l}]}}
  - {name: w, projected: {sources: [{secret: {name: keys, items: [{key: away, path: a}]}}, {configMap: {name: settings, optional: true, items: [{key: nothing, path: nothing}]}}]}}
`)
	want := []string{
		"Secret shop/none is not among the files: add it with another -f (kubectl get secret none -n shop -o yaml)",
		`MountVolume.SetUp failed for volume "v" : configmap references non-existent config key: lost`,
		`MountVolume.SetUp failed for volume "w" : references non-existent secret key: away`,
		"couldn't find key bin in ConfigMap shop/settings",
		"couldn't find key gone in Secret shop/keys",
	}
	if diff := cmp.Diff(want, got.Missing); diff != "" || got.Verdict != VerdictMissing {
		t.Errorf("verdict %s (-want +got):\n%s", got.Verdict, diff)
	}
}

func TestSectionOf(t *testing.T) {
	for path, want := range map[string]string{
		"spec.hostname": "spec", "spec.securityContext": "spec", "spec.securityContext.fsGroup": "spec.securityContext",
		"spec.volumes[*].projected": "spec.volumes[*]", "spec.volumes[*].projected.sources": "spec.volumes[*].projected",
		"spec.containers": "spec", "spec.containers[*].name": "spec.containers[*]", "spec.initContainers[*].name": "spec.initContainers[*]",
	} {
		if got := sections[sectionOf(path)].prefix; got != want {
			t.Errorf("%s is in section %s, want %s", path, got, want)
		}
	}
}

// TestFieldsWithin: on a terminal no line of the table is longer than that, but
// for paths, which are one word; every field is there.
func TestFieldsWithin(t *testing.T) {
	other := testCloud(func(c *Cloud) {
		c.Title = "other"
		c.Options.Limits.Can.Hostname = true
	})
	var out bytes.Buffer
	if err := WriteFieldsWithin(&out, []Cloud{*testCloud(), *other}, 80); err != nil {
		t.Fatal(err)
	}
	fields := 0
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "spec") {
			fields++
		} else if len([]rune(line)) > 80 || !strings.HasPrefix(line, "    ") {
			t.Errorf("line %q", line)
		}
	}
	if fields != len(translate.Fields()) {
		t.Errorf("%d fields, want %d", fields, len(translate.Fields()))
	}
	const hostname = "\nspec.hostname\n    test: refused; other: honoured\n    the cloud chooses the host name itself"
	if !strings.Contains(out.String(), hostname) {
		t.Errorf("want %q in\n%s", hostname, out.String())
	}
}
