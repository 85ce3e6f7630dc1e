package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

func TestConfigMapChanges(t *testing.T) {
	run(t, func(h *harness) {
		sh := h.shell()
		h.configMap("1", map[string]string{"a": "one", "b": "two"})
		h.running("web", settings)
		h.wait(time.Hour)
		if n, c := len(sh.given()), h.filesCurrent("web"); n != 0 || c != "" {
			t.Fatalf("%d scripts and condition %q although nothing changed", n, c)
		}
		h.configMap("2", map[string]string{"a": "eins"})
		changed := time.Now()
		h.wait(2 * time.Second)
		if n := len(sh.given()); n != 1 {
			t.Fatalf("%d scripts", n)
		}
		script := sh.given()[0]
		for _, part := range []string{"cd '/.cumulet/config' ", "printf 'eins' >> \"$new/0\"", "chmod 644 ", "put 0 './a'\n", "\n    './a') [ -d"} {
			if !strings.Contains(script, part) {
				t.Errorf("the script lacks %q:\n%s", part, script)
			}
		}
		got := h.filesCurrent("web")
		// The version is the sha256 over 1, a, 4, eins and the mode, each with its length before it.
		want := "True FilesUpdated: config has version b98a65587d55 since " + changed.UTC().Format(time.RFC3339)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("condition (-want +got):\n%s", diff)
		}
		writes := h.api.statusWrites()
		h.wait(time.Hour)
		if n := h.api.statusWrites() - writes; n != 0 || len(sh.given()) != 1 {
			t.Errorf("%d writes and %d scripts afterwards", n, len(sh.given())-1)
		}
		if events := h.events.with("Warning"); len(events) > 0 {
			t.Errorf("events %q", events)
		}
		h.api.end("web", 0)
		h.wait(time.Minute)
		h.nothingLeft()
	})
}

func TestOptionalFilesComeAndGo(t *testing.T) {
	run(t, func(h *harness) {
		sh := h.shell()
		h.running("web", mounted(corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}, Optional: ptr.To(true),
		}}))
		h.configMap("1", map[string]string{"a": "one"})
		h.wait(2 * time.Second)
		if s := sh.given(); len(s) != 1 || !strings.Contains(s[0], "put 0 './a'") {
			t.Fatalf("scripts %q", s)
		}
		if err := h.kube.CoreV1().ConfigMaps(testNamespace).Delete(t.Context(), "settings", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		h.wait(2 * time.Second)
		if s := sh.given(); len(s) != 2 || strings.Contains(s[1], "\nput 0") {
			t.Fatalf("scripts %q", s)
		}
	})
}

// TestRequiredFilesGone: what the group has stays, and this is told once.
func TestRequiredFilesGone(t *testing.T) {
	run(t, func(h *harness) {
		sh := h.shell()
		h.configMap("1", map[string]string{"a": "one"})
		h.running("web", settings)
		if err := h.kube.CoreV1().ConfigMaps(testNamespace).Delete(t.Context(), "settings", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		h.wait(10 * time.Second)
		if c := h.filesCurrent("web"); c != "" {
			t.Errorf("condition %q at once", c)
		}
		h.wait(time.Hour)
		reason := `MountVolume.SetUp failed for volume "config" : configmap "settings" not found`
		if diff := cmp.Diff("False FilesOutdated: config keeps its old files: "+reason, h.filesCurrent("web")); diff != "" {
			t.Errorf("condition (-want +got):\n%s", diff)
		}
		want := []string{`Warning FilesOutdated: Volume "config" keeps its old files: ` + reason}
		if diff := cmp.Diff(want, h.events.with("Warning")); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		h.configMap("2", map[string]string{"a": "two"})
		h.wait(2 * time.Second)
		if c := h.filesCurrent("web"); !strings.HasPrefix(c, "True") || len(sh.given()) != 1 {
			t.Errorf("condition %q, %d scripts, after it came back", c, len(sh.given()))
		}
	})
}

func TestLabelsChange(t *testing.T) {
	run(t, func(h *harness) {
		sh := h.shell()
		h.running("web", mounted(corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{
			{Path: "labels", FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.labels"}},
		}}}))
		h.api.change("web", func(p *corev1.Pod) { p.Labels = map[string]string{"tier": "front"} })
		h.wait(2 * time.Second)
		if s := sh.given(); len(s) != 1 || !strings.Contains(s[0], `printf 'tier="front"'`) {
			t.Errorf("scripts %q", s)
		}
	})
}

// TestFilesOtherWays: what exec cannot write the cloud's own call replaces, and
// what neither can is told, once.
func TestFilesOtherWays(t *testing.T) {
	full := &cloudapi.Error{Op: "Update", Code: cloudapi.CodeInvalid, Message: "no", RequestID: "r-1"}
	for name, c := range map[string]struct {
		reason  string
		setups  []setup
		rigid   bool
		answer  string
		code    int
		err     error
		fail    error
		pod     []func(*corev1.Pod)
		data    map[string]string
		updates int
		want    string // after "config keeps its old files: "; empty for success
	}{
		"ReadOnly": {"the cloud's files cannot be written to", []setup{withFiles}, false, "write", 0, nil, nil,
			[]func(*corev1.Pod){restartAlways}, nil, 1, ""},
		"NoShell": {"an image without a shell", []setup{withFiles}, false, "", 0,
			&cloudapi.Error{Op: "Exec", Code: cloudapi.CodeUnavailable, Message: `exec: "/bin/sh": stat /bin/sh: no such file or directory`}, nil,
			[]func(*corev1.Pod){restartAlways}, nil, 1, ""},
		"NotRoot": {"files belong to root", []setup{withFiles, can(func(l *cloudapi.Limits) { l.Can.RunAsUser = true })}, false, "", 0, nil, nil,
			[]func(*corev1.Pod){restartAlways, func(p *corev1.Pod) {
				p.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsUser: ptr.To[int64](1000)}
			}}, nil, 1, ""},
		"RawExec": {"a cloud that tells no exit code", []setup{withFiles}, false, "changed", 0,
			&cloudapi.Error{Op: "Exec", Code: cloudapi.CodeUnsupported, Message: "its exit code is not known"}, nil, nil, nil, 0, ""},
		"Never": {"the cloud warns of it", []setup{withFiles}, false, "write", 0, nil, nil, nil, nil, 0,
			"container main: the volume cannot be written to; containers that may not restart cannot be changed through the cloud's API"},
		"TooMany": {"more files than the call takes", []setup{withFiles}, false, "write", 0, nil, nil, []func(*corev1.Pod){restartAlways},
			map[string]string{"a": "1", "b": "2", "c": "3"}, 0,
			"container main: the volume cannot be written to; it has 3 files, and the cloud's API changes at most 2"},
		"Emptied": {"the call cannot say so", []setup{withFiles}, false, "write", 0, nil, nil, []func(*corev1.Pod){restartAlways},
			map[string]string{}, 0, "container main: the volume cannot be written to; the cloud's API cannot empty a volume"},
		"Refused": {"the cloud says no", []setup{withFiles}, false, "write", 0, nil, full, []func(*corev1.Pod){restartAlways}, nil, 2,
			"container main: the volume cannot be written to; Update: Invalid: no"},
		"Rigid": {"a cloud without the call", nil, true, "", 127, nil, nil, []func(*corev1.Pod){restartAlways}, nil, 0,
			"container main: its shell ended with exit code 127; test cannot change the files of a running container group"},
		"NeitherAbility": {"a cloud with neither", []setup{can(func(l *cloudapi.Limits) { l.Can.Exec = false })}, true, "", 0, nil, nil, nil, nil, 0,
			"test runs no commands in containers; test cannot change the files of a running container group"},
	} {
		t.Run(name, func(t *testing.T) {
			runIdle(t, func(h *harness) {
				if c.rigid {
					h.client = fakecloud.Rigid{Client: h.cloud}
				}
				h.start()
				h.wait(time.Minute)
				h.shell().set(c.answer, c.code, c.err)
				if c.fail != nil {
					h.cloud.FailAll(fakecloud.OpUpdate, func(fakecloud.Call) fakecloud.Fault { return fakecloud.Fault{Before: c.fail} })
				}
				h.configMap("1", map[string]string{"a": "one"})
				h.running("web", append([]func(*corev1.Pod){settings}, c.pod...)...)
				data := c.data
				if data == nil {
					data = map[string]string{"a": "eins"}
				}
				h.configMap("2", data)
				h.wait(10 * time.Minute)
				h.api.change("web", func(p *corev1.Pod) { p.Labels = map[string]string{"a": "b"} })
				h.wait(10 * time.Minute)
				condition := h.filesCurrent("web")
				if c.want == "" && !strings.HasPrefix(condition, "True FilesUpdated: config has version ") {
					t.Errorf("%s: condition %q", c.reason, condition)
				}
				var events []string
				if c.want != "" {
					if diff := cmp.Diff("False FilesOutdated: config keeps its old files: "+c.want, condition); diff != "" {
						t.Errorf("%s: condition (-want +got):\n%s", c.reason, diff)
					}
					events = []string{`Warning FilesOutdated: Volume "config" keeps its old files: ` + c.want}
				}
				if diff := cmp.Diff(events, h.events.with("Warning")); diff != "" {
					t.Errorf("%s: events (-want +got):\n%s", c.reason, diff)
				}
				updates := h.fileUpdates()
				if len(updates) != c.updates {
					t.Fatalf("%s: %d updates, want %d", c.reason, len(updates), c.updates)
				}
				if c.updates > 0 {
					want := []cloudapi.Volume{{Name: "config", Files: &cloudapi.Files{DefaultMode: 0o644, Items: []cloudapi.File{
						{Path: "a", Content: []byte("eins"), Mode: 0o644},
					}}}}
					if diff := cmp.Diff(want, updates[0]); diff != "" {
						t.Errorf("%s: update (-want +got):\n%s", c.reason, diff)
					}
				}
			}, c.setups...)
		})
	}
}

// TestFilesBothWays: after a change through the API the cloud may give the other
// volumes what it knows of them, which is old.
func TestFilesBothWays(t *testing.T) {
	run(t, func(h *harness) {
		sh := h.shell()
		h.configMap("1", map[string]string{"a": "one"})
		h.running("web", settings, restartAlways, func(p *corev1.Pod) {
			p.Spec.Volumes = append(p.Spec.Volumes, *p.Spec.Volumes[0].DeepCopy())
			p.Spec.Volumes[1].Name = "user"
			p.Spec.Containers = append(p.Spec.Containers, *p.Spec.Containers[0].DeepCopy())
			p.Spec.Containers[1].Name, p.Spec.Containers[1].VolumeMounts[0].Name = "user", "user"
			p.Spec.Containers[1].SecurityContext = &corev1.SecurityContext{RunAsUser: ptr.To[int64](1000)}
		})
		h.configMap("2", map[string]string{"a": "eins"})
		h.wait(10 * time.Second)
		updates := h.fileUpdates()
		if len(updates) != 1 || len(updates[0]) != 1 || updates[0][0].Name != "user" {
			t.Fatalf("updates %v", updates)
		}
		if n := len(sh.given()); n != 2 {
			t.Errorf("%d scripts, want one before the update and one after it", n)
		}
		h.wait(time.Hour)
		if n := len(sh.given()) + len(h.fileUpdates()); n != 3 {
			t.Errorf("%d scripts and updates in the end", n)
		}
	}, withFiles, can(func(l *cloudapi.Limits) { l.Can.RunAsUser = true }))
}

// TestFilesRetried: a cloud that does not answer is asked again.
func TestFilesRetried(t *testing.T) {
	run(t, func(h *harness) {
		sh := h.shell()
		sh.set("", 0, cloudErr(cloudapi.CodeUnavailable, true))
		h.configMap("1", map[string]string{"a": "one"})
		h.running("web", settings)
		h.configMap("2", map[string]string{"a": "eins"})
		h.wait(20 * time.Second)
		if n := len(sh.given()); n < 3 || n > 8 {
			t.Errorf("%d tries in 20 s", n)
		}
		if c := h.filesCurrent("web"); c != "" {
			t.Errorf("condition %q", c)
		}
		h.wait(time.Minute)
		if c := h.filesCurrent("web"); !strings.HasPrefix(c, "False FilesOutdated: config keeps its old files: Create: Unavailable") {
			t.Errorf("condition %q after a while", c)
		}
		sh.set("changed", 0, nil)
		h.until(time.Minute, "the files are current", func() bool { return strings.HasPrefix(h.filesCurrent("web"), "True") })
	})
}

// TestFilesWithoutExec: the cloud's own call does what exec does not for a minute.
func TestFilesWithoutExec(t *testing.T) {
	run(t, func(h *harness) {
		h.shell().set("", 0, cloudErr(cloudapi.CodeUnavailable, true))
		h.configMap("1", map[string]string{"a": "one"})
		h.running("web", settings, restartAlways)
		h.configMap("2", map[string]string{"a": "eins"})
		h.wait(2 * time.Minute)
		if n := len(h.fileUpdates()); n != 1 || !strings.HasPrefix(h.filesCurrent("web"), "True") {
			t.Errorf("%d updates, condition %q", n, h.filesCurrent("web"))
		}
	}, withFiles)
}

// TestFilesAfterContainerRestart: the cloud may give a new run of a container the
// files of the request.
func TestFilesAfterContainerRestart(t *testing.T) {
	run(t, func(h *harness) {
		sh := h.shell()
		h.configMap("1", map[string]string{"a": "one"})
		id := h.running("web", settings, restartAlways)
		restart := func() {
			h.cloud.Change(id, func(g *cloudapi.Group) {
				g.Containers[0].RestartCount++
				g.Containers[0].Current.StartedAt = time.Now()
			})
			h.wait(5 * time.Second)
		}
		restart()
		if n := len(sh.given()); n != 0 {
			t.Errorf("%d scripts although the group has what it was made with", n)
		}
		h.configMap("2", map[string]string{"a": "eins"})
		h.wait(5 * time.Second)
		restart()
		if n := len(sh.given()); n != 2 {
			t.Errorf("%d scripts, want one for the change and one for the restart", n)
		}
		h.wait(time.Hour)
		if n := len(sh.given()); n != 2 {
			t.Errorf("%d scripts in the end", n)
		}
	})
}

// TestFilesChangedWhileDown: another process does not know what the group has,
// and writes once.
func TestFilesChangedWhileDown(t *testing.T) {
	run(t, func(h *harness) {
		sh := h.shell()
		h.configMap("1", map[string]string{"a": "one"})
		h.running("web", settings)
		h.halt()
		h.configMap("2", map[string]string{"a": "eins"})
		h.start()
		h.wait(time.Minute)
		if s := sh.given(); len(s) != 1 || !strings.Contains(s[0], "printf 'eins'") {
			t.Fatalf("scripts %q", s)
		}
		if c := h.filesCurrent("web"); !strings.HasPrefix(c, "True") {
			t.Errorf("condition %q", c)
		}
		sh.set("same", 0, nil)
		writes := h.api.statusWrites()
		h.restart()
		h.wait(time.Hour)
		if n := len(sh.given()); n != 2 {
			t.Errorf("%d scripts, want one more for the second restart", n)
		}
		if n := h.api.statusWrites() - writes; n != 0 {
			t.Errorf("%d status writes although nothing changed", n)
		}
	})
}

// TestSecretContentIsNotShown: neither a secret nor anything to try guesses on.
func TestSecretContentIsNotShown(t *testing.T) {
	run(t, func(h *harness) {
		h.shell().set("write", 0, nil)
		secrets := h.kube.CoreV1().Secrets(testNamespace)
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "login", Namespace: testNamespace, UID: "u", ResourceVersion: "7"},
			Data: map[string][]byte{"password": []byte("hunter2")}}
		if _, err := secrets.Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		h.running("web", mounted(corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "login"}}))
		shown := map[string]bool{}
		for _, password := range []string{"hunter3", "hunter4"} {
			changed := secret.DeepCopy()
			changed.Data["password"] = []byte(password) // of the same version, so that only the content could tell
			if _, err := secrets.Update(t.Context(), changed, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			h.wait(time.Minute)
			shown[h.filesCurrent("web")] = true
		}
		if len(shown) != 1 {
			t.Errorf("what is shown depends on the content: %v", shown)
		}
		for _, text := range append(h.events.all(), h.log.String()) {
			if strings.Contains(text, "hunter") {
				t.Errorf("a secret stands in %q", text)
			}
		}
	})
}
