package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/internal/demo"
	"github.com/cumulet/cumulet/internal/local"
)

// killedLimit is how long anything of a machine may outlive its owner.
const killedLimit = 2 * time.Second

// TestContainersKilled kills cloud-emulator while containers run: at once
// nothing of its machine is left, and a new start in the same folder is clean.
func TestContainersKilled(t *testing.T) {
	containers.rest(t)
	options := containerOptions(ownDir(t))
	first, stop := startOwn(t, options)
	for cloud, node := range nodes {
		c := inDefault(first.Kube, cloud, node)
		c.create(t, c.pod(cloud, lasting))
		c.awaitPod(t, cloud, "ready", isReady)
	}
	m := machineOf(t, options.Dir)
	running := m.processes(t)
	if err := syscall.Kill(m.owner.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	var left error
	gone := func(context.Context) (bool, error) {
		left = m.left(running)
		return left == nil, nil
	}
	if err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, killedLimit, true, gone); err != nil {
		t.Errorf("%v after the end of its owner, of the machine: %v", killedLimit, left)
	}
	t.Logf("%d processes, the link and all mounts are gone after %v", len(running), time.Since(begun).Round(time.Millisecond))
	if err := stop(); err != nil {
		t.Error(err)
	}

	second, stop := startOwn(t, options)
	m = machineOf(t, options.Dir)
	for cloud, node := range nodes {
		c := inDefault(second.Kube, cloud, node)
		c.create(t, c.pod(cloud+"-again", lasting))
		c.awaitPod(t, cloud+"-again", "ready", isReady)
	}
	checkBacking(t, second)
	running = m.processes(t)
	if err := stop(); err != nil {
		t.Error(err)
	}
	checkEnded(t, m, running)
}

// ownDir is the folder of a system that only this test uses. It is kept when a
// test fails.
func ownDir(t *testing.T) string { return filepath.Join(filepath.Dir(containers.dir), t.Name()) }

// startOwn starts a system that only this test uses. It is stopped once, at the
// latest when the test ends.
func startOwn(t *testing.T, options local.Options) (stack *local.Stack, stop func() error) {
	t.Helper()
	stack, err := startContainers(t, options)
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceValue(stack.Stop)
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return stack, stop
}

// inDefault is a target in the namespace that every cluster has, for scenarios
// whose cluster ends with them.
func inDefault(kube kubernetes.Interface, cloud, node string) *target {
	return &target{cloud: cloud, node: node, kube: kube, namespace: metav1.NamespaceDefault}
}

// checkBacking makes sure that the hidden cluster has the pods of the groups
// that there are, and no others.
func checkBacking(t *testing.T, stack *local.Stack) {
	t.Helper()
	kube := kubeOf(t, filepath.Join(stack.Dir(), "backing", "kubeconfig"))
	var names []string
	want := 0
	equal := func(ctx context.Context) (bool, error) {
		pods, err := kube.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		groups, err := stack.Clouds.Groups(ctx)
		if err != nil {
			return false, err
		}
		names, want = nil, 0
		for i := range pods.Items {
			names = append(names, pods.Items[i].Name)
		}
		for _, g := range groups {
			if g.DeletedAt == nil {
				want++
			}
		}
		return len(names) == want, nil
	}
	if err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, patience, true, equal); err != nil {
		t.Errorf("the machine has pods %v for %d groups", names, want)
	}
}

func kubeOf(t *testing.T, kubeconfig string) kubernetes.Interface {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return kube
}

// checkEnded makes sure that nothing of a machine that was stopped is left.
func checkEnded(t *testing.T, m emulated, before []hostProcess) {
	t.Helper()
	if left := m.left(before); left != nil {
		t.Errorf("of the machine: %v", left)
	}
	if left := m.cgroups(t); len(left) > 0 {
		t.Errorf("cgroups are left: %v", left)
	}
}

// TestContainersElsewhere runs the demo with containers that are pods of
// somebody else's cluster, who has objects of their own in the same namespaces.
func TestContainersElsewhere(t *testing.T) {
	containers.rest(t)
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	theirs, err := local.StartBare(ctx, local.Options{Dir: filepath.Join(ownDir(t), "theirs"), BinDir: binDir(), Images: builtImages()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := theirs.Stop(); err != nil {
			t.Error(err)
		}
	})
	kube := kubeOf(t, theirs.Kubeconfig())
	their := map[string]*corev1.Pod{}
	for _, cloud := range []string{"eci", "kci"} {
		their[cloud] = leaveOwn(t, kube, "cumulet-"+cloud)
	}
	ours, stop := startOwn(t, local.Options{
		Dir: filepath.Join(ownDir(t), "ours"), BinDir: binDir(),
		Runtime: local.RuntimeKubernetes, BackingKubeconfig: theirs.Kubeconfig(),
		Untainted: []string{local.NodeECI, local.NodeKCI},
	})
	var told strings.Builder
	begun := time.Now()
	if err := demo.Run(t.Context(), ours, demo.Options{Kubectl: filepath.Join(binDir(), "kubectl"), Out: &told}); err != nil {
		t.Errorf("the demo fails: %v\n%s", err, told.String())
	}
	t.Logf("demo in another cluster: %v", since(begun))
	if err := stop(); err != nil {
		t.Error(err)
	}
	for cloud, pod := range their {
		checkOnlyTheirs(t, kube, "cumulet-"+cloud, pod)
	}
}

// theirName is what somebody else's objects are called.
const theirName = "theirs"

// leaveOwn makes objects of somebody else's in a namespace: a secret and a pod that
// runs.
func leaveOwn(t *testing.T, kube kubernetes.Interface, namespace string) *corev1.Pod {
	t.Helper()
	_, err := kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: theirName}, StringData: map[string]string{"key": "value"}}
	if _, err := kube.CoreV1().Secrets(namespace).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c := &target{kube: kube, namespace: namespace}
	pod := c.pod(theirName, lasting, func(p *corev1.Pod) { p.Spec.NodeSelector, p.Spec.Tolerations = nil, nil })
	c.eventually(t, "a namespace that pods can be in", func(ctx context.Context) (bool, error) {
		_, err := kube.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{})
		if apierrors.IsForbidden(err) {
			return false, nil // its service account is not there yet
		}
		return err == nil, err
	})
	return c.awaitPod(t, theirName, "ready", isReady)
}

// checkOnlyTheirs makes sure that a runtime has left nothing in its namespace of
// somebody's cluster, and what was there before as it was.
func checkOnlyTheirs(t *testing.T, kube kubernetes.Interface, namespace string, before *corev1.Pod) {
	t.Helper()
	pods, err := kube.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(pods.Items) != 1 || pods.Items[0].UID != before.UID || !isReady(&pods.Items[0]) || pods.Items[0].Status.ContainerStatuses[0].RestartCount > 0 {
		t.Errorf("of the pods in %s theirs alone is to be left, as it was; there are %d: %+v", namespace, len(pods.Items), pods.Items)
	}
	secrets, err := kube.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(secrets.Items) != 1 || secrets.Items[0].Name != theirName {
		t.Errorf("of %d secrets in %s theirs alone is to be left: %v", len(secrets.Items), namespace, err)
	}
}

// stopLimit is how long the whole system may take to end.
const stopLimit = 10 * time.Second

// TestContainersUp starts the system as a person does, and ends it politely
// while containers run that do not listen.
func TestContainersUp(t *testing.T) {
	containers.rest(t)
	dir := ownDir(t)
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	up := exec.CommandContext(ctx, filepath.Join(binDir(), "cumulet-local"), "up", "--dir", dir)
	out, err := up.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	up.Stderr = up.Stdout
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	output := bufio.NewReader(out)
	awaitText(t, output, "Stop with ^C.")
	kube := kubeOf(t, filepath.Join(dir, "kubeconfig"))
	for cloud, node := range nodes {
		runDeaf(t, inDefault(kube, cloud, node))
	}
	m := machineOf(t, dir)
	running := m.processes(t)
	begun := time.Now()
	if err := up.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	told, err := io.ReadAll(output) // until its end
	if err := errors.Join(err, up.Wait()); err != nil {
		t.Errorf("cumulet-local: %v\n%s", err, told)
	}
	took := since(begun)
	t.Logf("everything has ended after %v", took)
	if took > stopLimit {
		t.Errorf("ending took %v, want at most %v", took, stopLimit)
	}
	checkEnded(t, m, running)
	if left := processesOf(t, dir); len(left) > 0 {
		t.Errorf("still running: %v", left)
	}
}

// deafPods is how many pods of each cloud are told to end.
const deafPods = 3

// runDeaf runs containers that do not end when they are told to, and have the
// usual time for that.
func runDeaf(t *testing.T, c *target) {
	t.Helper()
	for i := range deafPods {
		c.create(t, c.pod(fmt.Sprintf("%s-%d", c.cloud, i), "sleep 3600; true", func(p *corev1.Pod) {
			p.Spec.TerminationGracePeriodSeconds = ptr.To[int64](30)
		}))
	}
	c.within(t, patience, "pods to be ready", func(ctx context.Context) (bool, error) {
		pods, err := c.kube.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + c.node})
		ready := 0
		for i := range pods.Items {
			if isReady(&pods.Items[i]) {
				ready++
			}
		}
		return ready == deafPods, err
	})
}

// awaitText reads lines until one has a text.
func awaitText(t *testing.T, output *bufio.Reader, text string) {
	t.Helper()
	var read strings.Builder
	for {
		line, err := output.ReadString('\n')
		read.WriteString(line)
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			t.Fatalf("waiting for %q: %v; told was\n%s", text, err, read.String())
		}
	}
}
