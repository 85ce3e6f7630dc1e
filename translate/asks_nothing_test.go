package translate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// everyCloud are the limits of all clouds and dialects.
func everyCloud() map[string]cloudapi.Limits {
	return map[string]cloudapi.Limits{"Eci": eciLimits(), "Kci": kciLimits(), "KciSeed": kciSeedLimits()}
}

// TestWhatAsksForNothing: a pod that a kubelet runs as if something were not
// there runs without it on every cloud.
func TestWhatAsksForNothing(t *testing.T) {
	zero := resource.MustParse("0")
	for name, c := range map[string]struct {
		reason string
		pod    func(*corev1.Pod)
	}{
		"UnmountedConfigMap": {"a kubelet does not read what no container mounts", func(pod *corev1.Pod) {
			pod.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: "gone"}}}}}
		}},
		"UnmountedSecret": {"the same of a Secret", func(pod *corev1.Pod) {
			pod.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "gone"}}}}
		}},
		"UnmountedToken": {"the same of a token", func(pod *corev1.Pod) {
			pod.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
				Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "t"}}}}}}}
		}},
		"NoneOfAResource": {"an amount of 0 asks for nothing, whatever the resource", func(pod *corev1.Pod) {
			none := corev1.ResourceList{"nvidia.com/gpu": zero, "hugepages-2Mi": zero, "example.com/dongle": zero}
			pod.Spec.Containers[0].Resources = corev1.ResourceRequirements{Limits: none, Requests: none}
			pod.Spec.Resources = &corev1.ResourceRequirements{Limits: corev1.ResourceList{"hugepages-2Mi": zero}}
		}},
	} {
		for cloud, limits := range everyCloud() {
			t.Run(name+"/"+cloud, func(t *testing.T) {
				pod := simplePod()
				want, _, err := translate.Group(pod, translate.References{}, options(limits))
				if err != nil {
					t.Fatal(err)
				}
				c.pod(pod)
				got, _, err := translate.Group(pod, translate.References{}, options(limits))
				if err != nil {
					t.Fatalf("%s: %v", c.reason, err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-without +with):\n%s", c.reason, diff)
				}
			})
		}
	}
}

// TestSubPathsAreCleaned: a kubelet joins volume and sub-path, so that what is
// written otherwise is the same place, and the volume's own place is the volume.
func TestSubPathsAreCleaned(t *testing.T) {
	for name, c := range map[string]struct{ reason, written, want string }{
		"Whole":      {"the volume itself", ".", ""},
		"WholeSlash": {"the same with a slash", "./", ""},
		"Dots":       {"dots and doubled slashes say nothing", "./a//b/./c/", "a/b/c"},
		"Plain":      {"what is clean stays", "a/b", "a/b"},
	} {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			pod.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
			pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: "/v", SubPath: c.written}}
			for cloud, limits := range everyCloud() {
				got, _, err := translate.Group(pod, translate.References{}, options(limits))
				if !limits.Can.SubPath && c.want != "" {
					continue // refused, as all sub-paths are
				}
				if err != nil {
					t.Errorf("%s: %s: %v", cloud, c.reason, err)
					continue
				}
				if diff := cmp.Diff([]cloudapi.Mount{{Volume: "v", Path: "/v", SubPath: c.want}}, got.Containers[0].Mounts); diff != "" {
					t.Errorf("%s: %s (-want +got):\n%s", cloud, c.reason, diff)
				}
			}
		})
	}
}

// TestHostAliasWithoutNames: the API takes one, a kubelet writes a line that
// names nobody, and the clouds want a name at least.
func TestHostAliasWithoutNames(t *testing.T) {
	pod := simplePod()
	pod.Spec.HostAliases = []corev1.HostAlias{{IP: "10.0.0.1"}, {IP: "10.0.0.2", Hostnames: []string{"db"}}}
	for cloud, limits := range everyCloud() {
		got, report, err := translate.Group(pod, translate.References{}, options(limits))
		if err != nil {
			t.Errorf("%s: %v", cloud, err)
			continue
		}
		if diff := cmp.Diff([]cloudapi.HostAlias{{IP: "10.0.0.2", Hostnames: []string{"db"}}}, got.HostAliases); diff != "" {
			t.Errorf("%s (-want +got):\n%s", cloud, diff)
		}
		want := translate.Note{Field: "spec.hostAliases[0]", Decision: translate.DecisionIgnored, Reason: "it names no host"}
		if diff := cmp.Diff([]translate.Note{want}, notesAt(report, "spec.hostAliases")); diff != "" {
			t.Errorf("%s: notes (-want +got):\n%s", cloud, diff)
		}
	}
}

// notesAt are the notes on a field and what lies below it.
func notesAt(report translate.Report, field string) []translate.Note {
	var out []translate.Note
	for _, n := range report.Notes {
		if strings.HasPrefix(n.Field, field) {
			out = append(out, n)
		}
	}
	return out
}

// TestRefusedIsNotEmulated: of a field that is refused nothing else is told, nor
// of what lies below it.
func TestRefusedIsNotEmulated(t *testing.T) {
	exec := corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}
	for name, c := range map[string]struct {
		reason, field string
		pod           func(*corev1.Container)
	}{
		"Probe": {"nobody runs it", "spec.containers[0].livenessProbe", func(app *corev1.Container) {
			app.LivenessProbe = &corev1.Probe{ProbeHandler: exec, SuccessThreshold: 1}
			app.StartupProbe = &corev1.Probe{ProbeHandler: exec}
		}},
		"Hook": {"nor this", "spec.containers[0].lifecycle.postStart.httpGet", func(app *corev1.Container) {
			app.Lifecycle = &corev1.Lifecycle{PostStart: &corev1.LifecycleHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/"}}}
		}},
		"PullPolicy": {"the images are not there", "spec.containers[0].imagePullPolicy", func(app *corev1.Container) {
			app.ImagePullPolicy = corev1.PullNever
		}},
	} {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			c.pod(&pod.Spec.Containers[0])
			_, report, err := translate.Group(pod, translate.References{}, options(kciSeedLimits()))
			if !strings.Contains(text(err), c.field+": ") {
				t.Fatalf("%s: want %s to be refused, got %q", c.reason, c.field, text(err))
			}
			if notes := notesAt(report, c.field); len(notes) > 0 {
				t.Errorf("%s: %+v", c.reason, notes)
			}
		})
	}
}

// TestRefusedOnce: what can be refused for two reasons is so at two fields, or
// for one of them.
func TestRefusedOnce(t *testing.T) {
	pod := simplePod()
	kind := corev1.HostPathDirectoryOrCreate
	pod.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/x", Type: &kind}}}}
	app := &pod.Spec.Containers[0]
	app.VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: "/v"}}
	app.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{TCPSocket: &corev1.TCPSocketAction{}}}
	for cloud, want := range map[string][]string{
		"Eci":     {"spec.volumes[0].hostPath", "spec.volumes[0].hostPath.type"},
		"Kci":     {"spec.containers[0].lifecycle.preStop.tcpSocket", "spec.volumes[0].hostPath", "spec.volumes[0].hostPath.type"},
		"KciSeed": {"spec.containers[0].lifecycle.preStop.tcpSocket", "spec.volumes[0].hostPath"},
	} {
		_, _, err := translate.Group(pod, translate.References{}, options(everyCloud()[cloud]))
		refused, ok := errors.AsType[*translate.Refused](err)
		if !ok {
			t.Fatalf("%s: %v", cloud, err)
		}
		var got []string
		for _, r := range refused.Refusals {
			got = append(got, r.Field)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", cloud, diff)
		}
	}
}

// TestUnsupportedResourceOfAField: the message says what was written.
func TestUnsupportedResourceOfAField(t *testing.T) {
	for _, written := range []string{"limits.storage", "cpu", "", "usage.cpu"} {
		pod := simplePod()
		pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "A", ValueFrom: &corev1.EnvVarSource{
			ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: written}}}}
		_, _, err := translate.Group(pod, translate.References{}, options(eciLimits()))
		want := "spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: unsupported container resource: " + written
		if text(err) != want {
			t.Errorf("%q, want %q", text(err), want)
		}
	}
}

// TestNodeOfAPod: a pod that is shown before it is scheduled is on the node that
// it is shown for.
func TestNodeOfAPod(t *testing.T) {
	for name, want := range map[string]string{"": "virtual-1", "elsewhere": "elsewhere"} {
		pod := simplePod()
		pod.Spec.NodeName = name
		pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "NODE", ValueFrom: &corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.nodeName"}}}}
		spec, _, err := translate.Group(pod, translate.References{}, options(kciLimits()))
		if err != nil {
			t.Fatal(err)
		}
		if got := spec.Containers[0].Env[0].Value; got != want {
			t.Errorf("spec.nodeName %q: %q, want %q", name, got, want)
		}
	}
}
