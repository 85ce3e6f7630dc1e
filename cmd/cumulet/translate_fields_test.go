package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/cumulet/cumulet/internal/manifest"
	"github.com/cumulet/cumulet/internal/preview"
	"github.com/cumulet/cumulet/translate"
)

// fieldCase is a pod that sets some fields of the table and nothing else.
type fieldCase struct {
	// Rows are the fields, below where the file's fields are; "." is that
	// itself. A fragment often sets several that only make sense together.
	Rows []string `json:"rows"`
	// Only says of which kind of container alone.
	Only string `json:"only"`
	// Set is what is set there, Pod what else the pod needs for it.
	Set map[string]any `json:"set"`
	Pod map[string]any `json:"pod"`
	// Same says why nothing of the request differs although a field is
	// honoured.
	Same string `json:"same"`
	// Value says why the case's value may be refused where the table does not
	// refuse the field.
	Value string `json:"value"`
}

// place is where the fields of a file of cases are, and how a pod gets them.
type place struct {
	file, prefix string
	put          func(spec, set map[string]any)
	// base is what the pods of the place have, with or without the fields.
	base map[string]any
}

// baseSpec is the spec of a pod that asks for nothing.
func baseSpec(more map[string]any) map[string]any {
	spec := map[string]any{"containers": []any{map[string]any{"name": "web", "image": "nginx:1.27"}}}
	maps.Copy(spec, more)
	return spec
}

func containerOf(spec map[string]any, list string) map[string]any {
	return spec[list].([]any)[0].(map[string]any)
}

func places() []place {
	first := map[string]any{"initContainers": []any{map[string]any{"name": "first", "image": "busybox:1.36"}}}
	out := []place{
		{file: "pod", prefix: "spec", put: func(spec, set map[string]any) { maps.Copy(spec, set) }},
		{file: "container", prefix: "spec.containers[*]", put: func(spec, set map[string]any) { maps.Copy(containerOf(spec, "containers"), set) }},
		{file: "container", prefix: "spec.initContainers[*]", base: first, put: func(spec, set map[string]any) {
			maps.Copy(containerOf(spec, "initContainers"), set)
		}},
		{file: "volume", prefix: "spec.volumes[*]", put: func(spec, set map[string]any) {
			set["name"] = "v"
			spec["volumes"] = []any{set}
			containerOf(spec, "containers")["volumeMounts"] = []any{map[string]any{"name": "v", "mountPath": "/v"}}
		}},
	}
	for _, probe := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
		out = append(out, place{file: "probe", prefix: "spec.containers[*]." + probe,
			put: func(spec, set map[string]any) { containerOf(spec, "containers")[probe] = set }})
	}
	for _, hook := range []string{"postStart", "preStop"} {
		out = append(out, place{file: "hook", prefix: "spec.containers[*].lifecycle." + hook,
			put: func(spec, set map[string]any) {
				containerOf(spec, "containers")["lifecycle"] = map[string]any{hook: set}
			}})
	}
	return out
}

// copied is a deep copy of what YAML decodes to.
func copied(t *testing.T, m map[string]any) map[string]any {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// shown is a pod of this spec on a cloud.
func shown(t *testing.T, cloud *preview.Cloud, objects []byte, spec map[string]any) preview.Result {
	t.Helper()
	pod, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": spec, "metadata": map[string]any{
		"name": "web", "namespace": "shop", "uid": "0b6f3c1e-5a52-4c0f-9d8e-3f6a1b2c3d4e",
	}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Read([]manifest.Source{{Name: "pod", Data: pod}, {Name: "objects", Data: objects}}, "shop")
	if err != nil {
		t.Fatalf("%s: %v", pod, err)
	}
	return cloud.Of(m, &m.Pods[0], false)
}

// lines are what the golden files compare of a result.
func lines(r *preview.Result) (parameters, told []string) {
	if r.Request != nil {
		for _, p := range r.Request.Parameters {
			parameters = append(parameters, p.Name+"="+p.Value)
		}
	}
	for _, l := range append(slices.Clone(r.Refused), r.Report...) {
		text := strings.ToLower(string(l.Decision)) + " " + l.Field + ": " + l.Reason
		if l.Asked != "" {
			text += fmt.Sprintf(" (%s -> %s)", l.Asked, l.Sold)
		}
		told = append(told, text)
	}
	for _, m := range r.Missing {
		told = append(told, "missing "+m)
	}
	for _, e := range r.Events {
		told = append(told, "event "+e.Reason+": "+e.Message)
	}
	return parameters, told
}

// difference is what a result has beyond another, and what it lacks of the
// other's request.
func difference(base, got *preview.Result) []string {
	baseParameters, baseTold := lines(base)
	parameters, told := lines(got)
	var out []string
	for _, t := range told {
		if !slices.Contains(baseTold, t) {
			out = append(out, t)
		}
	}
	if got.Request == nil {
		return out
	}
	for _, p := range baseParameters {
		if !slices.Contains(parameters, p) {
			out = append(out, "- "+p)
		}
	}
	for _, p := range parameters {
		if !slices.Contains(baseParameters, p) {
			out = append(out, "+ "+p)
		}
	}
	return out
}

// TestEveryField has for every row of the table a pod that sets this field, and
// holds in golden files what that makes of the request, or what is told. Beyond
// the files it holds that the table's word is true: what is refused, emulated or
// ignored is told at its path, and what is honoured changes the request.
func TestEveryField(t *testing.T) {
	clouds, err := (&translateFlags{allFields: true}).clouds()
	if err != nil {
		t.Fatal(err)
	}
	objects, err := os.ReadFile(filepath.Join("testdata", "fields", "objects.txt"))
	if err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{}
	texts := map[string]*strings.Builder{}
	for _, at := range places() {
		if texts[at.file] == nil {
			texts[at.file] = &strings.Builder{}
		}
		base := make([]preview.Result, len(clouds))
		for i := range clouds {
			base[i] = shown(t, &clouds[i], objects, baseSpec(copied(t, at.base)))
		}
		for _, c := range readCases(t, at.file) {
			if c.Only != "" && "spec."+c.Only+"[*]" != at.prefix {
				continue
			}
			paths := c.paths(at.prefix)
			for _, path := range paths {
				covered[path] = true
			}
			text := texts[at.file]
			fmt.Fprintf(text, "%s\n  %s\n", strings.Join(paths, "\n"), strings.ReplaceAll(strings.TrimSpace(asYAML(t, c.Set)), "\n", "\n  "))
			for i := range clouds {
				spec := baseSpec(copied(t, at.base))
				maps.Copy(spec, copied(t, c.Pod))
				at.put(spec, copied(t, c.Set))
				got := shown(t, &clouds[i], objects, spec)
				found := difference(&base[i], &got)
				fmt.Fprintf(text, "  %s: %s\n", clouds[i].Title, got.Verdict)
				for _, line := range found {
					fmt.Fprintf(text, "    %s\n", line)
				}
				c.check(t, &clouds[i], paths, &got, found)
			}
			text.WriteString("\n")
		}
	}
	for file, text := range texts {
		golden(t, filepath.Join("testdata", "fields", file+".golden"), text.String())
	}
	for _, f := range translate.Fields() {
		if !covered[f.Path] {
			t.Errorf("no case sets %s: add one to testdata/fields, run with -update and read what becomes of it", f.Path)
		}
		delete(covered, f.Path)
	}
	for path := range covered {
		t.Errorf("a case names %s, which is no row of the table", path)
	}
}

func readCases(t *testing.T, file string) []fieldCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "fields", file+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []fieldCase
	if err := yaml.UnmarshalStrict(data, &cases); err != nil || len(cases) == 0 {
		t.Fatalf("%s: %d cases, %v", file, len(cases), err)
	}
	return cases
}

func (c *fieldCase) paths(prefix string) []string {
	var out []string
	for _, row := range c.Rows {
		if row == "." {
			out = append(out, prefix)
		} else {
			out = append(out, prefix+"."+row)
		}
	}
	return out
}

func asYAML(t *testing.T, v any) string {
	t.Helper()
	data, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// check holds that what became of the case's fields is what the table says.
func (c *fieldCase) check(t *testing.T, cloud *preview.Cloud, paths []string, got *preview.Result, found []string) {
	t.Helper()
	_, all := lines(got)
	told := strings.Join(all, "\n")
	if got.Verdict == preview.VerdictRefused && c.Value == "" && !saysRefused(cloud, paths) {
		t.Errorf("%s: a pod with %v is refused, but the table says of none of them that it is:\n%s", cloud.Title, paths, told)
	}
	for _, f := range translate.Fields() {
		if !slices.Contains(paths, f.Path) {
			continue
		}
		at := strings.ReplaceAll(f.Path, "[*]", "[0]")
		switch decision := f.On(cloud.Options.Limits.Can); {
		case got.Verdict == preview.VerdictRefused && decision != translate.DecisionRefused:
			// Another field of the case is refused, or its value.
		case decision == translate.DecisionHonoured && len(found) == 0 && c.Same == "":
			t.Errorf("%s: %s is honoured, but nothing comes of it", cloud.Title, f.Path)
		case decision == translate.DecisionRefused && !f.Parts && got.Verdict != preview.VerdictRefused:
			t.Errorf("%s: %s is refused, but the pod runs", cloud.Title, f.Path)
		case decision != translate.DecisionHonoured && decision != translate.DecisionRefused && !strings.Contains(told, at) && !strings.HasSuffix(at, "[0]"):
			t.Errorf("%s: %s is %s, but nothing is told at its path:\n%s", cloud.Title, f.Path, decision, told)
		}
	}
}

// saysRefused tells whether the table refuses one of these fields on a cloud, or
// what it is a part of.
func saysRefused(cloud *preview.Cloud, paths []string) bool {
	return slices.ContainsFunc(translate.Fields(), func(f translate.Field) bool {
		return f.On(cloud.Options.Limits.Can) == translate.DecisionRefused && slices.ContainsFunc(paths, func(path string) bool {
			return path == f.Path || strings.HasPrefix(path, f.Path+".") || strings.HasPrefix(path, f.Path+"[")
		})
	})
}
