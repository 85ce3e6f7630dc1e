package translate_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// simplePod is a pod that every cloud runs.
func simplePod() *corev1.Pod {
	pod := &corev1.Pod{}
	pod.Name, pod.Namespace, pod.UID = "web", "shop", "0b6f3c1e-5a52-4c0f-9d8e-3f6a1b2c3d4e"
	pod.Spec.Containers = []corev1.Container{{Name: "app", Image: "registry.example.com/app:1"}}
	return pod
}

func TestNeeds(t *testing.T) {
	pod, _ := readCase(t, "testdata/pod/projected-volume.pod.yaml")
	yes := true
	pod.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "pull"}, {}, {Name: "pull"}}
	pod.Spec.InitContainers = []corev1.Container{{EnvFrom: []corev1.EnvFromSource{
		{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "maybe"}, Optional: &yes}},
		{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "other"}, Optional: &yes}},
	}}}
	pod.Spec.Containers[0].Env = []corev1.EnvVar{
		{Name: "A", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "other"}, Key: "k"}}},
		{Name: "B", Value: "literal", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "unused"}, Key: "k"}}},
	}
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "t", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}},
	}}})
	pod.Spec.InitContainers[0].VolumeMounts = []corev1.VolumeMount{{Name: "t", MountPath: "/t"}}
	for name, source := range map[string]corev1.VolumeSource{
		"unmounted-map":    {ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "unmounted"}}},
		"unmounted-secret": {Secret: &corev1.SecretVolumeSource{SecretName: "unmounted"}},
		"unmounted-claim":  {PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "unmounted"}},
	} {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: source})
	}
	want := translate.Requirements{
		ConfigMaps:  []translate.Reference{{Name: "maybe", Optional: true}, {Name: "nothing", Optional: true}, {Name: "settings"}},
		Secrets:     []translate.Reference{{Name: "login"}, {Name: "other"}},
		PullSecrets: []string{"pull"},
		Tokens: []translate.TokenRequest{
			{TokenKey: translate.TokenKey{Audience: "vault", ExpirationSeconds: 600}, Volume: "all", Source: 2},
			{TokenKey: translate.TokenKey{ExpirationSeconds: 3600}, Volume: "t", Source: 0},
		},
		ServiceAccount: "robot",
		ServiceLinks:   true,
	}
	if diff := cmp.Diff(want, translate.Needs(pod)); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
	no := false
	if got := translate.Needs(&corev1.Pod{Spec: corev1.PodSpec{EnableServiceLinks: &no}}); got.ServiceLinks {
		t.Error("a pod without service links needs no services of its namespace")
	}
}

func TestMissingToken(t *testing.T) {
	pod, refs := readCase(t, "testdata/pod/projected-volume.pod.yaml")
	refs.Tokens = nil
	_, _, err := translate.Group(pod, refs, options(eciLimits()))
	want := &translate.MissingReference{Kind: translate.KindToken, Namespace: "shop", Name: "robot", Volume: "all"}
	var got *translate.MissingReference
	if !errors.As(err, &got) {
		t.Fatalf("want a missing reference, got %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMasterService(t *testing.T) {
	service := func(namespace, name, ip string) *corev1.Service {
		s := &corev1.Service{Spec: corev1.ServiceSpec{ClusterIP: ip, Ports: []corev1.ServicePort{{Port: 443}}}}
		s.Namespace, s.Name = namespace, name
		return s
	}
	no := false
	cases := map[string]struct {
		reason   string
		services []*corev1.Service
		links    *bool
		master   string
		want     string
	}{
		"Default":    {"it is in namespace default", []*corev1.Service{service("default", "kubernetes", "1.1.1.1")}, nil, "", "1.1.1.1"},
		"Elsewhere":  {"or where the options say", []*corev1.Service{service("default", "kubernetes", "1.1.1.1"), service("kube", "kubernetes", "2.2.2.2")}, &no, "kube", "2.2.2.2"},
		"OwnWins":    {"one of the pod's namespace hides it", []*corev1.Service{service("shop", "kubernetes", "3.3.3.3"), service("default", "kubernetes", "1.1.1.1")}, nil, "", "3.3.3.3"},
		"OwnIsOff":   {"unless links are off", []*corev1.Service{service("shop", "kubernetes", "3.3.3.3"), service("default", "kubernetes", "1.1.1.1")}, &no, "", "1.1.1.1"},
		"NilService": {"nil is passed over", []*corev1.Service{nil}, nil, "", ""},
		"IPv6":       {"addresses are not bracketed in HOST", []*corev1.Service{service("default", "kubernetes", "fd00::1")}, nil, "", "fd00::1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			pod.Spec.EnableServiceLinks = c.links
			o := options(eciLimits())
			o.MasterServiceNamespace = c.master
			spec, _, err := translate.Group(pod, translate.References{Services: c.services}, o)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, v := range spec.Containers[0].Env {
				got[v.Name] = v.Value
			}
			if got["KUBERNETES_SERVICE_HOST"] != c.want {
				t.Errorf("%s: %v", c.reason, got)
			}
			if c.want == "fd00::1" && got["KUBERNETES_PORT"] != "tcp://[fd00::1]:443" {
				t.Errorf("KUBERNETES_PORT = %q", got["KUBERNETES_PORT"])
			}
		})
	}
}

// TestDocumentedKCI refuses on the documented KCI what only the extended one
// can do, each by its path.
func TestDocumentedKCI(t *testing.T) {
	cases := map[string][]string{
		"probes":          {"spec.containers[0].livenessProbe: the node would have to end the container", "spec.containers[1].livenessProbe: ", "spec.containers[1].readinessProbe.exec: "},
		"hooks":           {"spec.containers[0].lifecycle.postStart.httpGet: the node would have to end the container", "spec.containers[0].lifecycle.preStop.exec: "},
		"init-containers": {"spec.initContainers: "},
		"nfs":             {"spec.volumes[0].nfs: ", "spec.volumes[1].nfs: "},
		"secret-volume":   {"spec.volumes[0].secret.defaultMode: ", "spec.volumes[0].secret.items[0].mode: "},
		"downward-volume": {"spec.volumes[0].downwardAPI: the file deep/name is in a directory of its own"},
		"configmap-volume": {"spec.volumes[0].configMap: the file blob is not text", "spec.volumes[1].configMap: the file blob.bin is not text",
			"spec.volumes[1].configMap: the file etc/app.conf is in a directory of its own"},
		"env-fields": {"spec.containers[0].env[10].valueFrom.fieldRef.fieldPath: status.podIP: ", "spec.containers[0].env[11].valueFrom.fieldRef.fieldPath: status.podIPs: "},
		"gpu":        {"spec.containers[0].resources.limits[nvidia.com/gpu]: ", "spec.containers[0].resources.requests[nvidia.com/gpu]: "},
		"terminal":   {"spec.containers[0].imagePullPolicy: Never", "spec.containers[0].stdin: "},
		"defaulted":  nil,
		"services":   nil,
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			pod, refs := readCase(t, "testdata/pod/"+name+".pod.yaml")
			_, _, err := translate.Group(pod, refs, options(kciSeedLimits()))
			if want == nil && err != nil {
				t.Fatal(err)
			}
			for _, w := range want {
				if err == nil || !strings.Contains(err.Error(), w) {
					t.Errorf("want %q in %v", w, err)
				}
			}
		})
	}
}

// TestImagesAndPorts: what the cloud's request would be refused for, the pod is.
func TestImagesAndPorts(t *testing.T) {
	pod := simplePod()
	pod.Spec.Containers[0].Image = "registry.example.com/" + strings.Repeat("a", 235)
	pod.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 10250}, {ContainerPort: 10251}}
	_, _, err := translate.Group(pod, translate.References{}, options(eciLimits()))
	var refused *translate.Refused
	if !errors.As(err, &refused) {
		t.Fatalf("want refusals, got %v", err)
	}
	want := []translate.Refusal{
		{Field: "spec.containers[0].image", Reason: "256 characters; the cloud takes at most 255"},
		{Field: "spec.containers[0].ports[0].containerPort", Reason: "10250: the cloud's own agent listens there"},
	}
	if diff := cmp.Diff(want, refused.Refusals); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, _, err := translate.Group(pod, translate.References{}, options(kciLimits())); err != nil {
		t.Errorf("KCI: %v", err)
	}
}

func TestCounts(t *testing.T) {
	limits := kciLimits()
	limits.MaxContainers, limits.MaxInit, limits.MaxVolumes, limits.MaxHostAliases = 1, 1, 1, 1
	limits.MaxEnv, limits.MaxFiles, limits.MaxArgs, limits.MaxCommandBytes, limits.MaxSearches = 2, 1, 1, 3, 2
	limits.MaxMounts = 1
	pod, refs := readCase(t, "testdata/pod/services.pod.yaml")
	two := []corev1.Container{{Name: "a", Image: "a", Args: []string{"1", "abcd"}, VolumeMounts: []corev1.VolumeMount{{Name: "x", MountPath: "/x"}, {Name: "y", MountPath: "/y"}}}, {Name: "b", Image: "b"}}
	pod.Spec.InitContainers, pod.Spec.Containers = two, append(pod.Spec.Containers, two...)
	pod.Spec.HostAliases = []corev1.HostAlias{{IP: "1.1.1.1", Hostnames: []string{"a"}}, {IP: "2.2.2.2", Hostnames: []string{"b"}}}
	refs.ConfigMaps["y"] = &corev1.ConfigMap{Data: map[string]string{"a": "", "b": ""}}
	pod.Spec.Volumes = []corev1.Volume{{Name: "x"}, {Name: "y", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "y"}}}}}
	_, _, err := translate.Group(pod, refs, options(limits))
	var refused *translate.Refused
	if !errors.As(err, &refused) {
		t.Fatalf("want refusals, got %v", err)
	}
	var got []string
	for _, r := range refused.Refusals {
		got = append(got, r.String())
	}
	const env = "environment variables, those of services included (enableServiceLinks: false leaves most of them out); the cloud takes at most 2"
	want := []string{
		"spec.containers: 3 containers; the cloud takes at most 1",
		"spec.containers[0].env: 22 " + env,
		"spec.containers[1].args: 2 elements; the cloud takes at most 1",
		"spec.containers[1].args[1]: 4 bytes; the cloud takes at most 3",
		"spec.containers[1].env: 21 " + env,
		"spec.containers[1].volumeMounts: 2 volume mounts; the cloud takes at most 1",
		"spec.containers[2].env: 21 " + env,
		"spec.dnsConfig.searches: 3 search domains, the cluster's included; the cloud takes at most 2",
		"spec.hostAliases: 2 host aliases; the cloud takes at most 1",
		"spec.initContainers: 2 init containers; the cloud takes at most 1",
		"spec.initContainers[0].args: 2 elements; the cloud takes at most 1",
		"spec.initContainers[0].args[1]: 4 bytes; the cloud takes at most 3",
		"spec.initContainers[0].env: 21 " + env,
		"spec.initContainers[0].volumeMounts: 2 volume mounts; the cloud takes at most 1",
		"spec.initContainers[1].env: 21 " + env,
		"spec.volumes: 2 volumes; the cloud takes at most 1",
		"spec.volumes[1].configMap: 2 files in the volume; the cloud takes at most 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("refusals (-want +got):\n%s", diff)
	}
}

// TestRefusalsAreSortedByIndex wants container 2 before container 10.
func TestRefusalsAreSortedByIndex(t *testing.T) {
	pod := simplePod()
	var want []string
	pod.Spec.Containers = nil
	for i := range 12 {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{
			Name: fmt.Sprintf("c%d", i), Image: "c", Ports: []corev1.ContainerPort{{ContainerPort: 1, Protocol: corev1.ProtocolSCTP}},
		})
		want = append(want, fmt.Sprintf("spec.containers[%d].ports[0].protocol: SCTP: the clouds know TCP and UDP", i))
	}
	_, _, err := translate.Group(pod, translate.References{}, options(eciLimits()))
	if diff := cmp.Diff(strings.Join(want, "; "), text(err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func BenchmarkGroup(b *testing.B) {
	pod, refs := readCase(b, "testdata/pod/defaulted.pod.yaml")
	o := options(eciLimits())
	for b.Loop() {
		if _, _, err := translate.Group(pod, refs, o); err != nil {
			b.Fatal(err)
		}
	}
}

func TestBadOptions(t *testing.T) {
	cases := map[string]func(*translate.Options){
		"compiling Limits.EnvKey":       func(o *translate.Options) { o.Limits.EnvKey = "(" },
		"cluster id has 257 characters": func(o *translate.Options) { o.Cluster = strings.Repeat("c", 257) },
		"node name has 257 characters":  func(o *translate.Options) { o.Node = strings.Repeat("n", 257) },
	}
	for want, change := range cases {
		o := options(eciLimits())
		change(&o)
		_, _, err := translate.Group(simplePod(), translate.References{}, o)
		var refused *translate.Refused
		if err == nil || errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// TestNoSecretIsTold plants secrets everywhere and looks for them in errors
// and reports.
func TestNoSecretIsTold(t *testing.T) {
	const canary = "CANARY"
	pod, refs := readCase(t, "testdata/pod/pull-secrets.pod.yaml")
	refs.Secrets["pull"].Data[".dockerconfigjson"] = []byte(`{"auths":{"registry.example.com":{"username":"u","password":"` + canary + `"},"quay.example.com":{"auth":"` + canary + `"}}}`)
	refs.Secrets["s"] = &corev1.Secret{Data: map[string][]byte{"big": []byte(strings.Repeat(canary, 10000)), "bad name": []byte(canary), "binary": append([]byte(canary), 0xff)}}
	pod.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}}}}
	pod.Spec.Containers[0].Env = []corev1.EnvVar{
		{Name: "S", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "big"}}},
		{Name: "T", Value: "$(S)"},
	}
	pod.Spec.Containers[0].Command = []string{"$(S)"}
	pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: "/v"}}
	pod.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s"}}}}
	for _, limits := range []cloudapi.Limits{eciLimits(), kciLimits(), kciSeedLimits()} {
		_, report, err := translate.Group(pod, refs, options(limits))
		text := string(groupYAML(t, cloudapi.GroupSpec{}, report, err))
		if strings.Contains(text, canary) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s tells a secret:\n%s\n%v", limits.Cloud, text, err)
		}
	}
}

// TestResultSharesNoMemory writes over everything that came out.
func TestResultSharesNoMemory(t *testing.T) {
	for _, name := range []string{"secret-volume", "configmap-volume", "command-expansion", "host-aliases", "dns-cluster", "probes", "hostname-deadline"} {
		pod, refs := readCase(t, "testdata/pod/"+name+".pod.yaml")
		podBefore, refsBefore := pod.DeepCopy(), copyReferences(refs)
		o := options(eciLimits())
		spec, _, err := translate.Group(pod, refs, o)
		if err != nil {
			t.Fatal(err)
		}
		scribble(&spec)
		if diff := cmp.Diff(podBefore, pod) + cmp.Diff(refsBefore, refs) + cmp.Diff(options(eciLimits()), o); diff != "" {
			t.Errorf("%s: the result shares memory with the input:\n%s", name, diff)
		}
	}
}

func scribble(spec *cloudapi.GroupSpec) {
	for _, v := range spec.Volumes {
		if v.Files != nil {
			for _, f := range v.Files.Items {
				for i := range f.Content {
					f.Content[i] = 'X'
				}
			}
		}
	}
	overwrite := func(texts []string) {
		for i := range texts {
			texts[i] = "X"
		}
	}
	for _, c := range spec.Containers {
		overwrite(c.Command)
		overwrite(c.Args)
		if c.Readiness != nil && c.Readiness.Exec != nil {
			overwrite(c.Readiness.Exec.Command)
		}
	}
	for _, a := range spec.HostAliases {
		overwrite(a.Hostnames)
	}
	overwrite(spec.DNS.NameServers)
	overwrite(spec.DNS.Searches)
	overwrite(spec.Placement.SubnetIDs)
	overwrite(spec.Placement.SecurityGroupIDs)
	if spec.ActiveDeadlineSeconds != nil {
		*spec.ActiveDeadlineSeconds, *spec.TerminationGraceSeconds = 0, 0
	}
}
