package e2e

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/google/go-cmp/cmp"
)

// outcome is how a container's last run ended, and the one before.
type outcome struct {
	Phase    corev1.PodPhase
	Code     int32
	Reason   string
	Message  string
	Restarts int32
	Before   int32
}

func outcomeOf(pod *corev1.Pod) outcome {
	status := pod.Status.ContainerStatuses[0]
	o := outcome{Phase: pod.Status.Phase, Restarts: status.RestartCount}
	if ended := status.State.Terminated; ended != nil {
		o.Code, o.Reason, o.Message = ended.ExitCode, ended.Reason, ended.Message
	}
	if ended := status.LastTerminationState.Terminated; ended != nil {
		o.Before = ended.ExitCode
	}
	return o
}

// endings are containers that end, by what is to be told of their end.
var endings = map[string]struct {
	reason  string
	policy  corev1.RestartPolicy
	command []string
	want    outcome
	// wantKCI is the want on KCI if it is another.
	wantKCI *outcome
}{
	"completed": {
		reason: "a program that ends well", policy: corev1.RestartPolicyNever,
		command: []string{"true"},
		want:    outcome{Phase: corev1.PodSucceeded, Reason: "Completed"},
	},
	"code": {
		reason: "the program's own exit code is told", policy: corev1.RestartPolicyNever,
		command: []string{"sh", "-c", "exit 42"},
		want:    outcome{Phase: corev1.PodFailed, Code: 42, Reason: "Error"},
	},
	"memory": {
		reason: "a program that takes more memory than its limit", policy: corev1.RestartPolicyNever,
		command: []string{"tail", "-c", "200m", "/dev/zero"},
		want:    outcome{Phase: corev1.PodFailed, Code: 137, Reason: "OOMKilled"},
	},
	"shm": {
		reason: "shared memory counts as memory", policy: corev1.RestartPolicyNever,
		command: []string{"dd", "if=/dev/zero", "of=/dev/shm/fill", "bs=1M", "count=60"},
		want:    outcome{Phase: corev1.PodFailed, Code: 137, Reason: "OOMKilled"},
	},
	"missing": {
		reason: "a program that the image does not have", policy: corev1.RestartPolicyNever,
		command: []string{"/no/such/program"},
		want:    outcome{Phase: corev1.PodFailed, Code: 128, Reason: "StartError"},
	},
	"again": {
		reason: "a program that fails once is run again, and then no more", policy: corev1.RestartPolicyOnFailure,
		command: []string{"sh", "-c", "test -e /scratch/again && exit 0; touch /scratch/again; exit 3"},
		want:    outcome{Phase: corev1.PodSucceeded, Reason: "Completed", Restarts: 1, Before: 3},
	},
	"message": {
		reason: "the termination message is told by the cloud that has one", policy: corev1.RestartPolicyNever,
		command: []string{"sh", "-c", "echo -n out of luck > /dev/termination-log; exit 1"},
		want:    outcome{Phase: corev1.PodFailed, Code: 1, Reason: "Error", Message: "out of luck"},
		wantKCI: &outcome{Phase: corev1.PodFailed, Code: 1, Reason: "Error"},
	},
}

// TestContainersEnd ends containers in all ways and looks at what is told.
func TestContainersEnd(t *testing.T) {
	inContainers(t, func(t *testing.T, c *target) {
		c.create(t, c.pod("crash", "exit 3"))
		c.create(t, c.pod("revived", "if test -e /scratch/again; then echo second run; "+lasting+"; fi; echo first run; touch /scratch/again; exit 1", withWork))
		for name, tc := range endings {
			c.create(t, c.pod(name, "", withWork, func(p *corev1.Pod) {
				p.Spec.RestartPolicy = tc.policy
				main := &p.Spec.Containers[0]
				main.Command = tc.command
				main.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("48Mi")}
			}))
		}
		for name, tc := range endings {
			want := tc.want
			if c.cloud == "kci" && tc.wantKCI != nil {
				want = *tc.wantKCI
			}
			pod := c.awaitPod(t, name, "over", hasEnded)
			got := outcomeOf(pod)
			if name == "missing" {
				got.Message = "" // runc's own, with paths of the container
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", name, tc.reason, diff)
			}
		}
		c.checkPreviousLog(t)
		c.checkCrashLoop(t)
	})
}

// TestContainersHurried deletes a pod that ignores being asked to end, with less
// grace than it has of its own.
func TestContainersHurried(t *testing.T) {
	inContainers(t, func(t *testing.T, c *target) {
		if c.cloud == "kci" {
			return // its deletion knows neither grace nor force
		}
		const grace = 120
		c.create(t, c.pod("deaf", "trap '' TERM; echo up; while :; do sleep 1; done", func(p *corev1.Pod) {
			p.Spec.TerminationGracePeriodSeconds = ptr.To[int64](grace)
		}))
		c.awaitPod(t, "deaf", "running", isReady)
		begun := time.Now()
		c.mustKubectl(t, "", "delete", "pod", "deaf", "--grace-period=1")
		if took := time.Since(begun); took > grace/2*time.Second {
			t.Errorf("it took %v, want its second and what cumulet allows beyond it", took)
		}
	})
}

// withWork gives a pod's container a folder that outlives its runs.
func withWork(p *corev1.Pod) {
	p.Spec.Volumes = []corev1.Volume{{Name: "work", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "work", MountPath: "/scratch"}}
}

func hasEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// checkCrashLoop looks at a container that ends again and again. Between its
// runs a kubelet tells CrashLoopBackOff or the last end, as it happens: 1.35
// does not look again before the pause is over (completeWork in pod_workers.go).
func (c *target) checkCrashLoop(t *testing.T) {
	t.Helper()
	pod := c.awaitPod(t, "crash", "run again", func(p *corev1.Pod) bool {
		return len(p.Status.ContainerStatuses) == 1 && p.Status.ContainerStatuses[0].RestartCount >= 1
	})
	status := pod.Status.ContainerStatuses[0]
	if last := status.LastTerminationState.Terminated; last == nil || last.ExitCode != 3 {
		t.Errorf("status is %+v, want a last end with 3", status)
	}
	if waiting := status.State.Waiting; waiting != nil && waiting.Reason != "CrashLoopBackOff" {
		t.Errorf("the container waits because of %s", waiting.Reason)
	}
	if pod.Status.Phase != corev1.PodRunning {
		t.Errorf("phase is %s, want Running: the pod goes on", pod.Status.Phase)
	}
	c.awaitMessage(t, "crash", "BackOff", "Back-off restarting failed container")
}

// checkPreviousLog reads the log of a run that is over beside that of the one
// after it.
func (c *target) checkPreviousLog(t *testing.T) {
	t.Helper()
	c.awaitPod(t, "revived", "run again", func(p *corev1.Pod) bool {
		if len(p.Status.ContainerStatuses) == 0 {
			return false
		}
		status := p.Status.ContainerStatuses[0]
		return status.RestartCount == 1 && status.State.Running != nil
	})
	if out := c.mustKubectl(t, "", "logs", "revived"); out != "second run\n" {
		t.Errorf("the log is %q", out)
	}
	out, mistakes, code := c.kubectl(t, "", "logs", "--previous", "revived")
	if c.cloud == "eci" && (code != 0 || out != "first run\n") {
		t.Errorf("the log of the last run is %q (%d, %s)", out, code, mistakes)
	}
	if c.cloud == "kci" && code == 0 {
		t.Errorf("KCI has no log of a last run, but gives %q", out)
	}
}
