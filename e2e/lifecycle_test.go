package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/google/go-cmp/cmp"
)

// TestPod is one pod's whole life: everything that translation covers in it.
func TestPod(t *testing.T) {
	onBoth(t, func(t *testing.T, c *target) {
		c.mustKubectl(t, "", "create", "configmap", "settings", "--from-literal=color=blue", "--from-literal=LEVEL=7")
		c.mustKubectl(t, "", "create", "secret", "generic", "password", "--from-literal=word=s3cret")
		pod := c.create(t, c.pod("all", "echo started; while true; do sleep 1; done", allSources))
		ready := c.awaitPod(t, pod.Name, "ready", isReady)

		if ready.Status.PodIP == "" || ready.Status.HostIP == "" || ready.Status.StartTime == nil {
			t.Errorf("addresses or start time are missing: %+v", ready.Status)
		}
		if got := ready.Status.InitContainerStatuses[0].State.Terminated; got == nil || got.ExitCode != 0 || got.Reason != "Completed" {
			t.Errorf("init container's state is %+v, want terminated with 0, Completed", got)
		}
		out := c.mustKubectl(t, "", "exec", "all", "-c", "main", "--", "sh", "-c",
			"cat /config/color /secret/word /handover/note; printenv COLOR WORD PREFIX_LEVEL POD_NAME POD_UID GREETING")
		want := "blues3crethanded over\nblue\ns3cret\n7\nall\n" + string(pod.UID) + "\nhello blue\n"
		if diff := cmp.Diff(want, out); diff != "" {
			t.Errorf("files and environment in the container (-want +got):\n%s", diff)
		}
		token := c.mustKubectl(t, "", "exec", "all", "-c", "main", "--", "cat", "/var/run/secrets/kubernetes.io/serviceaccount/token")
		if strings.Count(token, ".") != 2 {
			t.Errorf("service-account token has %d bytes and is no JWT", len(token))
		}
		groups := c.groups(t, pod)
		if len(groups) != 1 {
			t.Fatalf("pod has %d container groups, want 1: %+v", len(groups), groups)
		}
		c.remove(t, "all")
		if left := c.groups(t, pod); len(left) != 0 {
			t.Errorf("pod is gone, its group is not: %+v", left)
		}
	})
}

// allSources gives a pod a file and a variable from every kind of source.
func allSources(p *corev1.Pod) {
	settings := corev1.LocalObjectReference{Name: "settings"}
	p.Spec.InitContainers = []corev1.Container{{
		Name: "prepare", Image: "busybox", Command: []string{"sh", "-c", "echo handed over > /handover/note"},
		VolumeMounts: []corev1.VolumeMount{{Name: "work", MountPath: "/handover"}},
	}}
	main := &p.Spec.Containers[0]
	main.VolumeMounts = []corev1.VolumeMount{
		{Name: "config", MountPath: "/config"}, {Name: "secret", MountPath: "/secret"}, {Name: "work", MountPath: "/handover"},
	}
	main.EnvFrom = []corev1.EnvFromSource{{Prefix: "PREFIX_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: settings}}}
	main.Env = []corev1.EnvVar{
		{Name: "COLOR", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: settings, Key: "color"}}},
		{Name: "WORD", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: "password"}, Key: "word"}}},
		{Name: "POD_NAME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
		{Name: "POD_UID", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.uid"}}},
		{Name: "GREETING", Value: "hello $(COLOR)"},
	}
	main.ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"cat", "/handover/note"}}}}
	p.Spec.Volumes = []corev1.Volume{
		{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: settings}}},
		{Name: "secret", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "password"}}},
		{Name: "work", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
	}
}

// TestLogs follows a log from the first line to the container's end.
func TestLogs(t *testing.T) {
	onBoth(t, func(t *testing.T, c *target) {
		c.create(t, c.pod("counter", "for i in 1 2 3 4 5 6; do echo line $i; sleep 1; done", func(p *corev1.Pod) {
			p.Spec.RestartPolicy = corev1.RestartPolicyNever
		}))
		c.awaitPod(t, "counter", "running", hasPhase(corev1.PodRunning))
		out := c.mustKubectl(t, "", "logs", "-f", "counter")
		if want := "line 1\nline 2\nline 3\nline 4\nline 5\nline 6\n"; out != want {
			t.Errorf("followed log is %q, want %q", out, want)
		}
		c.awaitPod(t, "counter", "succeeded", hasPhase(corev1.PodSucceeded))
		if out, want := c.mustKubectl(t, "", "logs", "--tail=2", "counter"), "line 5\nline 6\n"; out != want {
			t.Errorf("--tail=2 gives %q, want %q", out, want)
		}
		if out, want := c.mustKubectl(t, "", "logs", "--limit-bytes=8", "counter"), "line 1\nl"; out != want {
			t.Errorf("--limit-bytes=8 gives %q, want %q", out, want)
		}
		out, mistakes, code := c.kubectl(t, "", "logs", "--timestamps", "counter")
		switch c.cloud {
		case "eci":
			if first, _, _ := strings.Cut(out, " "); code != 0 || len(first) < len(time.RFC3339) {
				t.Errorf("--timestamps gives %q (%d, %s)", out, code, mistakes)
			}
		case "kci":
			if code == 0 || !strings.Contains(mistakes, "--timestamps cannot be honoured") {
				t.Errorf("--timestamps ends with %d and says %q; the cloud has no times", code, mistakes)
			}
		}
		_, mistakes, code = c.kubectl(t, "", "logs", "--previous", "counter")
		if code == 0 {
			t.Errorf("--previous succeeded for a container that ran once: %s", mistakes)
		}
	})
}

// TestExec runs commands with input, output, errors and exit codes.
func TestExec(t *testing.T) {
	onBoth(t, func(t *testing.T, c *target) {
		c.create(t, c.pod("box", "while true; do sleep 1; done"))
		c.awaitPod(t, "box", "ready", isReady)
		out, mistakes, code := c.kubectl(t, "", "exec", "box", "--", "sh", "-c", "echo to stdout; echo to stderr >&2; exit 7")
		if out != "to stdout\n" || !strings.Contains(mistakes, "to stderr\n") || code != 7 {
			t.Errorf("exec gives %q, %q and code %d, want both streams and code 7", out, mistakes, code)
		}
		if out := c.mustKubectl(t, "typed\nin\n", "exec", "-i", "box", "--", "cat"); out != "typed\nin\n" {
			t.Errorf("cat of stdin gives %q", out)
		}
		c.remove(t, "box")
	})
}

// TestJob runs a Job whose first tries fail.
func TestJob(t *testing.T) {
	onBoth(t, func(t *testing.T, c *target) {
		completions := int32(3)
		template := c.pod("", "echo done").Spec
		template.RestartPolicy = corev1.RestartPolicyNever
		job := &batchv1.Job{
			ObjectMeta: metav1.ObjectMeta{Name: "three"},
			Spec:       batchv1.JobSpec{Completions: &completions, Parallelism: &completions, Template: corev1.PodTemplateSpec{Spec: template}},
		}
		if _, err := c.kube.BatchV1().Jobs(c.namespace).Create(t.Context(), job, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		c.eventually(t, "job to be complete", func(ctx context.Context) (bool, error) {
			job, err := c.kube.BatchV1().Jobs(c.namespace).Get(ctx, "three", metav1.GetOptions{})
			return err == nil && job.Status.Succeeded == 3, err
		})
	})
}

// TestRestarts shows a crashing container as a kubelet would.
func TestRestarts(t *testing.T) {
	onBoth(t, func(t *testing.T, c *target) {
		c.create(t, c.pod("crash", "echo going down; exit 3"))
		pod := c.awaitPod(t, "crash", "in back-off", func(p *corev1.Pod) bool {
			return len(p.Status.ContainerStatuses) == 1 && p.Status.ContainerStatuses[0].RestartCount > 0 &&
				p.Status.ContainerStatuses[0].State.Waiting != nil
		})
		status := pod.Status.ContainerStatuses[0]
		if status.State.Waiting.Reason != "CrashLoopBackOff" {
			t.Errorf("waiting reason is %q, want CrashLoopBackOff", status.State.Waiting.Reason)
		}
		if last := status.LastTerminationState.Terminated; last == nil || last.ExitCode != 3 || last.Reason != "Error" {
			t.Errorf("last state is %+v, want terminated with 3, Error", last)
		}
		if pod.Status.Phase != corev1.PodRunning {
			t.Errorf("phase is %s, want Running: the pod goes on", pod.Status.Phase)
		}
		c.eventually(t, "event BackOff", c.hasEvent("crash", "BackOff"))
		c.remove(t, "crash")
	})
}

// hasEvent tells whether an event with this reason was told on the pod.
func (c *target) hasEvent(pod, reason string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		events, err := c.kube.CoreV1().Events(c.namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=" + pod + ",reason=" + reason})
		return err == nil && len(events.Items) > 0, err
	}
}

// TestRefused collects everything that the clouds cannot do into one answer.
func TestRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, c *target) {
		before := len(c.every(t))
		c.create(t, c.pod("refused", "true", func(p *corev1.Pod) {
			p.Spec.HostNetwork = true
			p.Spec.ShareProcessNamespace = nil
			p.Spec.SetHostnameAsFQDN = ptr.To(true)
			p.Spec.Volumes = []corev1.Volume{{Name: "disk", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
			p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "disk", MountPath: "/host"}}
		}))
		pod := c.awaitPod(t, "refused", "failed", hasPhase(corev1.PodFailed))
		for _, field := range []string{"spec.hostNetwork", "spec.setHostnameAsFQDN", "spec.volumes[0].hostPath"} {
			if !strings.Contains(pod.Status.Message, field) {
				t.Errorf("message does not name %s: %s", field, pod.Status.Message)
			}
		}
		c.eventually(t, "the event", c.hasEvent("refused", pod.Status.Reason))
		if after := len(c.every(t)); after != before {
			t.Errorf("%d groups were made for a refused pod", after-before)
		}
	})
}

// every lists the names of all groups that exist or existed in the cloud.
func (c *target) every(t *testing.T) []string {
	t.Helper()
	all, err := c.system.Clouds.Groups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, g := range all {
		if g.Cloud == c.cloud {
			names = append(names, g.Name)
		}
	}
	slices.Sort(names)
	return names
}

// TestMissingReference waits, as a kubelet does, for what does not exist yet.
func TestMissingReference(t *testing.T) {
	onBoth(t, func(t *testing.T, c *target) {
		c.create(t, c.pod("late", "while true; do sleep 1; done", func(p *corev1.Pod) {
			p.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{
				ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "later"}},
			}}
		}))
		pod := c.awaitPod(t, "late", "waiting", func(p *corev1.Pod) bool {
			return len(p.Status.ContainerStatuses) == 1 && p.Status.ContainerStatuses[0].State.Waiting != nil &&
				p.Status.ContainerStatuses[0].State.Waiting.Reason == "CreateContainerConfigError"
		})
		if got := pod.Status.ContainerStatuses[0].State.Waiting.Message; got != `configmap "later" not found` {
			t.Errorf("message is %q", got)
		}
		c.mustKubectl(t, "", "create", "configmap", "later", "--from-literal=KEY=value")
		c.awaitPod(t, "late", "ready", isReady)
		if out := c.mustKubectl(t, "", "exec", "late", "--", "printenv", "KEY"); out != "value\n" {
			t.Errorf("KEY is %q", out)
		}
		c.remove(t, "late")
	})
}
