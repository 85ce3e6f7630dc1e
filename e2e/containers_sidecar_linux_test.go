package e2e

import (
	"context"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// shipper is a sidecar that carries on the container's log, and the rest of it
// when it is told to end.
const shipper = `trap 'cat /scratch/log; echo flushed; exit 0' TERM
sleep 2; touch /scratch/up
while true; do sleep 1; done`

// stubborn is a sidecar that does not hear TERM.
const stubborn = "trap '' TERM; while true; do sleep 1; done"

// TestContainersSidecar runs jobs whose pods have a restartable init container,
// which runs for ever: a job must complete all the same.
func TestContainersSidecar(t *testing.T) {
	inContainers(t, func(t *testing.T, c *target) {
		// Only one of the clouds lets the container wait for the sidecar.
		report := "until test -e /scratch/up; do sleep 1; done; "
		if c.cloud == "eci" {
			report = "test -e /scratch/up || exit 9; "
		}
		c.createJob(t, "report", c.withSidecar(shipper, report+"echo line of the report > /scratch/log; echo done"))
		c.createJob(t, "stubborn", c.withSidecar(stubborn, "echo done"))
		c.createJob(t, "failing", c.withSidecar(shipper, "exit 3"))

		for name, want := range map[string]batchv1.JobConditionType{
			"report": batchv1.JobComplete, "stubborn": batchv1.JobComplete, "failing": batchv1.JobFailed,
		} {
			c.eventually(t, "job "+name+" to be "+string(want), c.jobIs(name, want))
		}
		c.checkShipped(t)
		pod := c.podOfJob(t, "stubborn")
		end := pod.Status.InitContainerStatuses[0].State.Terminated
		if pod.Status.Phase != corev1.PodSucceeded || end == nil || end.ExitCode != 137 {
			t.Errorf("status of the stubborn pod: %s", statusText(pod))
		}
		if c.cloud == "kci" {
			c.awaitMessage(t, pod.Name, "SidecarNotEnded", "the container group is deleted")
		}
		if failed := c.podOfJob(t, "failing"); failed.Status.Phase != corev1.PodFailed {
			t.Errorf("status of the failing pod: %s", statusText(failed))
		}
	})
}

// checkShipped looks at the pod of a job that has completed: both logs are there.
func (c *target) checkShipped(t *testing.T) {
	t.Helper()
	pod := c.podOfJob(t, "report")
	if pod.Status.Phase != corev1.PodSucceeded {
		t.Errorf("status of the pod: %s", statusText(pod))
	}
	if got := c.mustKubectl(t, "", "logs", pod.Name, "-c", "main"); got != "done\n" {
		t.Errorf("log of the container: %q", got)
	}
	if got := c.mustKubectl(t, "", "logs", pod.Name, "-c", "side"); !strings.Contains(got, "line of the report\nflushed\n") {
		t.Errorf("log of the sidecar: %q", got)
	}
}

// withSidecar is the template of a pod with a sidecar and a container that share
// a folder.
func (c *target) withSidecar(sidecar, script string) corev1.PodTemplateSpec {
	pod := c.pod("", script, withWork, func(p *corev1.Pod) {
		p.Spec.RestartPolicy = corev1.RestartPolicyNever
		p.Spec.TerminationGracePeriodSeconds = ptr.To[int64](8)
		p.Spec.InitContainers = []corev1.Container{{
			Name: "side", Image: "busybox", Command: []string{"sh", "-c", sidecar},
			RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways),
			VolumeMounts:  p.Spec.Containers[0].VolumeMounts,
		}}
		if sidecar == shipper {
			p.Spec.InitContainers[0].StartupProbe = &corev1.Probe{
				ProbeHandler:  corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"test", "-e", "/scratch/up"}}},
				PeriodSeconds: 1, FailureThreshold: 50,
			}
		}
	})
	return corev1.PodTemplateSpec{Spec: pod.Spec}
}

func (c *target) createJob(t *testing.T, name string, template corev1.PodTemplateSpec) {
	t.Helper()
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       batchv1.JobSpec{BackoffLimit: ptr.To[int32](0), Template: template},
	}
	if _, err := c.kube.BatchV1().Jobs(c.namespace).Create(t.Context(), job, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// jobIs tells whether a job is over in this way.
func (c *target) jobIs(name string, want batchv1.JobConditionType) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		job, err := c.kube.BatchV1().Jobs(c.namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		for _, condition := range job.Status.Conditions {
			if condition.Type == want && condition.Status == corev1.ConditionTrue {
				return true, nil
			}
		}
		return false, nil
	}
}

// podOfJob is the one pod of a job.
func (c *target) podOfJob(t *testing.T, name string) *corev1.Pod {
	t.Helper()
	pods, err := c.kube.CoreV1().Pods(c.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: batchv1.JobNameLabel + "=" + name})
	if err != nil {
		t.Fatal(err)
	}
	if len(pods.Items) != 1 {
		t.Fatalf("job %s has %d pods", name, len(pods.Items))
	}
	return &pods.Items[0]
}
