package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/cumulet/cumulet/internal/preview"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// translated runs cumulet translate and returns what it prints, what it
// complains of, and its exit code.
func translated(t *testing.T, in string, arguments ...string) (out, complaint string, code int) {
	t.Helper()
	command := newCommand()
	var stdout, stderr bytes.Buffer
	command.SetArgs(append([]string{"translate"}, arguments...))
	command.SetIn(strings.NewReader(in))
	command.SetOut(&stdout)
	command.SetErr(&stderr)
	if err := command.ExecuteContext(t.Context()); err != nil {
		return stdout.String(), err.Error(), exitCode(err)
	}
	return stdout.String(), "", 0
}

// golden compares text with a file, or writes the file with -update.
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

const plainPod = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers: [{name: web, image: nginx:1.27}]
`

const secretPod = `
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {token: swordfish-seven}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: web
    image: nginx:1.27
    args: [--token=$(TOKEN)]
    env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: keys, key: token}}}]
`

func TestExitCodes(t *testing.T) {
	const missing = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"containers":[
		{"name":"web","image":"nginx","envFrom":[{"configMapRef":{"name":"settings"}}]}]}}`
	cases := map[string]struct {
		reason    string
		in        string
		arguments []string
		code      int
		complaint string
	}{
		"Runs":        {"every pod would run", plainPod, []string{"-f", "-"}, 0, ""},
		"Refused":     {"one cloud is enough", strings.Replace(plainPod, "spec:", "spec:\n  hostNetwork: true", 1), []string{"-f", "-"}, 2, "2 of 2 would be refused"},
		"Missing":     {"a ConfigMap is not there", missing, []string{"-f", "-"}, 3, "2 of 2 lack something that is not among the files"},
		"UnknownName": {"decoding is strict", strings.Replace(plainPod, "image:", "imagee:", 1), []string{"-f", "-"}, 1, `unknown field "spec.containers[0].imagee"`},
		"Twice":       {"a key is there twice", plainPod + "spec: {}\n", []string{"-f", "-"}, 1, `key "spec" already set in map`},
		"NoFile":      {"nothing to read", "", nil, 1, "-f is missing"},
		"NoSuchFile":  {"a wrong name", "", []string{"-f", "no-such.yaml"}, 1, "no such file"},
		"NoPod":       {"nothing makes a pod", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", []string{"-f", "-"}, 1, "no pod and nothing that makes pods"},
		"Unknown": {"what was passed over is told", "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n", []string{"-f", "-"}, 1,
			"nothing that makes pods; skipped Widget.example.com w of stdin: its kind is not known here"},
		"OldVersion":  {"not passed over beside a pod", plainPod + "---\napiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: d}\n", []string{"-f", "-"}, 1, "in Kubernetes it is apiVersion apps/v1, kind Deployment"},
		"NoVersion":   {"a Secret is not shown", "kind: Secret\nmetadata: {name: s}\nstringData: {a: swordfish}\n", []string{"-f", "-"}, 1, "stdin, document 1: no Kubernetes object: Object 'apiVersion' is missing in Secret s"},
		"TableForm":   {"the table has one form", "", []string{"--all-fields", "-o", "json"}, 1, "--all-fields takes no -o"},
		"TableSecret": {"and no secrets", "", []string{"--all-fields", "--show-secrets"}, 1, "--all-fields takes no --show-secrets"},
		"BadSpace":    {"a namespace has a name", plainPod, []string{"-f", "-", "-n", "My Shop"}, 1, `--namespace is "My Shop"`},
		"BadCloud":    {"two clouds are known", plainPod, []string{"-f", "-", "--cloud", "aws"}, 1, `--cloud is "aws"`},
		"BadDialect":  {"two dialects are known", plainPod, []string{"-f", "-", "--dialect", "x"}, 1, `--dialect is "x"`},
		"NoDialect":   {"eci has none", plainPod, []string{"-f", "-", "--cloud", "eci", "--dialect", "seed"}, 1, "eci has no dialects"},
		"BadForm":     {"four forms are known", plainPod, []string{"-f", "-", "-o", "xml"}, 1, `--output is "xml"`},
		"LoneNode":    {"a node of nothing", plainPod, []string{"-f", "-", "--node", "a"}, 1, "--config, which is missing"},
		"TableAlone":  {"the table is of no pod", "", []string{"--all-fields", "-f", "-"}, 1, "--all-fields takes no -f"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, complaint, code := translated(t, c.in, c.arguments...)
			if code != c.code || !strings.Contains(complaint, c.complaint) || c.complaint == "" && complaint != "" {
				t.Errorf("%s: code %d, %q; want %d, %q", c.reason, code, complaint, c.code, c.complaint)
			}
		})
	}
}

// TestSecretsStayOut: no form of the output tells a secret unless it is asked
// to, wherever in the request it came to stand.
func TestSecretsStayOut(t *testing.T) {
	for _, form := range []string{"text", "json", "yaml", "request"} {
		out, complaint, code := translated(t, secretPod, "-f", "-", "-o", form)
		if code != 0 || strings.Contains(out, "swordfish") || !strings.Contains(out, "secret") {
			t.Errorf("%s: code %d, %s\n%s", form, code, complaint, out)
		}
		if out, _, code := translated(t, strings.ReplaceAll(secretPod, "swordfish-seven", "'8347'"), "-f", "-", "-o", form); code != 0 || strings.Contains(out, "8347") {
			t.Errorf("%s: code %d, a short secret:\n%s", form, code, out)
		}
		if out, _, _ := translated(t, secretPod, "-f", "-", "-o", form, "--show-secrets"); !strings.Contains(out, "swordfish-seven") {
			t.Errorf("%s: --show-secrets does not show it:\n%s", form, out)
		}
	}
}

// TestForms: JSON and YAML are the same output.
func TestForms(t *testing.T) {
	out, _, _ := translated(t, plainPod, "-f", "-", "-o", "json")
	var fromJSON, fromYAML preview.Output
	if err := json.Unmarshal([]byte(out), &fromJSON); err != nil {
		t.Fatal(err)
	}
	out, _, _ = translated(t, plainPod, "-f", "-", "-o", "yaml")
	if err := yaml.UnmarshalStrict([]byte(out), &fromYAML); err != nil {
		t.Fatal(err)
	}
	if len(fromJSON.Results) != 2 || fromJSON.Results[0].Size.CPU != 2 || fromJSON.Results[1].Dialect != "extended" {
		t.Errorf("results %+v", fromJSON.Results)
	}
	if a, b := mustJSON(t, fromJSON), mustJSON(t, fromYAML); a != b {
		t.Errorf("the two forms differ (-json +yaml):\n%s", cmp.Diff(a, b))
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestConfiguredNode: the node's settings and policy are used; no access key is
// needed.
func TestConfiguredNode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cumulet.yaml")
	const text = `
clusterID: c-1
nodes:
- name: eci-1
  cloud: eci
  region: cn-shanghai
  address: 192.0.2.9
  subnets: [vsw-mine]
  policy: {securityContext: report}
- name: kci-1
  cloud: kci
  region: cn-shanghai-2
  dialect: seed
  subnets: [sub-mine]
  securityGroups: [sg-mine]
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	pod := strings.Replace(plainPod, "image: nginx:1.27", "image: nginx:1.27, securityContext: {allowPrivilegeEscalation: false}", 1)
	out, complaint, code := translated(t, pod, "-f", "-", "--config", file, "--node", "eci-1")
	for _, want := range []string{"RegionId=cn-shanghai\n", "VSwitchId=vsw-mine\n", "Tag.1.Value=c-1\n", "ignored   spec.containers[0].securityContext.allowPrivilegeEscalation"} {
		if !strings.Contains(out, want) {
			t.Errorf("code %d, %s: no %q in\n%s", code, complaint, want, out)
		}
	}
	if out, _, code := translated(t, plainPod, "-f", "-", "--config", file); code != 0 || !strings.Contains(out, "kci (dialect seed): would run") {
		t.Errorf("code %d for all nodes:\n%s", code, out)
	}
	if _, complaint, code := translated(t, plainPod, "-f", "-", "--config", file, "--node", "x"); code != 1 || !strings.Contains(complaint, "it has eci-1, kci-1") {
		t.Errorf("an unknown node: code %d, %s", code, complaint)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(text, "  dialect: seed", "  dialect: seed\n  options: {ram-rol: x}", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, complaint, code := translated(t, plainPod, "-f", "-", "--config", file); code != 1 || out != "" || !strings.Contains(complaint, "nodes[1].options[ram-rol]: there is no such option; did you mean ram-role?") {
		t.Errorf("a configuration with which cumulet does not run: code %d, %s\n%s", code, complaint, out)
	}
}

// TestFieldsReference holds docs/reference/fields.md to the table.
func TestFieldsReference(t *testing.T) {
	clouds, err := (&translateFlags{allFields: true}).clouds()
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := preview.WriteFieldsMarkdown(&page, clouds); err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("..", "..", "docs", "reference", "fields.md"), page.String())
	for _, undecided := range []string{"undecided", "TODO", "| |"} {
		if strings.Contains(page.String(), undecided+"\n") {
			t.Errorf("the page has %q", undecided)
		}
	}
	out, complaint, code := translated(t, "", "--all-fields")
	if lines := strings.Count(out, "\n"); code != 0 || lines != strings.Count(page.String(), "\n| `")+1 {
		t.Errorf("--all-fields: code %d, %s, %d lines", code, complaint, lines)
	}
}

func TestExitCode(t *testing.T) {
	if got := exitCode(errors.New("any")); got != 1 {
		t.Errorf("%d, want 1", got)
	}
}
