package kci_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/util/wait"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/kci"
	"github.com/cumulet/cumulet/internal/emulator/engine"
)

var owner = cloudapi.Owner{Cluster: "c-uid", Node: "vn", NamePrefix: "k5xs2mnbq7."}

// eventually polls until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 5*time.Millisecond, 20*time.Second, true,
		func(context.Context) (bool, error) { return holds(), nil })
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// The whole life of a group, in both dialects: the client speaks what the
// emulator has from the API's documents on its own.
func TestLifeOfAGroup(t *testing.T) {
	for _, dialect := range []kci.Dialect{kci.Seed, kci.Extended} {
		t.Run(string(dialect), func(t *testing.T) {
			c := newCloud(t, dialect)
			client := c.client(t, func(o *kci.Options) { o.Dialect = dialect })
			id := createTwice(t, client)
			runs(t, client, id)
			logs(t, client, id)
			execs(t, client, id, dialect)
			deleteTwice(t, client, id)
		})
	}
}

func createTwice(t *testing.T, client *kci.Client) string {
	t.Helper()
	if got, err := client.List(t.Context(), owner); err != nil || len(got) != 0 {
		t.Fatalf("before: %v, error %v", got, err)
	}
	id, err := client.Create(t.Context(), kci.PlainSpec(), cloudapi.CreateOptions{})
	if err != nil || id == "" {
		t.Fatalf("creating: %q, error %v", id, err)
	}
	again, err := client.Create(t.Context(), kci.PlainSpec(), cloudapi.CreateOptions{MayExist: true})
	if err != nil || again != id {
		t.Errorf("creating again: %q, error %v, want %q", again, err, id)
	}
	return id
}

func runs(t *testing.T, client *kci.Client, id string) {
	t.Helper()
	var before, now []cloudapi.Summary
	eventually(t, "running", func() bool {
		var err error
		before = now
		if now, err = client.List(t.Context(), owner); err != nil || len(now) != 1 {
			t.Fatalf("listing: %v, error %v", now, err)
		}
		return now[0].Status == cloudapi.StatusRunning && now[0].ID == id
	})
	if before != nil && before[0].Revision == now[0].Revision {
		t.Error("the revision did not change with the status")
	}
	got, err := client.Get(t.Context(), []string{id, "9f0c0be6-0000-0000-0000-000000000000"})
	if err != nil || len(got) != 1 {
		t.Fatalf("getting: %v, error %v", got, err)
	}
	running := cloudapi.RunState{Kind: cloudapi.RunRunning, StartedAt: startedAt}
	want := cloudapi.Group{
		ID: id, Name: kci.PlainSpec().Name,
		Identity: cloudapi.Identity{PodUID: "0c9f7b1e-6a53-4d0e-9a77-2f1f0e6c1a01", PodName: "web-0"},
		Status:   cloudapi.StatusRunning, RawStatus: "Running", Zone: "cn-beijing-6a",
		CPU: 2, Memory: 4, IPs: []string{"10.0.0.5"}, RestartPolicy: cloudapi.RestartOnFailure,
		Containers: []cloudapi.ContainerState{
			{Name: "web", Image: "nginx:1.27", Current: running}, {Name: "sidecar", Image: "busybox", Current: running},
		},
		Events: []cloudapi.Event{{Warning: true, Reason: "Tested", Message: "m", Count: 1, FirstTime: startedAt, LastTime: startedAt}},
	}
	if diff := cmp.Diff(want, got[0], cmpopts.IgnoreFields(cloudapi.Group{}, "CreatedAt")); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
	if age := time.Since(got[0].CreatedAt); age < 0 || age > time.Minute {
		t.Errorf("created %s ago", age)
	}
}

func logs(t *testing.T, client *kci.Client, id string) {
	t.Helper()
	for lines, want := range map[int]cloudapi.LogChunk{
		0: {Content: "first\nsecond\n", Complete: true},
		1: {Content: "second\n"},
	} {
		got, err := client.Logs(t.Context(), id, "web", cloudapi.LogOptions{TailLines: lines})
		got.Content = strings.TrimSuffix(got.Content, "\n") + "\n"
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("logs with tail %d: error %v (-want +got):\n%s", lines, err, diff)
		}
	}
	if _, err := client.Logs(t.Context(), id, "absent", cloudapi.LogOptions{}); !cloudapi.Is(err, cloudapi.CodeInvalid) {
		t.Errorf("logs of a container that is not there: error %v, want Invalid", err)
	}
}

func execs(t *testing.T, client *kci.Client, id string, dialect kci.Dialect) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code, err := client.Exec(t.Context(), id, "web", cloudapi.ExecOptions{
		Command: []string{"sh", "-c", "true & false"}, Stdin: strings.NewReader("all of it"), Stdout: &stdout, Stderr: &stderr,
	})
	if dialect == kci.Seed {
		if !cloudapi.Is(err, cloudapi.CodeUnsupported) {
			t.Errorf("exec: error %v, want Unsupported", err)
		}
		return
	}
	const want = `web ran ["sh" "-c" "true & false"] and read all of it`
	if err != nil || code != 7 || stdout.String() != want || stderr.String() != "and failed" {
		t.Errorf("exec: exit code %d, error %v, stdout %q, stderr %q", code, err, &stdout, &stderr)
	}
}

func deleteTwice(t *testing.T, client *kci.Client, id string) {
	t.Helper()
	if err := client.Delete(t.Context(), id, cloudapi.DeleteOptions{}); err != nil {
		t.Fatalf("deleting: %v", err)
	}
	eventually(t, "gone", func() bool {
		got, err := client.List(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		return len(got) == 0
	})
	if err := client.Delete(t.Context(), id, cloudapi.DeleteOptions{}); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
	if got, err := client.Get(t.Context(), []string{id}); err != nil || len(got) != 0 {
		t.Errorf("getting what is gone: %v, error %v", got, err)
	}
}

// What the emulator understands is what was meant.
func TestFullRequestArrives(t *testing.T) {
	c := newCloud(t, kci.Extended)
	id, err := c.client(t, nil).Create(t.Context(), kci.FullSpec(), cloudapi.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	group, err := c.engine.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	ignore := cmpopts.IgnoreFields(engine.Spec{}, "Wire", "Region", "VPC", "Zone", "Grace")
	if diff := cmp.Diff(arrived(), *group.Spec, ignore, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

func arrived() engine.Spec {
	return engine.Spec{
		Name: "k5xs2mnbq7.0c9f7b1e-6a53-4d0e-9a77-2f1f0e6c1a01.web-0", Subnet: "subnet-1", SecurityGroups: []string{"sg-1", "sg-2"},
		CPU: 2, Memory: 4, RestartPolicy: "OnFailure",
		InitContainers: []engine.Container{{
			Name: "prepare", Image: "busybox", PullPolicy: "IfNotPresent", Command: []string{"true"},
			Env:      []engine.EnvVar{{Name: "SELF", FieldPath: "status.podIP"}},
			Mounts:   []engine.Mount{{Volume: "scratch", Path: "/tmp"}},
			Security: engine.Security{Privileged: true},
		}},
		Containers: []engine.Container{
			{
				Name: "web", Image: "nginx:1.27", PullPolicy: "Always", WorkingDir: "/srv", GPU: 1, CPU: 0.5, Memory: 0.683,
				Security: engine.Security{Privileged: true},
				Command:  []string{"/bin/sh", "-c"}, Args: []string{"nginx -g 'daemon off;'", ""},
				Env: []engine.EnvVar{
					{Name: "GREETING", Value: "hello & good day=1"}, {Name: "EMPTY"}, {Name: "PASSWORD", Value: "s3cret-value"},
					{Name: "POD_IP", FieldPath: "status.podIP"},
				},
				Ports: []engine.Port{{Port: 80, Protocol: "TCP"}, {Port: 53, Protocol: "UDP"}},
				Mounts: []engine.Mount{
					{Volume: "config", Path: "/etc/app", ReadOnly: true}, {Volume: "scratch", Path: "/tmp"},
				},
				Liveness: &engine.Probe{
					Handler:      engine.Handler{HTTP: &engine.HTTPGet{Scheme: "HTTPS", Path: "/healthz", Port: 8443}},
					InitialDelay: 3 * time.Second, Period: 10 * time.Second, Timeout: time.Second, Success: 1, Failure: 3,
				},
				Readiness: &engine.Probe{
					Handler: engine.Handler{TCP: &engine.TCPSocket{Port: 80}},
					Period:  5 * time.Second, Timeout: 2 * time.Second, Success: 2, Failure: 4,
				},
			},
			{Name: "sidecar", Image: "busybox", Readiness: &engine.Probe{
				Handler: engine.Handler{Exec: []string{"test", "-f", "/tmp/ready"}},
				Period:  10 * time.Second, Timeout: time.Second, Success: 1, Failure: 3,
			}},
		},
		Volumes: []engine.Volume{
			{Name: "config", Type: "ConfigFileVolume", Files: &engine.Files{DefaultMode: 0o400, Items: []engine.File{
				{Path: "nested/key.bin", Content: []byte{0, 0xff, 0x10}, Mode: 0o600}, {Path: "plain", Mode: 0o644},
			}}},
			{Name: "scratch", Type: "EmptyDirVolume", EmptyDir: &engine.EmptyDir{}},
			{Name: "nothing", Type: "EmptyDirVolume", EmptyDir: &engine.EmptyDir{}},
			{Name: "share", Type: "NFSVolume", NFS: &engine.NFS{Server: "nfs.local", Path: "/export", ReadOnly: true}},
		},
		DNS: &engine.DNS{
			NameServers: []string{"10.96.0.10"}, Searches: []string{"default.svc.cluster.local", "svc.cluster.local"},
			Options: []engine.NameValue{{Name: "ndots", Value: "5"}, {Name: "edns0"}},
		},
		HostAliases:     []engine.HostAlias{{IP: "10.0.0.7", Names: []string{"db", "db.local"}}},
		PullCredentials: []engine.PullCredential{{Server: "registry.example.com", Username: "robot", Password: "p@ss word"}},
	}
}

// Files are plain text in the document's spelling, Base64 in the SDKs'.
func TestFilesArrive(t *testing.T) {
	for _, dialect := range []kci.Dialect{kci.Seed, kci.Extended} {
		t.Run(string(dialect), func(t *testing.T) {
			c := newCloud(t, dialect)
			client := c.client(t, func(o *kci.Options) { o.Dialect = dialect })
			id, err := client.Create(t.Context(), kci.PlainSpec(), cloudapi.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			group, err := c.engine.Get(id)
			if err != nil {
				t.Fatal(err)
			}
			want := &engine.Files{DefaultMode: 0o644, Items: []engine.File{
				{Path: "app.conf", Content: []byte("greeting=你好\n"), Mode: 0o644}, {Path: "empty", Mode: 0o644},
			}}
			if diff := cmp.Diff(want, group.Spec.Volumes[0].Files, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// Every size that we take for sold is sold: the cloud does not round it.
func TestSizesAreSold(t *testing.T) {
	client := newCloud(t, kci.Extended).client(t, nil)
	var ids []string
	want := map[string][2]float64{}
	for _, size := range client.Limits().Sizes {
		for _, memory := range size.Memory {
			spec := kci.PlainSpec()
			spec.Name = fmt.Sprintf("size-%d", len(ids))
			spec.CPU, spec.Memory = size.CPU, memory
			id, err := client.Create(t.Context(), spec, cloudapi.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
			want[id] = [2]float64{size.CPU, memory}
		}
	}
	groups, err := client.Get(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][2]float64{}
	for _, group := range groups {
		got[group.ID] = [2]float64{group.CPU, group.Memory}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cores and GiB (-asked +got):\n%s", diff)
	}
}

// More groups than fit on a page, and groups of others among them.
func TestListOverPages(t *testing.T) {
	client := newCloud(t, kci.Extended).client(t, nil)
	want := map[string]bool{}
	for i := range 250 {
		spec := kci.PlainSpec()
		spec.Name = fmt.Sprintf("%suid-%d", []string{owner.NamePrefix, "otherowner.", "x" + owner.NamePrefix}[i%3], i)
		id, err := client.Create(t.Context(), spec, cloudapi.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			want[id] = true
		}
	}
	groups, err := client.List(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, group := range groups {
		got[group.ID] = true
	}
	if diff := cmp.Diff(want, got); diff != "" || len(groups) != 84 {
		t.Errorf("%d groups (-want +got):\n%s", len(groups), diff)
	}
}

// A clock an hour off is corrected by the cloud's own.
func TestSkewedClock(t *testing.T) {
	c := newCloud(t, kci.Extended)
	for name, off := range map[string]time.Duration{"Behind": -time.Hour, "Ahead": time.Hour} {
		t.Run(name, func(t *testing.T) {
			client := c.client(t, func(o *kci.Options) { o.Clock = clocktesting.NewFakeClock(time.Now().Add(off)) })
			for range 2 {
				if _, err := client.List(t.Context(), owner); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestKeys(t *testing.T) {
	c := newCloud(t, kci.Extended)
	cases := map[string]struct {
		id, secret, token string
		want              cloudapi.Code
	}{
		"LongLived":   {"AK", "SK==", "", ""},
		"Temporary":   {"TEMP", "SK==", "TOKEN", ""},
		"WrongSecret": {"AK", "other", "", cloudapi.CodeUnauthorized},
		"Unknown":     {"NOBODY", "SK==", "", cloudapi.CodeUnauthorized},
		"NoToken":     {"TEMP", "SK==", "", cloudapi.CodeUnauthorized},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			key, err := kci.FixedKey(tc.id, tc.secret, tc.token)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.client(t, func(o *kci.Options) { o.Credentials = key }).List(t.Context(), owner)
			if (tc.want == "") != (err == nil) || err != nil && !cloudapi.Is(err, tc.want) {
				t.Errorf("error %v, want code %q", err, tc.want)
			}
		})
	}
}

// The cloud's own refusal of a request that can never succeed.
func TestRefusedRequest(t *testing.T) {
	client := newCloud(t, kci.Extended).client(t, nil)
	spec := kci.PlainSpec()
	spec.Containers[0].Name = "Not A Name"
	_, err := client.Create(t.Context(), spec, cloudapi.CreateOptions{})
	if !cloudapi.Terminal(err) || !cloudapi.Is(err, cloudapi.CodeInvalid) || !strings.Contains(err.Error(), "Container.1.Name") {
		t.Errorf("error %v, want Invalid and the parameter's name", err)
	}
}
