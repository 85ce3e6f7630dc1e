package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/google/go-cmp/cmp"
)

// What is promised of a machine with two cores that has nothing else to do. The
// tests fail at three times that: what they run on is often shared.
const (
	onePodLimit   = 3 * time.Second
	manyPodsLimit = 30 * time.Second
	deleteLimit   = 30 * time.Second
	tolerance     = 3

	manyPods = 50
)

// TestContainersSpeed measures how long pods take to be Ready, and to be gone:
// one, and many at once on both clouds, whose machine is the same.
func TestContainersSpeed(t *testing.T) {
	clouds := warmTargets(t)
	for _, c := range clouds {
		manifest, err := yaml.Marshal(c.pod("one", lasting))
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		c.mustKubectl(t, "kind: Pod\napiVersion: v1\n"+string(manifest), "apply", "-f", "-")
		c.awaitPod(t, "one", "ready", isReady)
		judge(t, c.cloud+": kubectl apply to Ready", begun, onePodLimit)
		c.remove(t, "one")
	}
	begun := time.Now()
	for _, c := range clouds {
		for i := range manyPods / len(clouds) {
			c.create(t, c.pod(fmt.Sprintf("p%02d", i), lasting))
		}
	}
	for _, c := range clouds {
		c.within(t, tolerance*manyPodsLimit, "all pods to be ready", c.allReady(manyPods/len(clouds)))
	}
	judge(t, fmt.Sprintf("%d pods Ready", manyPods), begun, manyPodsLimit)

	begun = time.Now()
	for _, c := range clouds {
		if err := c.kube.CoreV1().Pods(c.namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range clouds {
		c.within(t, tolerance*deleteLimit, "all pods to be gone", c.noPods)
		if left := c.alive(t); len(left) != 0 {
			t.Errorf("%d groups are left in %s", len(left), c.cloud)
		}
	}
	judge(t, fmt.Sprintf("%d pods deleted", manyPods), begun, deleteLimit)
}

// warmTargets are both clouds, with the image of busybox on their machine.
func warmTargets(t *testing.T) []*target {
	t.Helper()
	clouds := bothTargets(t)
	for _, c := range clouds {
		c.create(t, c.pod("warm", lasting))
	}
	for _, c := range clouds {
		c.awaitPod(t, "warm", "ready", isReady)
		c.remove(t, "warm")
	}
	return clouds
}

// bothTargets are both clouds, for scenarios that span them.
func bothTargets(t *testing.T) []*target {
	t.Helper()
	var clouds []*target
	for cloud, node := range nodes {
		clouds = append(clouds, newTargetOf(t, containers.get(t), cloud, node))
	}
	return clouds
}

// judge logs how long something took, and fails if that is far beyond what is
// promised.
func judge(t *testing.T, what string, begun time.Time, promised time.Duration) {
	t.Helper()
	took := since(begun)
	t.Logf("%s: %v, promised are %v", what, took, promised)
	if took > tolerance*promised {
		t.Errorf("%s took %v, more than %d times %v", what, took, tolerance, promised)
	}
}

// allReady tells whether n pods are Ready.
func (c *target) allReady(n int) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		pods, err := c.kube.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		ready := 0
		for i := range pods.Items {
			if isReady(&pods.Items[i]) {
				ready++
			}
		}
		return ready == n, nil
	}
}

// noPods tells whether the namespace is empty.
func (c *target) noPods(ctx context.Context) (bool, error) {
	pods, err := c.kube.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{Limit: 1})
	return err == nil && len(pods.Items) == 0, err
}

// The pods of TestContainersCycles, each of which starts and ends four
// containers, three of them init containers.
const (
	cycledPods  = 25 // on each cloud
	cycledInits = 3
	cycledLimit = 4 * time.Minute
)

// TestContainersCycles starts and ends two hundred containers. They leave
// nothing behind.
func TestContainersCycles(t *testing.T) {
	clouds := bothTargets(t)
	m := machineOf(t, containers.get(t).Dir())
	before := m.settled(t)
	begun := time.Now()
	for _, c := range clouds {
		c.startCycles(t)
	}
	for _, c := range clouds {
		c.within(t, cycledLimit, "job to be complete", func(ctx context.Context) (bool, error) {
			job, err := c.kube.BatchV1().Jobs(c.namespace).Get(ctx, "cycles", metav1.GetOptions{})
			return err == nil && job.Status.Succeeded == cycledPods, err
		})
	}
	pods := len(clouds) * cycledPods
	t.Logf("%d pods with %d containers started and ended: %v", pods, pods*(cycledInits+1), since(begun))
	for _, c := range clouds {
		c.mustKubectl(t, "", "delete", "job", "cycles", "--cascade=foreground", "--timeout=50s")
	}
	var diff string
	same := func(context.Context) (bool, error) {
		diff = cmp.Diff(before, m.traces(t))
		return diff == "", nil
	}
	begun = time.Now()
	if err := wait.PollUntilContextTimeout(t.Context(), time.Second, patience, true, same); err != nil {
		t.Errorf("the containers have left something behind (-before +after):\n%s", diff)
	}
	t.Logf("after their deletion the machine is as before: %v", since(begun))
}

// settled are the machine's traces once they do not change any more: a kubelet
// tidies up a little after its pods are gone.
func (m emulated) settled(t *testing.T) traces {
	t.Helper()
	var last traces
	same := func(context.Context) (bool, error) {
		before := last
		last = m.traces(t)
		return cmp.Equal(before, last), nil
	}
	if err := wait.PollUntilContextTimeout(t.Context(), 3*time.Second, patience, true, same); err != nil {
		t.Fatalf("waiting for the machine to be at rest: %v", err)
	}
	return last
}

// startCycles makes a job of containers that end at once.
func (c *target) startCycles(t *testing.T) {
	t.Helper()
	template := c.pod("", "true").Spec
	template.RestartPolicy = corev1.RestartPolicyNever
	for i := range cycledInits {
		first := template.Containers[0]
		first.Name = fmt.Sprintf("first-%d", i)
		template.InitContainers = append(template.InitContainers, first)
	}
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "cycles"},
		Spec: batchv1.JobSpec{
			Completions: ptr.To[int32](cycledPods), Parallelism: ptr.To[int32](cycledPods),
			Template: corev1.PodTemplateSpec{Spec: template},
		},
	}
	if _, err := c.kube.BatchV1().Jobs(c.namespace).Create(t.Context(), job, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}
