package eci_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/eci"
	emulator "github.com/cumulet/cumulet/internal/emulator/eci"
	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/simulated"
)

// These tests hold the client against the emulated cloud, which shares no code
// with it: names, signatures and limits were read from the same documents by
// somebody else.

const patience = 20 * time.Second

// scale lets the client go faster than the published quotas, which most of
// these emulated clouds do not enforce.
const scale = 10

var owner = cloudapi.Owner{Cluster: "c-1", Node: "vk-1"}

func identity(pod string) cloudapi.Identity {
	return cloudapi.Identity{Cluster: "c-1", Node: "vk-1", Namespace: "default", PodName: pod, PodUID: "0b7a1f52-2f4e-4d52-9a6c-6f0f2f0c9d11"}
}

var accounts = []emulator.AccessKey{
	{ID: "static", Secret: "s3cret"},
	{ID: "session", Secret: "s3cret", SecurityToken: "t0ken"},
	{ID: "blind", Secret: "s3cret", Deny: []string{"Describe*"}},
}

// emulate starts an emulated cloud and returns its URL.
func emulate(t *testing.T, quotas map[string]emulator.Quota) string {
	t.Helper()
	runtime := simulated.New(simulated.Options{Clock: clock.RealClock{}})
	t.Cleanup(runtime.Close)
	return emulateOn(t, runtime, quotas)
}

// emulateOn starts an emulated cloud with this machine below it.
func emulateOn(t *testing.T, runtime engine.Runtime, quotas map[string]emulator.Quota) string {
	t.Helper()
	var made atomic.Int64
	groups := engine.New(engine.Options{
		Clock: clock.RealClock{}, Runtime: runtime, Addresses: netip.MustParsePrefix("10.0.0.0/16"),
		NewID: func() string { return fmt.Sprintf("eci-%020d", made.Add(1)) },
	})
	t.Cleanup(groups.Close)
	server := httptest.NewServer(emulator.New(emulator.Options{
		Groups: groups, Keys: accounts, Quotas: quotas, Zones: []string{"cn-hangzhou-h"},
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func connect(t *testing.T, url string, credentials eci.Credentials) *eci.Client {
	t.Helper()
	client, err := eci.New(eci.Options{
		Region: "cn-hangzhou", Endpoint: url, Credentials: credentials, QuotaScale: scale,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func account(id string) eci.Credentials {
	for _, a := range accounts {
		if a.ID == id {
			return eci.Credentials{AccessKeyID: a.ID, AccessKeySecret: a.Secret, SecurityToken: a.SecurityToken}
		}
	}
	return eci.Credentials{}
}

func create(t *testing.T, client *eci.Client, spec cloudapi.GroupSpec, token string) string {
	t.Helper()
	id, err := client.Create(t.Context(), spec, cloudapi.CreateOptions{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// await gets a group until it is as it should be.
func await(t *testing.T, client *eci.Client, id string, done func(cloudapi.Group) bool) cloudapi.Group {
	t.Helper()
	var last cloudapi.Group
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		groups, err := client.Get(t.Context(), []string{id})
		if err != nil {
			t.Fatal(err)
		}
		if len(groups) == 1 {
			if last = groups[0]; done(last) {
				return last
			}
		}
	}
	t.Fatalf("group %s did not get there: %+v", id, last)
	return last
}

func running(g cloudapi.Group) bool { return g.Status == cloudapi.StatusRunning }

func web(pod string) cloudapi.GroupSpec {
	return cloudapi.GroupSpec{
		Name: "default-" + pod, Identity: identity(pod), CPU: 1, Memory: 2, RestartPolicy: cloudapi.RestartNever,
		Containers: []cloudapi.Container{{
			Name: "web", Image: "busybox", Command: []string{"sh", "-c", "echo one; echo two; sleep 3600"},
		}},
	}
}

func TestLifeOfAGroup(t *testing.T) {
	for _, id := range []string{"static", "session"} {
		t.Run(id, func(t *testing.T) {
			client := connect(t, emulate(t, emulator.PublishedQuotas()), account(id))
			long := strings.Repeat("p", 250) + "-x"
			spec := web(long)
			spec.Name = "default-web"
			group := create(t, client, spec, "token-1")
			if again := create(t, client, spec, "token-1"); again != group {
				t.Errorf("the same token made %s and %s", group, again)
			}
			other := spec
			other.CPU = 2
			if _, err := client.Create(t.Context(), other, cloudapi.CreateOptions{Token: "token-1"}); !cloudapi.Is(err, cloudapi.CodeMismatch) {
				t.Errorf("got %v for another request with the same token, want code Mismatch", err)
			}

			got := await(t, client, group, running)
			if diff := cmp.Diff(identity(long), got.Identity); diff != "" {
				t.Errorf("identity (-want +got):\n%s", diff)
			}
			if got.CPU != 1 || got.Memory != 2 || got.Name != "default-web" || len(got.IPs) != 1 || got.CreatedAt.IsZero() || got.Zone != "cn-hangzhou-h" {
				t.Errorf("group %+v", got)
			}
			if len(got.Containers) != 1 || got.Containers[0].Current.Kind != cloudapi.RunRunning || got.Containers[0].Current.StartedAt.IsZero() {
				t.Errorf("containers %+v", got.Containers)
			}
			if len(got.Events) == 0 || !slices.ContainsFunc(got.Events, func(e cloudapi.Event) bool { return e.Object == "web" }) {
				t.Errorf("events %+v, want one about the container web", got.Events)
			}
			testSweep(t, client, group)
			testLog(t, client, group)
			testExec(t, client, group)
			testMetrics(t, client, group)
			testDelete(t, client, group)
		})
	}
}

func testSweep(t *testing.T, client *eci.Client, group string) {
	t.Helper()
	list, err := client.List(t.Context(), owner)
	if err != nil || len(list) != 1 || list[0].ID != group || list[0].Status != cloudapi.StatusRunning || list[0].Revision == "" {
		t.Errorf("list %+v, %v; want the running group", list, err)
	}
	again, err := client.List(t.Context(), owner)
	if err != nil || len(again) != 1 || len(list) == 1 && again[0].Revision != list[0].Revision {
		t.Errorf("list %+v, %v; want the same revision", again, err)
	}
	for _, stranger := range []cloudapi.Owner{{Cluster: "c-2", Node: "vk-1"}, {Cluster: "c-1", Node: "vk-2"}} {
		if list, err := client.List(t.Context(), stranger); err != nil || list == nil || len(list) != 0 {
			t.Errorf("list of %+v: %+v, %v; want an empty list", stranger, list, err)
		}
	}
}

func testLog(t *testing.T, client *eci.Client, group string) {
	t.Helper()
	var chunk cloudapi.LogChunk
	var err error
	for deadline := time.Now().Add(patience); chunk.Content != "one\ntwo\n" && time.Now().Before(deadline); {
		if chunk, err = client.Logs(t.Context(), group, "web", cloudapi.LogOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(cloudapi.LogChunk{Content: "one\ntwo\n", Complete: true}, chunk); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	chunk, err = client.Logs(t.Context(), group, "web", cloudapi.LogOptions{TailLines: 1, Timestamps: true, Since: time.Now().Add(-time.Hour)})
	stamp, line, _ := strings.Cut(chunk.Content, " ")
	if _, parseErr := time.Parse(time.RFC3339Nano, stamp); err != nil || parseErr != nil || line != "two\n" {
		t.Errorf("last line %q, %v; want a time and two", chunk.Content, err)
	}
	if chunk, err = client.Logs(t.Context(), group, "web", cloudapi.LogOptions{Since: time.Now().Add(time.Hour)}); err != nil || chunk.Content != "" {
		t.Errorf("log of the future %q, %v; want none", chunk.Content, err)
	}
	if _, err := client.Logs(t.Context(), group, "nobody", cloudapi.LogOptions{}); !cloudapi.Is(err, cloudapi.CodeNotFound) {
		t.Errorf("log of an unknown container: %v, want code NotFound", err)
	}
}

func testExec(t *testing.T, client *eci.Client, group string) {
	t.Helper()
	var out, errs bytes.Buffer
	code, err := client.Exec(t.Context(), group, "web", cloudapi.ExecOptions{
		Command: []string{"sh", "-c", "cat; exit 3"}, Stdin: strings.NewReader("hello"), Stdout: &out, Stderr: &errs,
	})
	if err != nil || code != 3 || out.String() != "hello" {
		t.Errorf("exec: exit code %d, %q, %q, %v; want 3 and hello", code, out.String(), errs.String(), err)
	}
	if code, err := client.Exec(t.Context(), group, "web", cloudapi.ExecOptions{Command: []string{"true"}}); err != nil || code != 0 {
		t.Errorf("exec of true: exit code %d, %v", code, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := client.Exec(ctx, group, "web", cloudapi.ExecOptions{Command: []string{"sleep", "3600"}}); !cloudapi.Is(err, cloudapi.CodeCanceled) {
		t.Errorf("exec that is broken off: %v, want code Canceled", err)
	}
}

func testMetrics(t *testing.T, client *eci.Client, group string) {
	t.Helper()
	usage, err := client.Metrics(t.Context(), []string{group, "eci-unknown"})
	if err != nil || len(usage) != 1 || usage[0].GroupID != group || usage[0].Time.IsZero() || len(usage[0].Containers) != 1 {
		t.Errorf("metrics %+v, %v", usage, err)
	}
}

func testDelete(t *testing.T, client *eci.Client, group string) {
	t.Helper()
	if err := client.Delete(t.Context(), group, cloudapi.DeleteOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; {
		groups, err := client.Get(t.Context(), []string{group})
		if err != nil {
			t.Fatal(err)
		}
		if len(groups) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the group is still %s", groups[0].Status)
		}
	}
	for range 2 {
		if err := client.Delete(t.Context(), group, cloudapi.DeleteOptions{}); err != nil {
			t.Errorf("deleting what is gone: %v", err)
		}
	}
	if list, err := client.List(t.Context(), owner); err != nil || len(list) != 0 {
		t.Errorf("list %+v, %v; want none", list, err)
	}
}

// TestFullSpec creates the golden file's group: the emulator knows every
// parameter of it.
func TestFullSpec(t *testing.T) {
	data, err := os.ReadFile("testdata/create/full.spec.json")
	if err != nil {
		t.Fatal(err)
	}
	var spec cloudapi.GroupSpec
	if err := json.Unmarshal(data, &spec); err != nil {
		t.Fatal(err)
	}
	spec.InitContainers[0].PullPolicy = "Always" // no image is there yet
	client := connect(t, emulate(t, nil), account("static"))
	id := create(t, client, spec, "token-1")
	got := await(t, client, id, func(g cloudapi.Group) bool {
		return len(g.InitContainers) == 1 && g.InitContainers[0].Current.Kind == cloudapi.RunTerminated
	})
	if diff := cmp.Diff(spec.Identity, got.Identity); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
	// The size is that of the instance type.
	if got.CPU != 4 || got.Memory != 15 || got.RestartPolicy != cloudapi.RestartOnFailure || len(got.Containers) != 2 {
		t.Errorf("group %+v", got)
	}
}

// TestSizesAgree: whatever size Limits names, the emulator sells as it is.
func TestSizesAgree(t *testing.T) {
	client := connect(t, emulate(t, nil), account("static"))
	for _, row := range client.Limits().Sizes {
		for _, memory := range row.Memory {
			spec := web("p")
			spec.CPU, spec.Memory = row.CPU, memory
			id := create(t, client, spec, fmt.Sprintf("t-%v-%v", row.CPU, memory))
			groups, err := client.Get(t.Context(), []string{id})
			if err != nil || len(groups) != 1 || groups[0].CPU != row.CPU || groups[0].Memory != memory {
				t.Errorf("%v cores, %v GiB became %+v, %v", row.CPU, memory, groups, err)
			}
		}
	}
}

// TestManyGroups needs more than one page of the sweep and more than one batch.
func TestManyGroups(t *testing.T) {
	client := connect(t, emulate(t, nil), account("static"))
	const many = 250
	var want []string
	for i := range many {
		want = append(want, create(t, client, web(fmt.Sprintf("p-%d", i)), fmt.Sprintf("t-%d", i)))
	}
	list, err := client.List(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, summary := range list {
		got = append(got, summary.ID)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	groups, err := client.Get(t.Context(), want)
	if err != nil || len(groups) != many {
		t.Errorf("%d groups, %v; want %d", len(groups), err, many)
	}
}

// TestQuota meets a cloud that lets pass less than we think: the client slows
// down and all its calls succeed.
func TestQuota(t *testing.T) {
	client := connect(t, emulate(t, map[string]emulator.Quota{"CreateContainerGroup": {Burst: 3, Rate: 10}}), account("static"))
	for i := range 10 {
		create(t, client, web(fmt.Sprintf("p-%d", i)), fmt.Sprintf("t-%d", i))
	}
}

func TestRefusalsAgree(t *testing.T) {
	url := emulate(t, nil)
	client := connect(t, url, account("static"))
	with := func(change func(*cloudapi.GroupSpec)) cloudapi.GroupSpec {
		spec := web("p")
		change(&spec)
		return spec
	}
	cases := map[string]struct {
		spec cloudapi.GroupSpec
		want cloudapi.Code
	}{
		"Name": {with(func(s *cloudapi.GroupSpec) { s.Name = "Not.Allowed" }), cloudapi.CodeInvalid},
		"LongValue": {with(func(s *cloudapi.GroupSpec) {
			s.Containers[0].Env = []cloudapi.EnvVar{{Name: "A", Value: strings.Repeat("x", client.Limits().MaxEnvValue+1)}}
		}), cloudapi.CodeInvalid},
		"Size": {with(func(s *cloudapi.GroupSpec) { s.CPU = 65 }), cloudapi.CodeInvalid},
		"Zone": {with(func(s *cloudapi.GroupSpec) { s.Placement.Zone = "cn-hangzhou-z" }), cloudapi.CodeOutOfStock},
	}
	for name, tc := range cases {
		if _, err := client.Create(t.Context(), tc.spec, cloudapi.CreateOptions{}); !cloudapi.Is(err, tc.want) {
			t.Errorf("%s: got %v, want code %s", name, err, tc.want)
		}
	}
	longest := with(func(s *cloudapi.GroupSpec) {
		s.Containers[0].Env = []cloudapi.EnvVar{{Name: "A", Value: strings.Repeat("x", client.Limits().MaxEnvValue)}}
		s.Containers[0].Command = []string{"sh", "-c", strings.Repeat("true; ", 100)}
	})
	create(t, client, longest, "")
	if _, err := connect(t, url, eci.Credentials{AccessKeyID: "static", AccessKeySecret: "wrong"}).List(t.Context(), owner); !cloudapi.Is(err, cloudapi.CodeUnauthorized) {
		t.Errorf("wrong secret: %v, want code Unauthorized", err)
	}
	if _, err := connect(t, url, eci.Credentials{AccessKeyID: "nobody", AccessKeySecret: "x"}).List(t.Context(), owner); !cloudapi.Is(err, cloudapi.CodeUnauthorized) {
		t.Errorf("unknown key: %v, want code Unauthorized", err)
	}
	// Without permission the real cloud answers an empty list, and no error.
	if list, err := connect(t, url, account("blind")).List(t.Context(), owner); err != nil || len(list) != 0 {
		t.Errorf("no permission: %+v, %v; want an empty list", list, err)
	}
}
