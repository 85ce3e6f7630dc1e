package kubernetes

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

var update = flag.Bool("update", false, "write the golden files anew")

var testBuilder = builder{namespace: "groups", cloud: "eci", node: "machine-1", nameServers: []string{"100.100.2.136", "100.100.2.138"}}

// probeOf has every number.
func probeOf(h engine.Handler) *engine.Probe {
	return &engine.Probe{Handler: h, InitialDelay: 0, Period: 7 * time.Second, Timeout: 1500 * time.Millisecond, Success: 1, Failure: 4}
}

// fullSpec has everything that a group can have.
func fullSpec() *engine.Spec {
	return &engine.Spec{
		Name: "web", CPU: 2, Memory: 4, RestartPolicy: "OnFailure", Grace: 1500 * time.Millisecond,
		InitContainers: []engine.Container{{
			Name: "prepare", Image: "busybox", Command: []string{"sh", "-c", "echo $(date) > /data/$HOME"},
			Mounts: []engine.Mount{{Volume: "data", Path: "/data", SubPath: "a/b"}},
		}},
		Containers: []engine.Container{
			{
				Name: "app", Image: "nginx:1.25", PullPolicy: "IfNotPresent", WorkingDir: "/srv",
				Command: []string{"/bin/app"}, Args: []string{"--cost=5$", "$$", "$(NAME)"},
				Env: []engine.EnvVar{
					{Name: "PRICE", Value: "$5 or $(NAME)"}, {Name: "IP", FieldPath: "status.podIP"}, {Name: "EMPTY"},
				},
				Ports: []engine.Port{{Port: 80, Protocol: "TCP"}, {Port: 53, Protocol: "UDP"}},
				Mounts: []engine.Mount{
					{Volume: "data", Path: "/data", Propagation: "HostToContainer"},
					{Volume: "config", Path: "/etc/app", ReadOnly: true}, {Volume: "tree", Path: "/etc/tree"},
				},
				CPU: 0.25, Memory: 0.5,
				Liveness: probeOf(engine.Handler{HTTP: &engine.HTTPGet{
					Scheme: "HTTPS", Host: "example.com", Path: "/healthz", Port: 8443, Headers: []engine.NameValue{{Name: "X-A", Value: "b"}},
				}}),
				Readiness: probeOf(engine.Handler{Exec: []string{"test", "-n", "$HOME"}}),
				PostStart: &engine.Handler{Exec: []string{"sh", "-c", "echo $HOME"}},
				PreStop:   &engine.Handler{TCP: &engine.TCPSocket{Port: 81, Host: "localhost"}},
				Security: engine.Security{
					AddCapabilities: []string{"NET_ADMIN"}, ReadOnlyRoot: true, RunAsNonRoot: true,
					RunAsUser: ptr.To[int64](1000), RunAsGroup: ptr.To[int64](0),
				},
				Stdin: true, StdinOnce: true, TTY: true, MessagePath: "/dev/why", MessagePolicy: "FallbackToLogsOnError",
			},
			{Name: "side", Image: "busybox", Security: engine.Security{Privileged: true}, Readiness: probeOf(engine.Handler{TCP: &engine.TCPSocket{Port: 9}})},
		},
		Volumes: []engine.Volume{
			{Name: "data", EmptyDir: &engine.EmptyDir{Medium: "Memory", SizeLimit: "256Mi"}},
			{Name: "config", Files: &engine.Files{DefaultMode: 0o600, Items: []engine.File{
				{Path: "app.conf", Content: []byte("a = 1\n"), Mode: 0o600}, {Path: "empty"},
			}}},
			{Name: "tree", Files: &engine.Files{Items: []engine.File{
				{Path: "dir/run.sh", Content: []byte("#!/bin/sh\n"), Mode: 0o755}, {Path: "plain", Content: []byte{0xff, 0}},
			}}},
			{Name: "share", NFS: &engine.NFS{Server: "10.0.0.9", Path: "/export", ReadOnly: true}},
			{Name: "host", HostPath: "/var/log"},
		},
		Hostname: "Web.Example.com",
		DNS: &engine.DNS{
			NameServers: []string{"10.0.0.2"}, Searches: []string{"a.svc", "svc"},
			Options: []engine.NameValue{{Name: "ndots", Value: "5"}, {Name: "rotate"}},
		},
		HostAliases: []engine.HostAlias{{IP: "10.0.0.3", Names: []string{"db", "db.local"}}},
		PullCredentials: []engine.PullCredential{
			{Server: "registry.example.com", Username: "u", Password: "made-up-1"},
			{Server: "docker.io", Username: "v", Password: "made-up-2"},
			{Server: "registry.example.com", Username: "w", Password: "made-up-3"},
		},
		Sysctls:        []engine.NameValue{{Name: "net.core.somaxconn", Value: "1024"}},
		ShareProcesses: true,
		Deadline:       time.Minute, Tags: []engine.NameValue{{Name: "team", Value: "a"}},
	}
}

// TestPlanGolden shows whole pods with their secrets; the golden files were read.
func TestPlanGolden(t *testing.T) {
	cases := map[string]struct {
		reason string
		spec   *engine.Spec
		node   string
	}{
		"Minimal": {
			reason: "a group with nothing but a container",
			spec: &engine.Spec{Name: "web", RestartPolicy: "Always", Grace: 30 * time.Second,
				Containers: []engine.Container{{Name: "app", Image: "nginx"}}},
		},
		"Full": {reason: "everything at once", spec: fullSpec(), node: "machine-1"},
		"Sidecars": {
			reason: "sidecars are restartable init containers, in the order of their launch; the first holds the others back",
			spec: &engine.Spec{Name: "job", RestartPolicy: "Never", Grace: 30 * time.Second,
				InitContainers: []engine.Container{{Name: "prepare", Image: "busybox"}},
				Containers: []engine.Container{
					{Name: "logs", Image: "busybox", Sidecar: true, Launch: 999},
					{Name: "main", Image: "busybox"},
					{Name: "proxy", Image: "busybox", Sidecar: true, Launch: 1000,
						Readiness: &engine.Probe{Handler: engine.Handler{TCP: &engine.TCPSocket{Port: 9}}, Period: time.Second, Timeout: time.Second, Success: 1, Failure: 3}},
				}},
		},
		"HostPID": {
			reason: "the machine's processes, no grace, a container larger than its group",
			spec: &engine.Spec{Name: "p.q", CPU: 0.25, Memory: 0.5, RestartPolicy: "Never", HostPID: true, ShareProcesses: true,
				Containers: []engine.Container{{Name: "app", Image: "nginx", CPU: 0.5, Memory: 0.25}},
				DNS:        &engine.DNS{Searches: []string{"example.com"}}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b := testBuilder
			b.node = tc.node
			p, err := b.plan("eci-abc", podName("eci-abc", 2), tc.spec)
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			got := document(t, p)
			file := filepath.Join("testdata", "plan", name+".yaml")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// document is a plan in YAML; what secrets hold is shown as text.
func document(t *testing.T, p *plan) string {
	t.Helper()
	var parts []string
	show := func(object any) {
		text, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, string(text))
	}
	show(p.pod)
	for _, secret := range p.secrets {
		shown := secret.DeepCopy()
		shown.StringData = map[string]string{}
		for key, content := range shown.Data {
			shown.StringData[key] = string(content)
		}
		shown.Data = nil
		show(shown)
	}
	return strings.Join(parts, "---\n")
}

func TestPlanRefuses(t *testing.T) {
	cases := map[string]struct {
		reason string
		volume engine.Volume
		want   string
	}{
		"Size": {
			reason: "a size that is no quantity", volume: engine.Volume{Name: "a", EmptyDir: &engine.EmptyDir{SizeLimit: "many"}},
			want: `volume "a": reading its size limit "many": ` +
				`quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
		},
		"NoSource": {
			reason: "a volume of a kind that there is not", volume: engine.Volume{Name: "a", Type: "TapeVolume"},
			want: `volume "a": it names no source that this cloud has`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := testBuilder.plan("eci-1", "eci-1", &engine.Spec{Volumes: []engine.Volume{tc.volume}})
			if err == nil || err.Error() != tc.want {
				t.Errorf("%s: %v, want %s", tc.reason, err, tc.want)
			}
		})
	}
}

func TestImageFor(t *testing.T) {
	cases := map[string]struct{ reason, image, policy, want string }{
		"IfNotPresent": {reason: "as it is", image: "nginx:1", policy: "IfNotPresent", want: "nginx:1"},
		"Default":      {reason: "as it is", image: "nginx", want: "nginx"},
		"Never":        {reason: "is never there", image: "r.io:80/nginx:1", policy: "Never", want: "r.io:80/nginx:1" + absentDigest},
		"NeverDigest":  {reason: "neither by digest", image: "nginx@sha256:1", policy: "Never", want: "nginx" + absentDigest},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := imageFor(&engine.Container{Image: tc.image, PullPolicy: tc.policy}); got != tc.want {
				t.Errorf("%s: %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

func TestHostname(t *testing.T) {
	long := strings.Repeat("a", 62)
	cases := map[string]struct {
		reason, hostname, name string
		want, override         string
	}{
		"Given":      {reason: "the request's name wins", hostname: "h", name: "n", want: "h"},
		"GroupsName": {reason: "else the group's", name: "n", want: "n"},
		"Capitals":   {reason: "hostnames are small", hostname: "Web", want: "web"},
		"Dots":       {reason: "a name with dots overrides", name: "a.b", override: "a.b"},
		"Long":       {reason: "cut as a kubelet cuts, without a hyphen at the end", name: long + "--bc", want: long},
		"None":       {reason: "nothing is known"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var s corev1.PodSpec
			hostname(&s, &engine.Spec{Hostname: tc.hostname, Name: tc.name})
			if s.Hostname != tc.want || ptr.Deref(s.HostnameOverride, "") != tc.override {
				t.Errorf("%s: %q, %q; want %q, %q", tc.reason, s.Hostname, ptr.Deref(s.HostnameOverride, ""), tc.want, tc.override)
			}
		})
	}
}

// TestLargeFiles checks that a volume of any size fits into secrets.
func TestLargeFiles(t *testing.T) {
	file := func(path string, kib int) engine.File {
		return engine.File{Path: path, Content: make([]byte, kib<<10), Mode: 0o644}
	}
	cases := map[string]struct {
		reason string
		files  []engine.File
		want   []int // files in each secret
	}{
		"One":    {reason: "fits as a whole", files: []engine.File{file("a", 500), file("b", 500)}, want: []int{2}},
		"Two":    {reason: "one file more", files: []engine.File{file("a", 500), file("b", 500), file("c", 1)}, want: []int{2, 1}},
		"Nested": {reason: "paths of their own", files: []engine.File{file("a/b", 600), file("c", 600), file("d", 100)}, want: []int{1, 2}},
		"Empty":  {reason: "an empty directory", want: []int{0}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			source, secrets := testBuilder.files("eci-1", "eci-1-files-v", &engine.Files{Items: tc.files})
			var got []int
			for i, secret := range secrets {
				got = append(got, len(secret.Data))
				size := 0
				for _, content := range secret.Data {
					size += len(content)
				}
				if size > corev1.MaxSecretSize {
					t.Errorf("%s: secret %d has %d bytes, at most %d are allowed", tc.reason, i, size, corev1.MaxSecretSize)
				}
				if source.Sources[i].Secret.Name != secret.Name {
					t.Errorf("%s: source %d names %s, not %s", tc.reason, i, source.Sources[i].Secret.Name, secret.Name)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
