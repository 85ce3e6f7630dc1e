package translate_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/translate"
)

// TestSubPathHidesSecrets: a place in a volume may be made of what a Secret
// holds; what is told of it is not.
func TestSubPathHidesSecrets(t *testing.T) {
	for name, c := range map[string]struct{ reason, expression, want string }{
		"NoSuchFile": {"the file is looked for before the group runs", "a-$(KEY)", `the volume has no file or directory "a-(secret)"`},
		"Upwards":    {"as a kubelet words it", "$(KEY)/../x", "unable to provision SubPath `(secret)/../x`: must not contain '..'"},
		"Absolute":   {"the same", "/$(KEY)", "error SubPath `/(secret)` must not be an absolute path"},
		"Plain":      {"what is no secret is shown", "$(PLAIN)", `the volume has no file or directory "open"`},
	} {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			pod.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s"}}}}
			app := &pod.Spec.Containers[0]
			app.Env = []corev1.EnvVar{{Name: "PLAIN", Value: "open"}, {Name: "KEY", ValueFrom: &corev1.EnvVarSource{
				SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "key"}}}}
			app.VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: "/v", SubPathExpr: c.expression}}
			secret := &corev1.Secret{Data: map[string][]byte{"key": []byte("hunter2")}}
			_, _, err := translate.Group(pod, translate.References{Secrets: map[string]*corev1.Secret{"s": secret}}, options(kciLimits()))
			if got := text(err); !strings.Contains(got, c.want) || strings.Contains(got, "hunter2") {
				t.Errorf("%s: %q; want %q", c.reason, got, c.want)
			}
		})
	}
}
