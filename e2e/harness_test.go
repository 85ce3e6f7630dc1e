package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/cumulet/cumulet/internal/local"
	"github.com/cumulet/cumulet/internal/machine"
)

// system is the one system that all scenarios share. Its containers are
// simulated; scenarios over real ones have the system of containers.
var system *local.Stack

func TestMain(m *testing.M) {
	// This program may become the first process of a machine for containers.
	machine.Main()
	os.Exit(runAll(m))
}

func runAll(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "cumulet-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	system, err = local.Start(ctx, local.Options{Dir: dir, BinDir: binDir(), CumuletFlags: []string{"-v", "1"}})
	if err != nil {
		fmt.Fprintf(os.Stderr, "starting the system (make build makes the programs it needs): %v\n", err)
		return 1
	}
	containers.dir = filepath.Join(dir, "containers")
	code = m.Run()
	if err := errors.Join(system.Stop(), containers.stop()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if code == 0 {
		_ = os.RemoveAll(dir)
	} else {
		fmt.Fprintln(os.Stderr, "everything is kept in", dir, "with logs in logs, containers/logs and the tests' own folders")
	}
	return code
}

func binDir() string {
	here, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	return filepath.Join(here, "..", "bin")
}

// target is one cloud of a system as a scenario sees it, with a namespace of
// its own.
type target struct {
	system                 *local.Stack
	cloud, node, namespace string
	kube                   kubernetes.Interface
	// finalGrace is what pods get in seconds at the end; nil is their own.
	finalGrace *int64
}

// nodes are the virtual nodes by cloud.
var nodes = map[string]string{"eci": local.NodeECI, "kci": local.NodeKCI}

// onBoth runs a scenario for each cloud, side by side.
func onBoth(t *testing.T, scenario func(t *testing.T, c *target)) {
	t.Helper()
	for cloud, node := range nodes {
		t.Run(cloud, func(t *testing.T) {
			t.Parallel()
			scenario(t, newTarget(t, cloud, node))
		})
	}
}

// oneByOne is onBoth for scenarios that touch what both clouds share.
func oneByOne(t *testing.T, scenario func(t *testing.T, c *target)) {
	t.Helper()
	for cloud, node := range nodes {
		t.Run(cloud, func(t *testing.T) { scenario(t, newTarget(t, cloud, node)) })
	}
}

func newTarget(t *testing.T, cloud, node string) *target {
	t.Helper()
	return newTargetOf(t, system, cloud, node)
}

func newTargetOf(t *testing.T, system *local.Stack, cloud, node string) *target {
	t.Helper()
	c := &target{system: system, cloud: cloud, node: node, kube: system.Kube}
	created, err := c.kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: cloud + "-"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.namespace = created.Name
	t.Cleanup(func() { c.clean(t) })
	c.eventually(t, "service account default", func(ctx context.Context) (bool, error) {
		_, err := c.kube.CoreV1().ServiceAccounts(c.namespace).Get(ctx, "default", metav1.GetOptions{})
		return err == nil, nil
	})
	return c
}

// clean deletes everything and waits for the pods to be gone, so that the next
// scenario finds the cloud empty.
func (c *target) clean(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	if err := c.kube.CoreV1().Namespaces().Delete(ctx, c.namespace, metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	// The namespace controller would begin with them after five seconds.
	if err := c.deletePods(ctx, c.finalGrace); err != nil {
		t.Error(err)
	}
	err := wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		return c.countPods(ctx) == 0, nil
	})
	if err != nil {
		t.Errorf("waiting for the scenario's pods to be gone: %v", err)
	}
}

// deletePods deletes all pods of the target's namespace, with a grace in seconds or
// their own. The API server gives a request a minute, in which a busy one does not
// come to the end of a thousand.
func (c *target) deletePods(ctx context.Context, grace *int64) error {
	var last error
	err := wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		last = c.kube.CoreV1().Pods(c.namespace).DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: grace}, metav1.ListOptions{})
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("deleting pods: %w", errors.Join(err, last))
	}
	return nil
}

// patience is how long anything may take before it counts as not happening.
const patience = 60 * time.Second

// eventually polls until the condition holds.
func (c *target) eventually(t *testing.T, what string, condition wait.ConditionWithContextFunc) {
	t.Helper()
	c.within(t, patience, what, condition)
}

func (c *target) within(t *testing.T, limit time.Duration, what string, condition wait.ConditionWithContextFunc) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, limit, true, condition); err != nil {
		t.Fatalf("waiting for %s: %v", what, err)
	}
}

// kubectl runs the real kubectl in the target's namespace and returns what it
// prints, and its exit code.
func (c *target) kubectl(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := c.kubectlCommand(ctx, args...)
	command.Stdin = strings.NewReader(stdin)
	var out, mistakes bytes.Buffer
	command.Stdout, command.Stderr = &out, &mistakes
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("running kubectl %v: %v", args, err)
	}
	return out.String(), mistakes.String(), command.ProcessState.ExitCode()
}

// kubectlCommand is the real kubectl in the target's namespace, to be started.
func (c *target) kubectlCommand(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, filepath.Join(binDir(), "kubectl"), append([]string{"--namespace", c.namespace}, args...)...)
	command.Env = append(os.Environ(), "KUBECONFIG="+c.system.Kubeconfig())
	return command
}

// mustKubectl is kubectl for commands that have to succeed.
func (c *target) mustKubectl(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	out, mistakes, code := c.kubectl(t, stdin, args...)
	if code != 0 {
		t.Fatalf("kubectl %v ended with %d\n%s%s", args, code, out, mistakes)
	}
	return out
}

// pod makes a pod for the target's node that runs a shell script.
func (c *target) pod(name, script string, change ...func(*corev1.Pod)) *corev1.Pod {
	grace := int64(2)
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: c.namespace},
		Spec: corev1.PodSpec{
			NodeSelector:                  map[string]string{corev1.LabelHostname: c.node},
			Tolerations:                   []corev1.Toleration{{Key: "virtual-kubelet.io/provider", Operator: corev1.TolerationOpExists}},
			TerminationGracePeriodSeconds: &grace,
			Containers:                    []corev1.Container{{Name: "main", Image: "busybox", Command: []string{"sh", "-c", script}}},
		},
	}
	for _, f := range change {
		f(p)
	}
	return p
}

func (c *target) create(t *testing.T, pod *corev1.Pod) *corev1.Pod {
	t.Helper()
	made, err := c.kube.CoreV1().Pods(c.namespace).Create(t.Context(), pod, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (c *target) get(t *testing.T, name string) *corev1.Pod {
	t.Helper()
	pod, err := c.kube.CoreV1().Pods(c.namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

// awaitPod waits until the pod is as wanted, and returns it.
func (c *target) awaitPod(t *testing.T, name, what string, want func(*corev1.Pod) bool) *corev1.Pod {
	t.Helper()
	var last *corev1.Pod
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		pod, err := c.kube.CoreV1().Pods(c.namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		last = pod
		return want(pod), nil
	})
	if err != nil {
		t.Fatalf("waiting for pod %s to be %s: %v\nits status: %s", name, what, err, statusText(last))
	}
	return last
}

// awaitMessage waits until an event with this reason and text was told on the
// pod.
func (c *target) awaitMessage(t *testing.T, pod, reason, text string) {
	t.Helper()
	var told []string
	there := func(ctx context.Context) (bool, error) {
		events, err := c.kube.CoreV1().Events(c.namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=" + pod})
		if err != nil {
			return false, err
		}
		told = nil
		for i := range events.Items {
			e := &events.Items[i]
			if e.Reason == reason && strings.Contains(e.Message, text) {
				return true, nil
			}
			told = append(told, e.Reason+": "+e.Message)
		}
		return false, nil
	}
	if err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, patience, true, there); err != nil {
		t.Fatalf("no event %s on pod %s says %q: %v; told are\n%s", reason, pod, text, err, strings.Join(told, "\n"))
	}
}

// statusText is a pod's status for people.
func statusText(pod *corev1.Pod) string {
	if pod == nil {
		return "unknown"
	}
	text, err := json.MarshalIndent(pod.Status, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func hasPhase(phase corev1.PodPhase) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool { return pod.Status.Phase == phase }
}

// groups are the container groups of a pod that still show in the cloud.
func (c *target) groups(t *testing.T, pod *corev1.Pod) []local.Group {
	t.Helper()
	alive, err := c.system.Clouds.Alive(t.Context(), c.cloud)
	if err != nil {
		t.Fatal(err)
	}
	var own []local.Group
	for _, g := range alive {
		// Both clouds' names carry the start of the pod's UID.
		if strings.Contains(g.Name, string(pod.UID)[:8]) {
			own = append(own, g)
		}
	}
	return own
}

// remove deletes a pod and waits until it is gone.
func (c *target) remove(t *testing.T, name string) {
	t.Helper()
	c.mustKubectl(t, "", "delete", "pod", name, "--timeout=50s")
}
