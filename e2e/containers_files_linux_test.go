package e2e

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/google/go-cmp/cmp"
)

// inspect prints what a container sees: its variables, the modes and owners of
// its files, and their content.
const inspect = `for name in PLAIN ODD EXPANDED KEPT FROM_MAP FROM_SECRET POD MEMORY MAP_color; do env | grep "^$name="; done
for file in /map/color /map/deep/shape /secret/word /pod/label /pod/memory /scratch /var/run/secrets/kubernetes.io/serviceaccount/token; do
  stat -L -c '%n %a %u:%g' $file
done
cat /map/color /map/deep/shape /secret/word; echo
md5sum < /map/bytes
cat /pod/label; echo; cat /pod/memory; echo
echo x 2>/dev/null > /map/color || echo /map is read-only
grep -c one.test /etc/hosts
pwd
cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null
`

// inspected is what inspect prints.
const inspected = `PLAIN=as it is
ODD=quote " apostrophe ' backslash \ dollar $ and 容器
EXPANDED=as it is, too
KEPT=$(PLAIN) $(NOBODY)
FROM_MAP=blue
FROM_SECRET=s3cret
POD=inspected
MEMORY=128
MAP_color=blue
/map/color 400 0:0
/map/deep/shape 640 0:0
/secret/word 400 0:0
/pod/label 644 0:0
/pod/memory 600 0:0
/scratch 777 0:0
/var/run/secrets/kubernetes.io/serviceaccount/token 644 0:0
blueround
two liness3cret
e2c865db4162bed963bfaa9ef6ac18f0  -
here
134217728
/map is read-only
1
/tmp
134217728
`

// TestContainersFiles looks at variables and files from within a container.
func TestContainersFiles(t *testing.T) {
	inContainers(t, func(t *testing.T, c *target) {
		maps := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "map"},
			Data:       map[string]string{"color": "blue", "shape": "round\ntwo lines"},
			BinaryData: map[string][]byte{"bytes": allBytes()},
		}
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "secret"}, StringData: map[string]string{"word": "s3cret"},
		}
		if _, err := c.kube.CoreV1().ConfigMaps(c.namespace).Create(t.Context(), maps, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.kube.CoreV1().Secrets(c.namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		c.create(t, c.pod("inspected", inspect, inspectedPod))
		c.awaitPod(t, "inspected", "over", hasEnded)
		if diff := cmp.Diff(inspected, c.mustKubectl(t, "", "logs", "inspected")); diff != "" {
			t.Errorf("the container sees (-want +got):\n%s", diff)
		}
	})
}

// allBytes are the 256 bytes there are; the MD5 of them is well known.
func allBytes() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

func inspectedPod(p *corev1.Pod) {
	p.Labels = map[string]string{"place": "here"}
	p.Spec.RestartPolicy = corev1.RestartPolicyNever
	p.Spec.HostAliases = []corev1.HostAlias{{IP: "192.0.2.7", Hostnames: []string{"one.test"}}}
	main := &p.Spec.Containers[0]
	main.WorkingDir = "/tmp"
	main.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("128Mi")}
	main.Env, main.EnvFrom = inspectedEnv(), []corev1.EnvFromSource{{
		Prefix: "MAP_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: named("map")},
	}}
	for _, name := range []string{"map", "secret", "pod", "scratch"} {
		main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: "/" + name})
	}
	p.Spec.Volumes = inspectedVolumes()
}

func named(name string) corev1.LocalObjectReference { return corev1.LocalObjectReference{Name: name} }

func inspectedEnv() []corev1.EnvVar {
	return []corev1.EnvVar{
		{Name: "PLAIN", Value: "as it is"},
		{Name: "ODD", Value: `quote " apostrophe ' backslash \ dollar $ and 容器`},
		{Name: "EXPANDED", Value: "$(PLAIN), too"},
		{Name: "KEPT", Value: "$$(PLAIN) $(NOBODY)"},
		{Name: "FROM_MAP", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: named("map"), Key: "color"}}},
		{Name: "FROM_SECRET", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: named("secret"), Key: "word"}}},
		{Name: "POD", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
		{Name: "MEMORY", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.memory", Divisor: resource.MustParse("1Mi")}}},
	}
}

func inspectedVolumes() []corev1.Volume {
	return []corev1.Volume{
		{Name: "map", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: named("map"), DefaultMode: ptr.To[int32](0o640),
			Items: []corev1.KeyToPath{{Key: "color", Path: "color", Mode: ptr.To[int32](0o400)}, {Key: "shape", Path: "deep/shape"}, {Key: "bytes", Path: "bytes"}},
		}}},
		{Name: "secret", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "secret", DefaultMode: ptr.To[int32](0o400)}}},
		{Name: "pod", VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{
			{Path: "label", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['place']"}},
			{Path: "memory", ResourceFieldRef: &corev1.ResourceFieldSelector{ContainerName: "main", Resource: "limits.memory"}, Mode: ptr.To[int32](0o600)},
		}}}},
		{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
	}
}
