package translate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/translate"
)

// TestNotText: no process has a variable or an argument with a NUL, a kubelet can
// hand on none that is not UTF-8, and a file that is sent as text is text.
func TestNotText(t *testing.T) {
	secret := &corev1.Secret{Data: map[string][]byte{"raw": {0xff}, "nul": []byte("a\x00b"), "text": []byte("ü\n\x1b")}}
	from := func(key string) []corev1.EnvVar {
		return []corev1.EnvVar{{Name: "A", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: key}}}}
	}
	const variable = "spec.containers[0].env[0].valueFrom: the value of A is not text in UTF-8 without NUL"
	for name, c := range map[string]struct {
		reason, want string
		app          corev1.Container
	}{
		"Text":    {"what is text is taken", "", corev1.Container{Env: from("text"), Args: []string{"ü", "a\nb"}}},
		"NotUTF8": {"bytes of a Secret may be no text", variable, corev1.Container{Env: from("raw")}},
		"NUL":     {"a C string ends there", variable, corev1.Container{Env: from("nul")}},
		"Source": {"the same of all keys", "spec.containers[0].envFrom[0]: the value of nul is not text in UTF-8 without NUL; " +
			"spec.containers[0].envFrom[0]: the value of raw is not text in UTF-8 without NUL",
			corev1.Container{EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}}}}}},
		"Literal": {"what stands in the pod too", "spec.containers[0].env[0].value: the value of A is not text in UTF-8 without NUL",
			corev1.Container{Env: []corev1.EnvVar{{Name: "A", Value: "\x00"}}}},
		"Argument": {"and arguments", "spec.containers[0].args[1]: it is not text in UTF-8 without NUL",
			corev1.Container{Args: []string{"x", "\x00"}}},
		"Command": {"and a command", "spec.containers[0].command[0]: it is not text in UTF-8 without NUL",
			corev1.Container{Command: []string{"\x00"}}},
	} {
		for cloud, limits := range everyCloud() {
			t.Run(name+"/"+cloud, func(t *testing.T) {
				pod := simplePod()
				c.app.Name, c.app.Image = "app", "registry.example.com/app:1"
				pod.Spec.Containers[0] = c.app
				_, _, err := translate.Group(pod, translate.References{Secrets: map[string]*corev1.Secret{"s": secret}}, options(limits))
				if text(err) != c.want {
					t.Errorf("%s: %q, want %q", c.reason, text(err), c.want)
				}
			})
		}
	}
}

// TestFilesOfText: KCI's document has no word for a file that is not text.
func TestFilesOfText(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"Text":    {"ü\n", ""},
		"NotUTF8": {"\xff", "spec.volumes[0].configMap: the file f is not text in UTF-8 without NUL, and the cloud takes no other"},
		"NUL":     {"a\x00", "spec.volumes[0].configMap: the file f is not text in UTF-8 without NUL, and the cloud takes no other"},
	} {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			pod.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}}}}}
			pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: "/v"}}
			refs := translate.References{ConfigMaps: map[string]*corev1.ConfigMap{"cm": {BinaryData: map[string][]byte{"f": []byte(c.content)}}}}
			if _, _, err := translate.Group(pod, refs, options(kciLimits())); err != nil {
				t.Errorf("a cloud that takes any file: %v", err)
			}
			if _, _, err := translate.Group(pod, refs, options(kciSeedLimits())); text(err) != c.want {
				t.Errorf("%q, want %q", text(err), c.want)
			}
		})
	}
}

// TestSkippedVariables: the words are those of kubelets up to 1.33, which left out
// such names themselves: the kind begins with a small letter, and names are whole.
func TestSkippedVariables(t *testing.T) {
	pod := simplePod()
	pod.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{
		{Prefix: "1.", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}}},
		{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}}},
	}
	refs := translate.References{
		ConfigMaps: map[string]*corev1.ConfigMap{"cm": {Data: map[string]string{"b": "x", "a": "y"}}},
		Secrets:    map[string]*corev1.Secret{"s": {Data: map[string][]byte{"tls.crt": []byte("z"), "ok": nil}}},
	}
	_, report, err := translate.Group(pod, refs, options(eciLimits()))
	if err != nil {
		t.Fatal(err)
	}
	const skipped = " were skipped since they are considered invalid environment variable names."
	want := []translate.Event{
		{Warning: true, Reason: "InvalidEnvironmentVariableNames", Message: "Keys [1.a, 1.b] from the EnvFrom configMap shop/cm" + skipped},
		{Warning: true, Reason: "InvalidEnvironmentVariableNames", Message: "Keys [tls.crt] from the EnvFrom secret shop/s" + skipped},
	}
	if diff := cmp.Diff(want, report.Events); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
