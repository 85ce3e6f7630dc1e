package translate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
)

// changingPod has volumes of every kind, and containers that mount them in every
// way.
func changingPod() *corev1.Pod {
	mount := func(volume, sub string) corev1.VolumeMount {
		return corev1.VolumeMount{Name: volume, MountPath: "/" + volume + sub, SubPath: sub}
	}
	field := func(path string) *corev1.DownwardAPIVolumeSource {
		return &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{
			{Path: "f", FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path}},
		}}
	}
	configMap := func(name string) corev1.VolumeSource {
		return corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "u-1", Labels: map[string]string{"tier": "front"}},
		Spec: corev1.PodSpec{
			Volumes: []corev1.Volume{
				{Name: "map", VolumeSource: configMap("settings")},
				{Name: "picked", VolumeSource: configMap("settings")},
				{Name: "initial", VolumeSource: configMap("settings")},
				{Name: "fixed", VolumeSource: configMap("frozen")},
				{Name: "secret", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "login"}}},
				{Name: "labels", VolumeSource: corev1.VolumeSource{DownwardAPI: field("metadata.labels['tier']")}},
				{Name: "name", VolumeSource: corev1.VolumeSource{DownwardAPI: field("metadata.name")}},
				{Name: "all", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
					{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: ptr.To[int64](600)}},
					{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "gone"}, Optional: ptr.To(true)}},
				}}}},
				{Name: "work", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			},
			InitContainers: []corev1.Container{{Name: "first", Image: "i", VolumeMounts: []corev1.VolumeMount{mount("initial", "")}}},
			Containers: []corev1.Container{
				{Name: "root", Image: "i", VolumeMounts: []corev1.VolumeMount{
					mount("map", ""), mount("picked", "a"), mount("fixed", ""), mount("secret", ""), mount("name", ""), mount("work", ""),
				}},
				{Name: "user", Image: "i", SecurityContext: &corev1.SecurityContext{RunAsUser: ptr.To[int64](1000)}, VolumeMounts: []corev1.VolumeMount{
					mount("map", ""), mount("labels", ""),
				}},
				{Name: "careful", Image: "i", SecurityContext: &corev1.SecurityContext{RunAsNonRoot: ptr.To(true)}, VolumeMounts: []corev1.VolumeMount{mount("map", "")}},
				{Name: "last", Image: "i", VolumeMounts: []corev1.VolumeMount{mount("map", ""), mount("all", "")}},
			},
		},
	}
}

func changingReferences() References {
	return References{
		ConfigMaps: map[string]*corev1.ConfigMap{
			"settings": {Data: map[string]string{"a": "one", "b": "two"}},
			"frozen":   {Data: map[string]string{"a": "one"}, Immutable: ptr.To(true)},
		},
		Secrets: map[string]*corev1.Secret{
			"login": {ObjectMeta: metav1.ObjectMeta{UID: "u-9", ResourceVersion: "7"}, Data: map[string][]byte{"password": []byte("hunter2")}},
		},
		Tokens: map[TokenKey]string{{ExpirationSeconds: 600}: "token-1"},
	}
}

func TestChangingVolumes(t *testing.T) {
	want := []string{"map", "fixed", "secret", "labels", "all"}
	if diff := cmp.Diff(want, ChangingVolumes(changingPod())); diff != "" {
		t.Errorf("volumes (-want +got):\n%s", diff)
	}
	needs := Requirements{
		ConfigMaps: []Reference{{Name: "frozen"}, {Name: "gone", Optional: true}, {Name: "settings"}},
		Secrets:    []Reference{{Name: "login"}},
		Tokens:     []TokenRequest{{TokenKey: TokenKey{ExpirationSeconds: 600}, Volume: "all"}},
	}
	if diff := cmp.Diff(needs, FileNeeds(changingPod())); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
}

func TestCarriers(t *testing.T) {
	limits := cloudapi.Limits{Can: cloudapi.Abilities{Exec: true}}
	got := map[string][]string{}
	for _, v := range ChangingVolumes(changingPod()) {
		got[v] = Carriers(changingPod(), v, limits)
		if without := Carriers(changingPod(), v, cloudapi.Limits{}); without != nil {
			t.Errorf("a cloud without exec writes %s through %v", v, without)
		}
	}
	want := map[string][]string{"map": {"root", "last"}, "fixed": {"root"}, "secret": {"root"}, "labels": nil, "all": {"last"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("carriers (-want +got):\n%s", diff)
	}
	limits.MaxMounts = 1
	if full := Carriers(changingPod(), "map", limits); full != nil {
		t.Errorf("a cloud that takes one mount carries map through %v", full)
	}
	limits.MaxMounts = 0
	// What never changes is mounted nowhere else.
	pod := changingPod()
	tr := &translation{pod: pod, refs: changingReferences(), limits: &limits}
	mounts := []cloudapi.Mount{{Volume: "map", Path: "/.cumulet/map"}, {Volume: "secret", Path: "/.cumulet/secret"}}
	if diff := cmp.Diff(mounts, tr.carriers(&pod.Spec.Containers[0])); diff != "" {
		t.Errorf("mounts (-want +got):\n%s", diff)
	}
}

// TestCurrentFiles: what a group is made with is what it should have, and a change
// shows in that volume and no other.
func TestCurrentFiles(t *testing.T) {
	options := Options{Limits: cloudapi.Limits{EnvKey: ".", Can: cloudapi.Abilities{
		Exec: true, FileMode: true, BinaryFiles: true, NestedFilePaths: true, SubPath: true, InitContainers: true, RunAsUser: true, RunAsGroup: true,
	}, Tags: true}, Cluster: "c", Node: "n"}
	spec, _, err := Group(changingPod(), changingReferences(), options)
	if err != nil {
		t.Fatal(err)
	}
	now := CurrentFiles(changingPod(), changingReferences(), options)
	if len(now) != 5 {
		t.Fatalf("%d volumes", len(now))
	}
	for _, v := range now {
		for _, made := range spec.Volumes {
			if made.Name == v.Name && (made.Files == nil || FingerprintOf(made.Files) != v.Fingerprint) {
				t.Errorf("%s: Group makes %v, now it is %v", v.Name, made.Files, v.Files)
			}
		}
	}
	for name, c := range map[string]struct {
		reason  string
		change  func(*corev1.Pod, *References)
		changed []string // volumes with another content
		shown   []string // volumes with another version
	}{
		"Nothing":   {"", func(*corev1.Pod, *References) {}, nil, nil},
		"ConfigMap": {"", func(_ *corev1.Pod, r *References) { r.ConfigMaps["settings"].Data["a"] = "eins" }, []string{"map"}, []string{"map"}},
		"Key":       {"a key goes", func(_ *corev1.Pod, r *References) { delete(r.ConfigMaps["settings"].Data, "b") }, []string{"map"}, []string{"map"}},
		"Optional": {"it appears", func(_ *corev1.Pod, r *References) {
			r.ConfigMaps["gone"] = &corev1.ConfigMap{Data: map[string]string{"x": "y"}}
		}, []string{"all"}, []string{"all"}},
		"Label": {"", func(p *corev1.Pod, _ *References) { p.Labels["tier"] = "back" }, []string{"labels"}, []string{"labels"}},
		"Secret": {"content alone is never shown", func(_ *corev1.Pod, r *References) {
			r.Secrets["login"].Data["password"] = []byte("hunter3")
		}, []string{"secret"}, nil},
		"SecretVersion": {"the version is", func(_ *corev1.Pod, r *References) { r.Secrets["login"].ResourceVersion = "8" }, nil, []string{"secret"}},
		"Token": {"a renewal has no version", func(_ *corev1.Pod, r *References) {
			r.Tokens[TokenKey{ExpirationSeconds: 600}] = "token-2"
		}, []string{"all"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			pod, references := changingPod(), changingReferences()
			c.change(pod, &references)
			var changed, shown []string
			for i, v := range CurrentFiles(pod, references, options) {
				if v.Err != nil {
					t.Fatal(v.Err)
				}
				if v.Fingerprint != now[i].Fingerprint {
					changed = append(changed, v.Name)
				}
				if v.Version != now[i].Version {
					shown = append(shown, v.Name)
				}
			}
			if diff := cmp.Diff([][]string{c.changed, c.shown}, [][]string{changed, shown}); diff != "" {
				t.Errorf("%s: changed and shown (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// TestCurrentFilesLack: one volume's trouble is not the others'.
func TestCurrentFilesLack(t *testing.T) {
	references := changingReferences()
	delete(references.ConfigMaps, "settings")
	references.Secrets["login"].Data["big"] = []byte(strings.Repeat("x", 100))
	options := Options{Limits: cloudapi.Limits{MaxFileBytes: 50, Can: cloudapi.Abilities{BinaryFiles: true, NestedFilePaths: true}}}
	got := map[string]string{}
	for _, v := range CurrentFiles(changingPod(), references, options) {
		if v.Err != nil {
			got[v.Name] = v.Err.Error()
		}
	}
	want := map[string]string{
		"map":    `MountVolume.SetUp failed for volume "map" : configmap "settings" not found`,
		"secret": "spec.volumes[4].secret: 100 bytes in the file big; the cloud takes at most 50",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}
