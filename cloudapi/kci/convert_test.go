package kci

import (
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

var update = flag.Bool("update", false, "write the golden files anew")

const specName = "k5xs2mnbq7.0c9f7b1e-6a53-4d0e-9a77-2f1f0e6c1a01.web-0"

// plainSpec uses what the API document has words for, and nothing else.
func plainSpec() cloudapi.GroupSpec {
	return cloudapi.GroupSpec{
		Name:      specName,
		Identity:  cloudapi.Identity{PodUID: "0c9f7b1e-6a53-4d0e-9a77-2f1f0e6c1a01"},
		Placement: cloudapi.Placement{Zone: "cn-beijing-6a", SubnetIDs: []string{"subnet-1"}, SecurityGroupIDs: []string{"sg-1", "sg-2"}},
		CPU:       2, Memory: 4,
		RestartPolicy: cloudapi.RestartOnFailure,
		Containers: []cloudapi.Container{
			{
				Name: "web", Image: "nginx:1.27",
				Command: []string{"/bin/sh", "-c"}, Args: []string{"nginx -g 'daemon off;'", ""},
				WorkingDir: "/srv",
				Env: []cloudapi.EnvVar{
					{Name: "GREETING", Value: "hello & good day=1"},
					{Name: "EMPTY"},
					{Name: "PASSWORD", Value: "s3cret-value", Secret: true},
				},
				Ports: []cloudapi.Port{{Port: 80, Protocol: cloudapi.ProtocolTCP}, {Port: 53, Protocol: cloudapi.ProtocolUDP}},
				Mounts: []cloudapi.Mount{
					{Volume: "config", Path: "/etc/app", ReadOnly: true},
					{Volume: "scratch", Path: "/tmp"},
				},
				CPU: 0.5, Memory: 0.68359375,
			},
			{Name: "sidecar", Image: "busybox"},
		},
		Volumes: []cloudapi.Volume{
			{Name: "config", Files: &cloudapi.Files{DefaultMode: 0o644, Items: []cloudapi.File{
				{Path: "app.conf", Content: []byte("greeting=你好\n"), Mode: 0o644},
				{Path: "empty", Mode: 0o644},
			}}},
			{Name: "scratch", EmptyDir: &cloudapi.EmptyDir{}},
			{Name: "nothing", Files: &cloudapi.Files{}},
		},
		DNS: &cloudapi.DNS{
			NameServers: []string{"10.96.0.10"},
			Searches:    []string{"default.svc.cluster.local", "svc.cluster.local"},
			Options:     []cloudapi.DNSOption{{Name: "ndots", Value: "5"}, {Name: "edns0"}},
		},
		HostAliases: []cloudapi.HostAlias{{IP: "10.0.0.7", Hostnames: []string{"db", "db.local"}}},
		PullCredentials: []cloudapi.PullCredential{
			{Server: "registry.example.com", Username: "robot", Password: "p@ss word"},
		},
	}
}

// fullSpec adds what only the SDKs have words for.
func fullSpec() cloudapi.GroupSpec {
	spec := plainSpec()
	spec.Placement.SubnetIDs = []string{"subnet-1", "subnet-2"}
	spec.InitContainers = []cloudapi.Container{{
		Name: "prepare", Image: "busybox", PullPolicy: "IfNotPresent", Command: []string{"true"},
		Env:    []cloudapi.EnvVar{{Name: "SELF", FieldPath: cloudapi.FieldPodIP}},
		Mounts: []cloudapi.Mount{{Volume: "scratch", Path: "/tmp"}},
	}}
	web := &spec.Containers[0]
	web.PullPolicy = "Always"
	web.GPU = 1
	web.Security.Privileged = true
	spec.InitContainers[0].Security.Privileged = true
	web.Env = append(web.Env, cloudapi.EnvVar{Name: "POD_IP", FieldPath: cloudapi.FieldPodIP})
	web.Liveness = &cloudapi.Probe{
		HTTP: &cloudapi.HTTPProbe{Scheme: "HTTPS", Path: "/healthz", Port: 8443}, InitialDelaySeconds: 3,
		PeriodSeconds: 10, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 3,
	}
	web.Readiness = &cloudapi.Probe{
		TCP:           &cloudapi.TCPProbe{Port: 80},
		PeriodSeconds: 5, TimeoutSeconds: 2, SuccessThreshold: 2, FailureThreshold: 4,
	}
	spec.Containers[1].Readiness = &cloudapi.Probe{
		Exec:          &cloudapi.ExecProbe{Command: []string{"test", "-f", "/tmp/ready"}},
		PeriodSeconds: 10, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 3,
	}
	spec.Volumes[0].Files = &cloudapi.Files{DefaultMode: 0o400, Items: []cloudapi.File{
		{Path: "nested/key.bin", Content: []byte{0, 0xff, 0x10}, Mode: 0o600},
		{Path: "plain", Mode: 0o644},
	}}
	spec.Volumes = append(spec.Volumes, cloudapi.Volume{
		Name: "share", NFS: &cloudapi.NFS{Server: "nfs.local", Path: "/export", ReadOnly: true},
	})
	return spec
}

func TestCreateForm(t *testing.T) {
	cases := map[string]struct {
		spec    cloudapi.GroupSpec
		dialect Dialect
	}{
		"PlainSeed":     {plainSpec(), Seed},
		"PlainExtended": {plainSpec(), Extended},
		"FullExtended":  {fullSpec(), Extended},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f, err := createForm(tc.spec, tc.dialect)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", "create."+name+".golden"), parameters(t, f.encode(actionCreate)))
		})
	}
}

// parameters lists a body's parameters, one in a line, in the order of sending.
func parameters(t *testing.T, body string) string {
	t.Helper()
	var out strings.Builder
	names := map[string]bool{}
	for pair := range strings.SplitSeq(body, "&") {
		name, value, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(value)
		if err != nil {
			t.Fatal(err)
		}
		if names[name] {
			t.Errorf("%s is sent twice", name)
		}
		names[name] = true
		out.WriteString(name + "=" + strings.ReplaceAll(plain, "\n", `\n`) + "\n")
	}
	return out.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// Nothing that a dialect cannot say is dropped.
func TestCreateFormRefuses(t *testing.T) {
	change := func(by func(*cloudapi.GroupSpec)) cloudapi.GroupSpec {
		spec := plainSpec()
		by(&spec)
		return spec
	}
	seconds := int64(30)
	cases := map[string]struct {
		spec    cloudapi.GroupSpec
		dialect Dialect
		code    cloudapi.Code
		want    string
	}{
		"NoName": {change(func(s *cloudapi.GroupSpec) { s.Name = "" }), Extended, cloudapi.CodeInvalid,
			`name "" has 0 characters; 1 to 63 are allowed`},
		"NoSize": {change(func(s *cloudapi.GroupSpec) { s.CPU = 0 }), Extended, cloudapi.CodeInvalid,
			"cpu 0 and memory 4 must both be above 0"},
		"NoContainers": {change(func(s *cloudapi.GroupSpec) { s.Containers = nil }), Extended, cloudapi.CodeInvalid,
			"containers is empty; a group needs one at least"},
		"NoSubnet": {change(func(s *cloudapi.GroupSpec) { s.Placement.SubnetIDs = nil }), Extended, cloudapi.CodeInvalid,
			"placement.subnetIDs has 0 entries; 1 to 5 are allowed"},
		"TwoSubnetsInSeed": {change(func(s *cloudapi.GroupSpec) { s.Placement.SubnetIDs = []string{"a", "b"} }), Seed, cloudapi.CodeInvalid,
			"placement.subnetIDs has 2 entries; 1 to 1 are allowed"},
		"FourSecurityGroups": {change(func(s *cloudapi.GroupSpec) { s.Placement.SecurityGroupIDs = []string{"a", "b", "c", "d"} }), Seed,
			cloudapi.CodeInvalid, "placement.securityGroupIDs has 4 entries; 1 to 3 are allowed"},
		"NoVolumeSource": {change(func(s *cloudapi.GroupSpec) { s.Volumes[1].EmptyDir = nil }), Seed, cloudapi.CodeInvalid,
			"volumes[scratch] has no source"},
		"LongFile": {change(func(s *cloudapi.GroupSpec) { s.Volumes[0].Files.Items[0].Content = make([]byte, 24577) }), Seed, cloudapi.CodeInvalid,
			"volumes[config].files[app.conf] has 24577 bytes as sent; 24576 are allowed"},
		"LongFileInBase64": {change(func(s *cloudapi.GroupSpec) { s.Volumes[0].Files.Items[0].Content = make([]byte, 18433) }), Extended, cloudapi.CodeInvalid,
			"volumes[config].files[app.conf] has 24580 bytes as sent; 24576 are allowed"},
		"ProbeWithoutCheck": {change(func(s *cloudapi.GroupSpec) { s.Containers[0].Liveness = &cloudapi.Probe{} }), Extended, cloudapi.CodeInvalid,
			"containers[web].liveness has no check"},
		"WhatNoDialectSays": {change(func(s *cloudapi.GroupSpec) {
			s.Hostname = "h"
			s.TerminationGraceSeconds, s.ActiveDeadlineSeconds = &seconds, &seconds
			s.Volumes[1].EmptyDir = &cloudapi.EmptyDir{Memory: true, SizeLimitMiB: 1024}
			web := &s.Containers[0]
			web.Stdin, web.TTY, web.TerminationMessagePath, web.TerminationMessagePolicy = true, true, "/x", "File"
			web.Env[0].FieldPath = "status.hostIP"
			web.Mounts[0].SubPath, web.Mounts[0].Propagation = "x", cloudapi.PropagationHostToContainer
			web.PostStart, web.PreStop = &cloudapi.Handler{Exec: []string{"x"}}, &cloudapi.Handler{Exec: []string{"x"}}
			web.Security = cloudapi.Security{RunAsUser: &seconds, RunAsGroup: &seconds, RunAsNonRoot: true, ReadOnlyRoot: true, AddCapabilities: []string{"NET_RAW"}}
			s.Sysctls, s.ShareProcesses = []cloudapi.Sysctl{{Name: "net.ipv4.ping_group_range", Value: "0 1"}}, true
		}), Extended, cloudapi.CodeUnsupported, "hostname cannot be told to KCI; " +
			"terminationGraceSeconds cannot be told to KCI; activeDeadlineSeconds cannot be told to KCI; " +
			"sysctls cannot be told to KCI; shareProcesses cannot be told to KCI; " +
			"volumes[scratch].emptyDir.memory cannot be told to KCI; volumes[scratch].emptyDir.sizeLimit cannot be told to KCI; " +
			"containers[web].stdin cannot be told to KCI; containers[web].tty cannot be told to KCI; " +
			"containers[web].terminationMessagePath cannot be told to KCI; containers[web].terminationMessagePolicy cannot be told to KCI; " +
			"containers[web].postStart cannot be told to KCI; containers[web].preStop cannot be told to KCI; " +
			"containers[web].security.runAsUser cannot be told to KCI; containers[web].security.runAsGroup cannot be told to KCI; " +
			"containers[web].security.runAsNonRoot cannot be told to KCI; containers[web].security.readOnlyRoot cannot be told to KCI; " +
			"containers[web].security.addCapabilities cannot be told to KCI; " +
			"containers[web].env[GREETING].fieldPath status.hostIP cannot be told to KCI; " +
			"containers[web].mounts[/etc/app].subPath cannot be told to KCI; " +
			"containers[web].mounts[/etc/app].propagation cannot be told to KCI"},
		"WhatTheDocumentLacks": {change(func(s *cloudapi.GroupSpec) {
			full := fullSpec()
			s.InitContainers, s.Containers, s.Volumes = full.InitContainers, full.Containers, full.Volumes
		}), Seed, cloudapi.CodeUnsupported, "initContainers needs dialect extended; " +
			"volumes[config].files.defaultMode needs dialect extended; " +
			"volumes[config].files[nested/key.bin].mode needs dialect extended; " +
			"volumes[config].files[nested/key.bin] (a nested path) needs dialect extended; " +
			"volumes[config].files[nested/key.bin] (binary content) needs dialect extended; " +
			"volumes[share].nfs needs dialect extended; " +
			"containers[web].security.privileged needs dialect extended; " +
			"containers[web].pullPolicy needs dialect extended; containers[web].gpu needs dialect extended; " +
			"containers[web].env[POD_IP].fieldPath needs dialect extended; " +
			"containers[web].liveness needs dialect extended; containers[web].readiness needs dialect extended; " +
			"containers[sidecar].readiness needs dialect extended"},
		"InitContainersWithPortsAndProbes": {change(func(s *cloudapi.GroupSpec) {
			s.InitContainers = []cloudapi.Container{{Name: "i", Image: "x", Ports: []cloudapi.Port{{Port: 1}},
				Liveness: &cloudapi.Probe{TCP: &cloudapi.TCPProbe{Port: 1}}}}
		}), Extended, cloudapi.CodeUnsupported,
			"initContainers[i].probes cannot be told to KCI; initContainers[i].ports cannot be told to KCI"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := createForm(tc.spec, tc.dialect)
			want := "CreateContainerGroup: " + string(tc.code) + ": " + tc.want
			if err == nil || err.Error() != want {
				t.Errorf("error (-want +got):\n%s", cmp.Diff(want, errorText(err)))
			}
			if !cloudapi.Terminal(err) {
				t.Error("the error is not terminal")
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestShare(t *testing.T) {
	cases := map[string]struct{ value, want float64 }{
		"Whole":         {2, 2},
		"ThreeDecimals": {0.125, 0.125},
		"RoundedDown":   {0.68359375, 0.683},
		"BinaryNoise":   {0.29, 0.29},
		"NeverNothing":  {0.0001, 0.001},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := share(tc.value); got != tc.want {
				t.Errorf("share(%v) = %v, want %v", tc.value, got, tc.want)
			}
		})
	}
}

func TestSecretsOf(t *testing.T) {
	want := []string{"", "", "Z3JlZXRpbmc95L2g5aW9Cg==", "greeting=你好\n", "p@ss word", "s3cret-value"}
	got := slices.Sorted(slices.Values(secretsOf(plainSpec())))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}
