package translate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// manyVolumes is a pod with this many ConfigMaps of two files each, as the
// conformance test of races between volumes has, and one empty directory.
func manyVolumes(n int) (*corev1.Pod, translate.References) {
	pod := simplePod()
	refs := translate.References{ConfigMaps: map[string]*corev1.ConfigMap{}}
	c := &pod.Spec.Containers[0]
	pod.Spec.Volumes = []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	c.VolumeMounts = []corev1.VolumeMount{{Name: "scratch", MountPath: "/scratch"}}
	for i := range n {
		name := fmt.Sprintf("racey-configmap-%d", i)
		refs.ConfigMaps[name] = &corev1.ConfigMap{Data: map[string]string{"data-1": name, "data-2": ""}}
		source := &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{ConfigMap: source}})
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: fmt.Sprintf("/etc/config-%d", i)})
	}
	return pod, refs
}

func TestManyVolumesArePacked(t *testing.T) {
	pod, refs := manyVolumes(50)
	pod.Spec.Volumes[0].Name, pod.Spec.Containers[0].VolumeMounts[0].Name = "packed-files-0", "packed-files-0" // taken
	pod.Spec.Containers[0].VolumeMounts[50].SubPath = "data-1"
	spec, report, err := translate.Group(pod, refs, options(eciLimits()))
	if err != nil {
		t.Fatal(err)
	}
	// 45 volumes of two files fill the 90 that one volume holds.
	type volume struct {
		Name  string
		Files int
		First string
	}
	var volumes []volume
	for _, v := range spec.Volumes {
		one := volume{Name: v.Name}
		if v.Files != nil {
			one.Files, one.First = len(v.Files.Items), v.Files.Items[0].Path
		}
		volumes = append(volumes, one)
	}
	wantVolumes := []volume{
		{Name: "packed-files-0"}, {"packed-files-0x", 90, "racey-configmap-0/data-1"}, {"packed-files-1", 10, "racey-configmap-45/data-1"},
	}
	if diff := cmp.Diff(wantVolumes, volumes); diff != "" {
		t.Errorf("volumes (-want +got):\n%s", diff)
	}
	mounts := spec.Containers[0].Mounts
	wantMounts := []cloudapi.Mount{
		{Volume: "packed-files-0", Path: "/scratch"},
		{Volume: "packed-files-0x", Path: "/etc/config-0", SubPath: "racey-configmap-0", ReadOnly: true},
		{Volume: "packed-files-1", Path: "/etc/config-49", SubPath: "racey-configmap-49/data-1", ReadOnly: true},
	}
	if diff := cmp.Diff(wantMounts, []cloudapi.Mount{mounts[0], mounts[1], mounts[50]}); diff != "" {
		t.Errorf("mounts (-want +got):\n%s", diff)
	}
	noted := false
	for _, n := range report.Notes {
		noted = noted || n.Field == "spec.volumes" && n.Decision == translate.DecisionEmulated
	}
	if !noted {
		t.Errorf("the report does not tell: %v", report.Notes)
	}
}

func TestFewVolumesAreNotPacked(t *testing.T) {
	pod, refs := manyVolumes(19)
	spec, _, err := translate.Group(pod, refs, options(eciLimits()))
	if err != nil || len(spec.Volumes) != 20 || spec.Containers[0].Mounts[1].SubPath != "" {
		t.Errorf("20 volumes are what the cloud takes: %v, %d volumes", err, len(spec.Volumes))
	}
}

func TestWhatCannotBePacked(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*cloudapi.Limits)
		want   string
	}{
		"NoSubPath": {"the cloud mounts whole volumes", func(l *cloudapi.Limits) { l.Can.SubPath = false },
			"spec.volumes: 51 volumes; the cloud takes at most 20"},
		"Flat": {"the cloud takes a flat list of files", func(l *cloudapi.Limits) { l.Can.NestedFilePaths = false },
			"spec.volumes: 51 volumes; the cloud takes at most 20"},
		"TooMany": {"even packed they are too many", func(l *cloudapi.Limits) { l.MaxVolumes = 2 },
			"spec.volumes: 3 volumes; the cloud takes at most 2"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			limits := eciLimits()
			c.change(&limits)
			pod, refs := manyVolumes(50)
			_, _, err := translate.Group(pod, refs, options(limits))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: want %q, got %v", c.reason, c.want, err)
			}
		})
	}
}
