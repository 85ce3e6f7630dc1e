package controlplane

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// binDir is where `make controlplane` puts the programs.
const binDir = "../../bin"

// needPrograms fails a test if the programs have not been built.
func needPrograms(t *testing.T) {
	t.Helper()
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"} {
		if _, err := os.Stat(filepath.Join(binDir, name)); err != nil {
			t.Fatalf("this test needs the control plane's programs, build them with `make controlplane`: %v", err)
		}
	}
}

// startCluster starts a control plane that is stopped when the test ends.
func startCluster(t *testing.T, options Options) *Cluster {
	t.Helper()
	needPrograms(t)
	if options.Dir == "" {
		options.Dir = t.TempDir()
	}
	options.BinDir = binDir
	begin := time.Now()
	c, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %v", time.Since(begin).Round(time.Millisecond))
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		for _, p := range c.Processes() {
			if alive(p.PID()) {
				t.Errorf("%s is still there after Stop", p.Name())
			}
		}
	})
	return c
}

func clientFor(t *testing.T, config *rest.Config) *kubernetes.Clientset {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// userClient returns a client with the identity of a kubeconfig.
func userClient(t *testing.T, c *Cluster, name, user string, groups ...string) *kubernetes.Clientset {
	t.Helper()
	path, err := c.UserKubeconfig(name, user, groups)
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	return clientFor(t, config)
}

// eventually repeats check until it returns nil, for at most so long.
func eventually(t *testing.T, limit time.Duration, check func() error) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("after %v: %v", limit, err)
		}
	}
}

// alive tells whether a process runs. One that has ended but whose parent has
// not asked for its status does not.
func alive(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !errors.Is(err, os.ErrNotExist) || !isLinux()
	}
	// "pid (name) state ..."; the name may hold anything.
	return !strings.HasPrefix(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " Z")
}

func isLinux() bool {
	_, err := os.Stat("/proc/self/stat")
	return err == nil
}

func TestTwoClusters(t *testing.T) {
	needPrograms(t)
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, Options{})
			t.Run("version", func(t *testing.T) { checkVersion(t, c) })
			t.Run("pod is scheduled", func(t *testing.T) { checkPod(t, c) })
			t.Run("node restriction", func(t *testing.T) { checkNodeRestriction(t, c) })
			t.Run("anonymous", func(t *testing.T) { checkAnonymous(t, c) })
			select {
			case err := <-c.Failed():
				t.Error(err)
			default:
			}
		})
	}
}

func checkVersion(t *testing.T, c *Cluster) {
	kubectl := exec.CommandContext(t.Context(), filepath.Join(binDir, "kubectl"), "version", "-o", "json")
	kubectl.Env = []string{"KUBECONFIG=" + c.AdminKubeconfig(), "HOME=" + t.TempDir()}
	output, err := kubectl.Output()
	if err != nil {
		t.Fatal(err)
	}
	type version struct{ GitVersion, GitTreeState string }
	var got struct{ ClientVersion, ServerVersion version }
	if err := json.Unmarshal(output, &got); err != nil {
		t.Fatalf("%v in:\n%s", err, output)
	}
	want := version{GitVersion: "v1.35.4", GitTreeState: "clean"}
	if got.ClientVersion != want || got.ServerVersion != want {
		t.Errorf("client is %v and server %v, want %v", got.ClientVersion, got.ServerVersion, want)
	}
}

// readyNode is a node to which the scheduler gives pods.
func readyNode(name string) *corev1.Node {
	resources := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("4"),
		corev1.ResourceMemory: resource.MustParse("8Gi"),
		corev1.ResourcePods:   resource.MustParse("10"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Status: corev1.NodeStatus{
			Capacity: resources, Allocatable: resources,
			Conditions: []corev1.NodeCondition{{
				Type: corev1.NodeReady, Status: corev1.ConditionTrue,
				LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now(),
			}},
		},
	}
}

func checkPod(t *testing.T, c *Cluster) {
	api := clientFor(t, c.AdminConfig())
	ctx := t.Context()
	if _, err := api.CoreV1().Nodes().Create(ctx, readyNode("c"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	pods := api.CoreV1().Pods(metav1.NamespaceDefault)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "first"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "image"}}},
	}
	if _, err := pods.Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, func() error {
		got, err := pods.Get(ctx, "first", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if got.Spec.NodeName != "c" {
			return fmt.Errorf("pod is on node %q: %v", got.Spec.NodeName, got.Status.Conditions)
		}
		return nil
	})
}

func checkNodeRestriction(t *testing.T, c *Cluster) {
	admin := clientFor(t, c.AdminConfig()).CoreV1().Nodes()
	node := userClient(t, c, "a", "system:node:a", "system:nodes").CoreV1().Nodes()
	ctx := t.Context()
	if _, err := node.Create(ctx, readyNode("a"), metav1.CreateOptions{}); err != nil {
		t.Fatalf("a cannot register itself: %v", err)
	}
	if _, err := admin.Create(ctx, readyNode("b"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	patch := []byte(`{"status":{"nodeInfo":{"kubeletVersion":"v0.0.1"}}}`)
	if _, err := node.Patch(ctx, "a", types.MergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		t.Errorf("a may not patch its own status: %v", err)
	}
	if _, err := node.Patch(ctx, "b", types.MergePatchType, patch, metav1.PatchOptions{}, "status"); !apierrors.IsForbidden(err) {
		t.Errorf("a patching the status of b: %v, want Forbidden", err)
	}
}

func checkAnonymous(t *testing.T, c *Cluster) {
	anonymous := clientFor(t, rest.AnonymousClientConfig(c.AdminConfig()))
	_, err := anonymous.Discovery().ServerVersion()
	if !apierrors.IsUnauthorized(err) {
		t.Errorf("without a certificate: %v, want Unauthorized", err)
	}
}

func TestRestart(t *testing.T) {
	needPrograms(t)
	dir := t.TempDir()
	options := Options{Dir: dir, BinDir: binDir, WithoutScheduler: true}
	first, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := first.UserKubeconfig("kept", "somebody", []string{adminGroup})
	if err != nil {
		t.Fatal(err)
	}
	mark := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "mark"}}
	_, createErr := clientFor(t, first.AdminConfig()).CoreV1().ConfigMaps("default").Create(t.Context(), mark, metav1.CreateOptions{})
	_, againErr := Start(t.Context(), options)
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	if createErr != nil {
		t.Fatal(createErr)
	}
	if againErr == nil || !strings.Contains(againErr.Error(), "another cluster") {
		t.Errorf("a second cluster in the directory: %v, want it refused", againErr)
	}
	if _, open := <-first.Failed(); open {
		t.Error("Stop was taken for a failure")
	}

	startCluster(t, options)
	config, err := clientcmd.BuildConfigFromFlags("", kept)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clientFor(t, config).CoreV1().ConfigMaps("default").Get(t.Context(), "mark", metav1.GetOptions{}); err != nil {
		t.Errorf("an old kubeconfig and old data after a restart: %v", err)
	}
}

func TestFailedStart(t *testing.T) {
	needPrograms(t)
	dir := t.TempDir()
	_, err := Start(t.Context(), Options{Dir: dir, BinDir: binDir, ExtraFlags: map[string][]string{
		"kube-apiserver": {"--no-such-flag=1"},
	}})
	if err == nil || !strings.Contains(err.Error(), "no-such-flag") {
		t.Errorf("error = %v, want the end of the log with the unknown flag", err)
	}
}

func TestTakenPort(t *testing.T) {
	needPrograms(t)
	// The flag stands for another process that takes the port after it was
	// chosen, each time.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	_, err = Start(t.Context(), Options{Dir: t.TempDir(), BinDir: binDir, ExtraFlags: map[string][]string{
		"kube-apiserver": {"--secure-port=" + port},
	}})
	if !errors.Is(err, errPortTaken) {
		t.Errorf("error = %v, want %v", err, errPortTaken)
	}
}

func TestFailedComponent(t *testing.T) {
	c := startCluster(t, Options{WithoutControllerManager: true})
	for _, p := range c.Processes() {
		if p.Name() != "kube-scheduler" {
			continue
		}
		if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-c.Failed():
		if !strings.Contains(err.Error(), "kube-scheduler ended (signal: killed)") {
			t.Errorf("error = %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the scheduler's end went unnoticed")
	}
}
