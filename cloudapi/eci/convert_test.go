package eci

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"
	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file, or rewrites it with -update.
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
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// inputs lists the input files of a golden directory; none is a failure.
func inputs(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files match %s (%v)", pattern, err)
	}
	return files
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func TestCreateRequest(t *testing.T) {
	for _, path := range inputs(t, "testdata/create/*.spec.json") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			var spec, before cloudapi.GroupSpec
			readJSON(t, path, &spec)
			readJSON(t, path, &before)
			request, err := createRequest(spec, "cn-hangzhou", "token-1")
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for name, value := range openapiutil.Query(request) {
				lines = append(lines, name+"="+*value+"\n")
			}
			slices.Sort(lines)
			golden(t, strings.TrimSuffix(path, ".spec.json")+".params", strings.Join(lines, ""))
			if diff := cmp.Diff(before, spec); diff != "" {
				t.Errorf("the spec was changed (-before +after):\n%s", diff)
			}
		})
	}
}

// TestEveryFieldIsSent sets every field of a GroupSpec in the golden full and
// holds that true: a field that cloudapi gains must be converted or refused.
func TestEveryFieldIsSent(t *testing.T) {
	var spec cloudapi.GroupSpec
	readJSON(t, "testdata/create/full.spec.json", &spec)
	for name, value := range map[string]any{
		"GroupSpec": spec, "Identity": spec.Identity, "Placement": spec.Placement,
		"Container": spec.Containers[0], "Mount": spec.Containers[0].Mounts[1], "Port": spec.Containers[0].Ports[0],
		"HTTPProbe": *spec.Containers[0].Liveness.HTTP, "TCPProbe": *spec.Containers[0].Readiness.TCP,
		"ExecProbe": *spec.Containers[1].Readiness.Exec, "EmptyDir": *spec.Volumes[0].EmptyDir,
		"Files": *spec.Volumes[2].Files, "File": spec.Volumes[2].Files.Items[0], "NFS": *spec.Volumes[3].NFS,
		"DNS": *spec.DNS, "DNSOption": spec.DNS.Options[0], "HostAlias": spec.HostAliases[0],
		"PullCredential": spec.PullCredentials[0], "Security": spec.Containers[0].Security, "Sysctl": spec.Sysctls[0],
		"HTTPHandler": *spec.Containers[0].PostStart.HTTP, "Header": spec.Containers[0].PostStart.HTTP.Headers[0],
		"TCPHandler": *spec.Containers[1].PostStart.TCP,
	} {
		v := reflect.ValueOf(value)
		for i := range v.NumField() {
			field := v.Type().Field(i).Name
			if v.Field(i).IsZero() && (name != "Mount" || field != "ReadOnly") {
				t.Errorf("%s.%s is not set in full.spec.json: set it there and convert it", name, field)
			}
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	base := func(change func(*cloudapi.GroupSpec)) cloudapi.GroupSpec {
		spec := cloudapi.GroupSpec{
			Name:           "ab",
			InitContainers: []cloudapi.Container{{Name: "i", Image: "i"}},
			Containers:     []cloudapi.Container{{Name: "c", Image: "c"}},
			Volumes:        []cloudapi.Volume{{Name: "v", EmptyDir: &cloudapi.EmptyDir{}}},
		}
		change(&spec)
		return spec
	}
	probe := &cloudapi.Probe{TCP: &cloudapi.TCPProbe{Port: 1}}
	hook, group := &cloudapi.Handler{Exec: []string{"x"}}, int64(1)
	cases := map[string]struct {
		reason string
		change func(*cloudapi.GroupSpec)
		code   cloudapi.Code
		text   string
	}{
		"InitLiveness": {"no parameter", func(s *cloudapi.GroupSpec) { s.InitContainers[0].Liveness = probe },
			cloudapi.CodeUnsupported, "InitContainers[0].Liveness: init containers have no probes"},
		"InitReadiness": {"no parameter", func(s *cloudapi.GroupSpec) { s.InitContainers[0].Readiness = probe },
			cloudapi.CodeUnsupported, "InitContainers[0].Readiness: init containers have no probes"},
		"InitStdin": {"no parameter", func(s *cloudapi.GroupSpec) { s.InitContainers[0].StdinOnce = true },
			cloudapi.CodeUnsupported, "InitContainers[0].Stdin: init containers have no stdin"},
		"InitTTY": {"no parameter", func(s *cloudapi.GroupSpec) { s.InitContainers[0].TTY = true },
			cloudapi.CodeUnsupported, "InitContainers[0].TTY: init containers have no terminal"},
		"OtherField": {"the cloud knows the pod's address only", func(s *cloudapi.GroupSpec) {
			s.Containers[0].Env = []cloudapi.EnvVar{{Name: "N", FieldPath: "spec.nodeName"}}
		}, cloudapi.CodeUnsupported, "Containers[0].Env[N].FieldPath: spec.nodeName; the cloud knows status.podIP only"},
		"EmptyProbe": {"a probe must do something", func(s *cloudapi.GroupSpec) { s.Containers[0].Liveness = &cloudapi.Probe{} },
			cloudapi.CodeInvalid, "Containers[0].Liveness.HTTP, TCP, Exec: exactly one must be set, not 0"},
		"DoubleProbe": {"and one thing only", func(s *cloudapi.GroupSpec) {
			s.Containers[0].Readiness = &cloudapi.Probe{TCP: probe.TCP, Exec: &cloudapi.ExecProbe{Command: []string{"x"}}}
		}, cloudapi.CodeInvalid, "Containers[0].Readiness.HTTP, TCP, Exec: exactly one must be set, not 2"},
		"LongProbe": {"probe commands have 20 elements", func(s *cloudapi.GroupSpec) {
			s.Containers[0].Readiness = &cloudapi.Probe{Exec: &cloudapi.ExecProbe{Command: make([]string, 21)}}
		}, cloudapi.CodeInvalid, "Containers[0].Readiness.Exec.Command: has 21 elements; the cloud takes 1 to 20"},
		"LongArgs": {"arguments to the image's entry point cannot move", func(s *cloudapi.GroupSpec) {
			s.Containers[0].Args = make([]string, 11)
		}, cloudapi.CodeInvalid, "Containers[0]." + commandBounds},
		"InitPostStart": {"no parameter", func(s *cloudapi.GroupSpec) { s.InitContainers[0].PostStart = hook },
			cloudapi.CodeUnsupported, "InitContainers[0].PostStart: init containers have no hooks"},
		"InitPreStop": {"no parameter", func(s *cloudapi.GroupSpec) { s.InitContainers[0].PreStop = hook },
			cloudapi.CodeUnsupported, "InitContainers[0].PreStop: init containers have no hooks"},
		"InitGroup": {"no parameter", func(s *cloudapi.GroupSpec) { s.InitContainers[0].Security.RunAsGroup = &group },
			cloudapi.CodeUnsupported, "InitContainers[0].Security.RunAsGroup: init containers have no such parameter"},
		"InitNonRoot": {"no parameter", func(s *cloudapi.GroupSpec) { s.InitContainers[0].Security.RunAsNonRoot = true },
			cloudapi.CodeUnsupported, "InitContainers[0].Security.RunAsNonRoot: init containers have no such parameter"},
		"InitCapability": {"the cloud grants two", func(s *cloudapi.GroupSpec) {
			s.InitContainers[0].Security.AddCapabilities = []string{"NET_RAW", "SYS_ADMIN"}
		}, cloudapi.CodeUnsupported, "InitContainers[0].Security.AddCapabilities[1]: SYS_ADMIN; the cloud grants NET_ADMIN and NET_RAW only"},
		"Capability": {"the cloud grants two", func(s *cloudapi.GroupSpec) {
			s.Containers[0].Security.AddCapabilities = []string{"SYS_ADMIN"}
		}, cloudapi.CodeUnsupported, "Containers[0].Security.AddCapabilities[0]: SYS_ADMIN; the cloud grants NET_ADMIN and NET_RAW only"},
		"Sysctl": {"excepted by name", func(s *cloudapi.GroupSpec) {
			s.Sysctls = []cloudapi.Sysctl{{Name: "kernel.shm_rmid_forced", Value: "1"}}
		}, cloudapi.CodeUnsupported, "Sysctls[0].Name: the cloud does not take kernel.shm_rmid_forced"},
		"EmptyHook": {"a hook must do something", func(s *cloudapi.GroupSpec) { s.Containers[0].PostStart = &cloudapi.Handler{} },
			cloudapi.CodeInvalid, "Containers[0].PostStart.HTTP, TCP, Exec: exactly one must be set, not 0"},
		"DoubleHook": {"and one thing only", func(s *cloudapi.GroupSpec) {
			s.Containers[0].PreStop = &cloudapi.Handler{Exec: []string{"x"}, TCP: &cloudapi.TCPHandler{Port: 1}}
		}, cloudapi.CodeInvalid, "Containers[0].PreStop.HTTP, TCP, Exec: exactly one must be set, not 2"},
		"LongHook": {"the schema's bound", func(s *cloudapi.GroupSpec) {
			s.Containers[0].PreStop = &cloudapi.Handler{Exec: make([]string, 101)}
		}, cloudapi.CodeInvalid, "Containers[0].PreStop.Exec: has 101 elements; the cloud takes at most 100"},
		"ManyHeaders": {"the schema's bound", func(s *cloudapi.GroupSpec) {
			s.Containers[0].PostStart = &cloudapi.Handler{HTTP: &cloudapi.HTTPHandler{Port: 1, Headers: make([]cloudapi.Header, 101)}}
		}, cloudapi.CodeInvalid, "Containers[0].PostStart.HTTP.Headers: has 101 items; the cloud takes at most 100"},
		"NoSource": {"a volume has one source", func(s *cloudapi.GroupSpec) { s.Volumes[0].EmptyDir = nil },
			cloudapi.CodeInvalid, "Volumes[0].EmptyDir, Files, NFS, Disk, Bucket, HostPath: exactly one must be set, not 0"},
		"TwoSources": {"and one only", func(s *cloudapi.GroupSpec) { s.Volumes[0].NFS = &cloudapi.NFS{} },
			cloudapi.CodeInvalid, "Volumes[0].EmptyDir, Files, NFS, Disk, Bucket, HostPath: exactly one must be set, not 2"},
		"LongName": {"two tags hold 256 characters", func(s *cloudapi.GroupSpec) { s.Identity.PodName = strings.Repeat("p", 257) },
			cloudapi.CodeInvalid, "Identity: the value of tag cumulet.dev/pod must be UTF-8 of at most 256 characters"},
		"ReservedValue": {"the cloud keeps the prefix to itself", func(s *cloudapi.GroupSpec) { s.Identity.Cluster = "acs:1" },
			cloudapi.CodeInvalid, "Identity: the value of tag cumulet.dev/cluster must not start with acs:"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := createRequest(base(tc.change), "cn-hangzhou", "")
			want := &cloudapi.Error{Op: "CreateContainerGroup", Code: tc.code, Message: tc.text}
			if diff := cmp.Diff(error(want), err); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestIdentityRoundTrip(t *testing.T) {
	long := strings.Repeat("p", 120) + ".-." + strings.Repeat("q", 130) // 253 characters, the most a pod's name may have
	for name, id := range map[string]cloudapi.Identity{
		"Short":   {Cluster: "c", Node: "n", Namespace: "ns", PodName: "p", PodUID: "u"},
		"Long":    {Cluster: "c", Node: strings.Repeat("n", 253), Namespace: "ns", PodName: long, PodUID: "u"},
		"Exactly": {Cluster: "c", Node: "n", Namespace: "ns", PodName: long[:128], PodUID: "u"},
		"OneMore": {Cluster: "c", Node: "n", Namespace: "ns", PodName: long[:129], PodUID: "u"},
		"Nobody":  {},
	} {
		tags, err := identityTags(id)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var wire []wireTag
		for _, tag := range tags {
			if n := len(tag.key); n > 64 {
				t.Errorf("%s: key %s has %d characters, at most 64 are allowed", name, tag.key, n)
			}
			if n := len(tag.value); n == 0 || n > 128 {
				t.Errorf("%s: the value of %s has %d characters, 1 to 128 are allowed", name, tag.key, n)
			}
			wire = append(wire, wireTag{text(tag.key), text(tag.value)})
		}
		if diff := cmp.Diff(id, identityOf(wire)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestLongestIdentity: what Limits promises of an identity's values is what its
// tags hold, and no pod's name is longer.
func TestLongestIdentity(t *testing.T) {
	longest := Limits("cn-hangzhou").MaxTagValue
	if longest < 253 {
		t.Errorf("a value has at most %d characters, and a pod's name may have 253", longest)
	}
	if _, err := identityTags(cloudapi.Identity{PodName: strings.Repeat("p", longest)}); err != nil {
		t.Errorf("%d characters: %v", longest, err)
	}
	if _, err := identityTags(cloudapi.Identity{PodName: strings.Repeat("p", longest+1)}); err == nil {
		t.Errorf("%d characters are taken, one more than Limits promises", longest+1)
	}
}

func TestArrange(t *testing.T) {
	script := strings.Repeat("x", 300)
	many := strings.Split(strings.Repeat("a ", 25)+"a", " ") // 26 elements
	type split struct {
		Command, Args []string
		OK            bool
	}
	cases := map[string]struct {
		reason        string
		command, args []string
		want          split
	}{
		"Untouched":    {"what fits stays as it is", []string{"sh", "-c"}, []string{"echo"}, split{[]string{"sh", "-c"}, []string{"echo"}, true}},
		"ArgsOnly":     {"arguments alone stay arguments", nil, []string{"a"}, split{nil, []string{"a"}, true}},
		"LongElement":  {"a long element and all after it become arguments", []string{"sh", "-c", script}, []string{"x"}, split{[]string{"sh", "-c"}, []string{script, "x"}, true}},
		"LongArg":      {"an argument may be long", []string{"sh"}, []string{"-c", script}, split{[]string{"sh"}, []string{"-c", script}, true}},
		"ManyElements": {"more than 20 elements spill over", many, nil, split{many[:20], many[20:], true}},
		"ManyArgs":     {"more than 10 arguments move to the command", []string{"run"}, many[:12], split{append([]string{"run"}, many[:12]...), []string{}, true}},
		"LongFirst":    {"the first element cannot move", []string{script}, nil, split{[]string{script}, nil, false}},
		"TooMany":      {"30 elements are the most", many, many[:5], split{many, many[:5], false}},
		"ArgsAlone":    {"10 arguments to the entry point are the most", nil, many[:11], split{nil, many[:11], false}},
		"Nothing":      {"nothing is fine", nil, nil, split{nil, nil, true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got split
			got.Command, got.Args, got.OK = arrange(tc.command, tc.args)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestWireNames holds the field names of our answers against the SDK's.
func TestWireNames(t *testing.T) {
	// StartedAt is read beside the documented name; see wireRunning.
	extra := map[string]bool{"Data.PodStatus.ContainerStatuses.State.Running.StartedAt": true,
		"Data.PodStatus.ContainerStatuses.LastState.Running.StartedAt": true}
	for _, pair := range []struct{ ours, theirs any }{
		{groupsAnswer{}, sdk.DescribeContainerGroupsResponseBody{}},
		{statusAnswer{}, sdk.DescribeContainerGroupStatusResponseBody{}},
		{metricsAnswer{}, sdk.DescribeMultiContainerGroupMetricResponseBody{}},
		{logAnswer{}, sdk.DescribeContainerLogResponseBody{}},
		{execAnswer{}, sdk.ExecContainerCommandResponseBody{}},
		{createAnswer{}, sdk.CreateContainerGroupResponseBody{}},
		{deleteAnswer{}, sdk.DeleteContainerGroupResponseBody{}},
	} {
		theirs := fieldNames(reflect.TypeOf(pair.theirs), "")
		for _, name := range fieldNames(reflect.TypeOf(pair.ours), "") {
			if !slices.Contains(theirs, name) && !extra[name] {
				t.Errorf("%T has no field %s", pair.theirs, name)
			}
		}
	}
}

// fieldNames lists the JSON paths of a struct's scalars.
func fieldNames(typ reflect.Type, path string) []string {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[boolean]() {
		return []string{strings.TrimPrefix(path, ".")}
	}
	var out []string
	for field := range typ.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		out = append(out, fieldNames(field.Type, path+"."+name)...)
	}
	return out
}
