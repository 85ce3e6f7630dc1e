package kubernetes

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// adaptSpec is a group with two containers, files and a login.
func adaptSpec() *engine.Spec {
	spec := webSpec()
	spec.Containers = append(spec.Containers, engine.Container{Name: "side", Image: "busybox:1"})
	spec.InitContainers = []engine.Container{{Name: "first", Image: "busybox:1"}}
	spec.Volumes = []engine.Volume{{Name: "conf", Files: &engine.Files{Items: []engine.File{{Path: "a", Content: []byte("1")}}}}}
	spec.PullCredentials = []engine.PullCredential{{Server: "r.example.com", Username: "u", Password: "made-up"}}
	return spec
}

func TestDifference(t *testing.T) {
	cases := map[string]struct {
		reason  string
		change  func(*engine.Spec)
		anew    bool
		images  map[string]string
		secrets []string
	}{
		"Nothing": {reason: "the same again", change: func(*engine.Spec) {}, images: map[string]string{}},
		"NotThePods": {
			reason: "what the engine and the fronts keep for themselves, and the grace, which is told on deletion",
			change: func(s *engine.Spec) {
				s.Tags, s.Deadline, s.Wire, s.Grace = []engine.NameValue{{Name: "a"}}, time.Hour, 1, time.Hour
			},
			images: map[string]string{},
		},
		"Files": {
			reason:  "a content",
			change:  func(s *engine.Spec) { s.Volumes[0].Files.Items[0].Content = []byte("2") },
			images:  map[string]string{},
			secrets: []string{"eci-1-files-conf"},
		},
		"AnotherFile": {
			reason: "flat directories may grow",
			change: func(s *engine.Spec) {
				s.Volumes[0].Files.Items = append(s.Volumes[0].Files.Items, engine.File{Path: "b"})
			},
			images:  map[string]string{},
			secrets: []string{"eci-1-files-conf"},
		},
		"NestedFile": {
			reason: "a path must be named in the pod",
			change: func(s *engine.Spec) {
				s.Volumes[0].Files.Items = append(s.Volumes[0].Files.Items, engine.File{Path: "b/c"})
			},
			anew: true,
		},
		"Login": {
			reason:  "a password",
			change:  func(s *engine.Spec) { s.PullCredentials[0].Password = "made-up too" },
			images:  map[string]string{},
			secrets: []string{"eci-1-logins1"},
		},
		"Images": {
			reason: "the images of containers",
			change: func(s *engine.Spec) { s.Containers[0].Image, s.Containers[1].Image = "nginx:2", "busybox:2" },
			images: map[string]string{"app": "nginx:2", "side": "busybox:2"},
		},
		"InitImage": {
			reason: "an init container runs only at the start", change: func(s *engine.Spec) { s.InitContainers[0].Image = "x" }, anew: true,
		},
		"Env": {
			reason: "a pod cannot change it", anew: true,
			change: func(s *engine.Spec) { s.Containers[0].Env = []engine.EnvVar{{Name: "A", Value: "1"}} },
		},
		"Size":    {reason: "nor its size", anew: true, change: func(s *engine.Spec) { s.CPU = 2 }},
		"Fewer":   {reason: "nor lose a container", anew: true, change: func(s *engine.Spec) { s.Containers = s.Containers[:1] }},
		"Renamed": {reason: "nor rename one", anew: true, change: func(s *engine.Spec) { s.Containers[0].Name = "b" }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			old, err := testBuilder.plan("eci-1", "eci-1", adaptSpec())
			if err != nil {
				t.Fatal(err)
			}
			spec := adaptSpec()
			tc.change(spec)
			next, err := testBuilder.plan("eci-1", "eci-1", spec)
			if err != nil {
				t.Fatal(err)
			}
			d := difference(old, next)
			var secrets []string
			for _, secret := range d.secrets {
				secrets = append(secrets, secret.Name)
			}
			if d.anew != tc.anew || !cmp.Equal(d.images, tc.images) || !cmp.Equal(secrets, tc.secrets) {
				t.Errorf("%s: anew %t, images %v, secrets %v; want %t, %v, %v", tc.reason, d.anew, d.images, secrets, tc.anew, tc.images, tc.secrets)
			}
		})
	}
}

func TestPatch(t *testing.T) {
	containers := []corev1.Container{{Name: "c"}, {Name: "a"}, {Name: "b"}}
	cases := map[string]struct {
		reason string
		change amendment
		want   string
	}{
		"Nothing": {reason: "nothing to patch"},
		"Images": {
			reason: "all containers in their order", change: amendment{images: map[string]string{"a": "x", "b": "y"}},
			want: `{"spec":{"containers":[{"name":"c"},{"name":"a","image":"x"},{"name":"b","image":"y"}]}}`,
		},
		"Files": {
			reason: "the kubelet is woken", change: amendment{secrets: []*corev1.Secret{{}}},
			want: `{"metadata":{"annotations":{"emulator.cumulet.dev/files":"2000-01-01T00:00:00Z"}}}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := tc.change.patch(containers, clockStart)
			if err != nil || string(got) != tc.want {
				t.Errorf("%s: %s, %v; want %s", tc.reason, got, err, tc.want)
			}
		})
	}
}

// TestUpdate checks that a group that is updated tells of Running only when it is
// up to date.
func TestUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		spec := webSpec()
		spec.Volumes = []engine.Volume{{Name: "conf", Files: &engine.Files{Items: []engine.File{{Path: "a", Content: []byte("1")}}}}}
		w := c.start("eci-1", spec)
		c.pod("eci-1", runs("a"))

		files := *spec
		files.Volumes = []engine.Volume{{Name: "conf", Files: &engine.Files{Items: []engine.File{{Path: "b", Content: []byte("2")}}}}}
		w.Update(&files)
		synctest.Wait()
		secret, err := c.client.CoreV1().Secrets("groups").Get(t.Context(), "eci-1-files-conf", getOptions)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string][]byte{"b": []byte("2")}, secret.Data); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		if pod, err := c.find("eci-1"); err != nil || pod.Annotations[annotationFiles] == "" {
			t.Errorf("the kubelet is not told of new files: %v, %v", pod.Annotations, err)
		}
		if w.last().Status != engine.Running {
			t.Errorf("after files: %s", w.last().Status)
		}

		image := files
		image.Containers = []engine.Container{{Name: "app", Image: "nginx:2"}}
		w.Update(&image)
		synctest.Wait()
		if w.last().Status != engine.Pending || w.last().Containers[0].Image != "nginx:2" {
			t.Errorf("while the image changes: %+v", w.last())
		}
		if pod, err := c.find("eci-1"); err != nil || pod.Spec.Containers[0].Image != "nginx:2" {
			t.Errorf("image %v, %v", pod.Spec.Containers, err)
		}
		c.pod("eci-1", runs("a")) // the kubelet has not seen it yet
		if w.last().Status != engine.Pending {
			t.Errorf("the old run counts as the new one: %s", w.last().Status)
		}
		c.pod("eci-1", runs("b"))
		if w.last().Status != engine.Running {
			t.Errorf("with the new image: %s", w.last().Status)
		}
		if deletes := c.noted(); deletes != nil {
			t.Errorf("deleted in place: %v", deletes)
		}

		anew := image
		anew.CPU = 4
		w.Update(&anew)
		synctest.Wait()
		c.vanish("eci-1")
		pod, err := c.find("eci-1-2")
		if err != nil {
			t.Fatal(err)
		}
		if cores := pod.Spec.Resources.Limits[corev1.ResourceCPU]; cores.Value() != 4 {
			t.Errorf("the new pod has %v cores", cores.Value())
		}
		c.pod("eci-1-2", runs("c"))
		want := []engine.Status{
			engine.Pending, engine.Running, engine.Pending, engine.Running, // files
			engine.Pending, engine.Running, engine.Pending, engine.Running, // image, new pod
		}
		if diff := cmp.Diff(want, w.statuses()); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
	})
}

// TestUpdateToNothingNew checks that an update without effect ends all the same.
func TestUpdateToNothingNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		w := c.start("eci-1", webSpec())
		c.pod("eci-1", runs("a"))
		same := *webSpec()
		w.Update(&same)
		synctest.Wait()
		want := []engine.Status{engine.Pending, engine.Running, engine.Pending, engine.Running}
		if diff := cmp.Diff(want, w.statuses()); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
	})
}

// TestHindrance checks that a group that needs a file of its machine waits, and
// runs once it needs it no longer.
func TestHindrance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		spec := webSpec()
		spec.Volumes = []engine.Volume{
			{Name: "hosts", HostPath: "/etc/hosts", HostPathType: "File"},
		}
		spec.Containers[0].GPU = 1
		w := c.start("eci-1", spec)
		want := []string{
			`Warning FailedMount: MountVolume.SetUp failed for volume "hosts" : hostPath type check failed: /etc/hosts is not a file ( 0)`,
			"Warning NoGPU: Container app asks for 1 GPU and runs without: the emulated machine has none (app 0)",
		}
		if diff := cmp.Diff(want, w.told()); diff != "" || w.last().Status != engine.Pending {
			t.Errorf("%s (-want +got):\n%s", w.last().Status, diff)
		}
		if len(c.objects("pods")) != 0 {
			t.Error("a pod was made")
		}
		w.Update(webSpec())
		synctest.Wait()
		if diff := cmp.Diff([]string{"eci-1"}, c.objects("pods")); diff != "" {
			t.Errorf("pods (-want +got):\n%s", diff)
		}
		again := *spec
		w.Update(&again)
		synctest.Wait()
		c.vanish("eci-1")
		if w.last().Status != engine.Pending || len(c.objects("pods")) != 0 {
			t.Errorf("%s with pods %v, want Pending with none", w.last().Status, c.objects("pods"))
		}
		w.Stop(false)
		synctest.Wait()
		if !w.last().Stopped {
			t.Error("not stopped")
		}
	})
}
