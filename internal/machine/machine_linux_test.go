package machine

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestMain(m *testing.M) {
	Main()
	if options := os.Getenv(ownerOptions); options != "" {
		runOwner(options)
	}
	os.Exit(m.Run())
}

// TestMachineRunsPods goes once through what pods need.
func TestMachineRunsPods(t *testing.T) {
	w := newWorld(t)
	options := w.options(t, "node-a")
	options.Labels = map[string]string{"example.test/kind": "emulated"}
	options.Taints = []corev1.Taint{{Key: "example.test/own", Effect: corev1.TaintEffectNoSchedule}}
	onHost := serveText(t, "this is the host")
	forwarded := netip.AddrPortFrom(options.Network.Gateway(), 6443)
	options.Forward = []Forward{{Inside: forwarded, Host: onHost.String()}}
	distant := newDistantRegistry(t)
	options.Mirrors["distant.cumulet.test"] = []string{distant.url(options.Network)}
	before := hostSettings(t)
	m := w.start(t, options)
	began := time.Now()
	w.create(t, appPod("first", "node-a"))
	pod := w.awaitReady(t, "first")
	t.Logf("the first pod is Ready after %v", time.Since(began).Round(time.Millisecond))

	t.Run("Node", func(t *testing.T) { checkNode(t, w, options) })
	t.Run("HostReachesPod", func(t *testing.T) {
		if got := fetch(t, "http://"+pod.Status.PodIP+":8080/"); got != "this is first" {
			t.Errorf("the pod answers %q", got)
		}
	})
	t.Run("Logs", func(t *testing.T) {
		eventually(t, time.Minute, func() error {
			logs, err := w.api.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(t.Context())
			if err == nil && string(logs) != "serving as first\n" {
				return fmt.Errorf("logs = %q", logs)
			}
			return err
		})
	})
	t.Run("Exec", func(t *testing.T) {
		if got, err := w.exec(t, "first", "print", "from", "inside"); err != nil || got != "from inside\n" {
			t.Errorf("exec = %q, %v", got, err)
		}
	})
	t.Run("PodReachesForwarded", func(t *testing.T) {
		if got, err := w.exec(t, "first", "fetch", "http://"+forwarded.String()); err != nil || got != "this is the host" {
			t.Errorf("the pod gets %q, %v", got, err)
		}
	})
	t.Run("PodsReachEachOther", func(t *testing.T) {
		w.create(t, appPod("second", "node-a"))
		other := w.awaitReady(t, "second")
		if got, err := w.exec(t, "first", "fetch", "http://"+other.Status.PodIP+":8080/"); err != nil || got != "this is second" {
			t.Errorf("the pod gets %q, %v", got, err)
		}
	})
	t.Run("PodsReachNoLoopback", func(t *testing.T) {
		server := strings.TrimPrefix(w.cluster.URL(), "https://")
		if got, err := w.exec(t, "first", "fetch", "http://"+server); err == nil {
			t.Errorf("the API server on loopback answers a pod: %q", got)
		}
		if got, err := w.exec(t, "first", "fetch", "http://192.0.2.77/"); err == nil || !strings.Contains(got, "unreachable") {
			t.Errorf("a stranger's address gives %q, %v, want it to be unreachable at once", got, err)
		}
	})
	t.Run("LoopbackRegistry", func(t *testing.T) { checkLoopbackRegistry(t, w, m) })
	t.Run("DistantRegistry", func(t *testing.T) {
		pod := appPod("distant", "node-a")
		pod.Spec.Containers[0].Image = "distant.cumulet.test/app:1"
		w.create(t, pod)
		w.awaitReady(t, "distant")
		distant.check(t, options.Network)
	})
	t.Run("MemoryLimit", func(t *testing.T) { checkMemoryLimit(t, w) })
	t.Run("Seccomp", func(t *testing.T) { checkSeccomp(t, w) })
	t.Run("ManyPods", func(t *testing.T) { checkManyPods(t, w) })
	if diff := cmp.Diff(before, hostSettings(t)); diff != "" {
		t.Errorf("the machine changed the host (-before +after):\n%s", diff)
	}
}

// checkNode checks what the Node object tells.
func checkNode(t *testing.T, w *world, options Options) {
	node, err := w.api.CoreV1().Nodes().Get(t.Context(), options.Node, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []corev1.NodeAddress{
		{Type: corev1.NodeInternalIP, Address: options.Network.Address().String()},
		{Type: corev1.NodeHostName, Address: options.Node},
	}
	if diff := cmp.Diff(want, node.Status.Addresses); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	if got := node.Labels["example.test/kind"]; got != "emulated" {
		t.Errorf("label = %q", got)
	}
	if !slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == "example.test/own" }) {
		t.Errorf("taints = %v, want ours among them", node.Spec.Taints)
	}
	if got := node.Status.Capacity.Pods().Value(); got != 250 {
		t.Errorf("capacity of pods = %d, want 250", got)
	}
}

// checkLoopbackRegistry runs an image of a registry on the host's loopback
// address that was not known when the machine started.
func checkLoopbackRegistry(t *testing.T, w *world, m *Machine) {
	address := netip.MustParseAddrPort(strings.TrimPrefix(serveImages(t).URL, "http://"))
	for range 2 { // the second time changes nothing
		if err := m.ForwardLoopback(t.Context(), address.Port()); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Forward(t.Context(), Forward{Inside: address, Host: "127.0.0.1:1"}); err == nil {
		t.Error("a port was forwarded to two places")
	}
	pod := appPod("loopback", "node-a")
	pod.Spec.Containers[0].Image = address.String() + "/app:1"
	w.create(t, pod)
	w.awaitReady(t, "loopback")
}

// checkMemoryLimit lets a container take more memory than it may.
func checkMemoryLimit(t *testing.T, w *world) {
	pod := appPod("greedy", "node-a")
	pod.Spec.RestartPolicy = corev1.RestartPolicyNever
	pod.Spec.Containers[0].Args = []string{"eat"}
	pod.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}
	w.create(t, pod)
	eventually(t, time.Minute, func() error {
		found, err := w.api.CoreV1().Pods(pod.Namespace).Get(t.Context(), pod.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, status := range found.Status.ContainerStatuses {
			if ended := status.State.Terminated; ended != nil && ended.Reason == "OOMKilled" && ended.ExitCode == 137 {
				return nil
			}
		}
		return fmt.Errorf("want it killed for its memory: %+v", found.Status)
	})
}

// checkSeccomp checks that a profile is enforced, or refused where runc cannot.
func checkSeccomp(t *testing.T, w *world) {
	version, err := exec.CommandContext(t.Context(), binDir+"/machine/runc", "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	pod := appPod("filtered", "node-a")
	pod.Spec.SecurityContext = &corev1.PodSecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}}
	w.create(t, pod)
	if strings.Contains(string(version), "libseccomp") {
		w.awaitReady(t, pod.Name)
		// proc(5): 2 is a filter.
		if got, err := w.exec(t, pod.Name, "seccomp"); err != nil || got != "2\n" {
			t.Errorf("the container's mode of seccomp is %q, %v, want 2", got, err)
		}
		return
	}
	eventually(t, time.Minute, func() error {
		found, err := w.api.CoreV1().Pods(pod.Namespace).Get(t.Context(), pod.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, status := range found.Status.ContainerStatuses {
			for _, state := range []corev1.ContainerState{status.State, status.LastTerminationState} {
				if state.Terminated != nil && strings.Contains(state.Terminated.Message, "seccomp not supported") {
					return nil
				}
			}
		}
		return fmt.Errorf("want it refused for its seccomp profile: %+v", found.Status)
	})
}

func checkManyPods(t *testing.T, w *world) {
	const count = 50
	began := time.Now()
	for i := range count {
		w.create(t, appPod(fmt.Sprintf("many-%d", i), "node-a"))
	}
	seen := map[string]bool{}
	for i := range count {
		pod := w.awaitReady(t, fmt.Sprintf("many-%d", i))
		seen[pod.Status.PodIP] = true
	}
	t.Logf("%d pods are Ready after %v", count, time.Since(began).Round(time.Millisecond))
	if len(seen) != count {
		t.Errorf("%d pods have %d addresses", count, len(seen))
	}
	began = time.Now()
	pods := w.api.CoreV1().Pods(metav1.NamespaceDefault)
	if err := pods.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*time.Minute, func() error {
		left, err := pods.List(t.Context(), metav1.ListOptions{})
		if err == nil && len(left.Items) > 0 {
			err = fmt.Errorf("%d pods are left", len(left.Items))
		}
		return err
	})
	t.Logf("all pods are deleted after %v", time.Since(began).Round(time.Millisecond))
}

// TestMachineRestart checks that a second start in the directory needs no
// registry, and that two machines run beside each other.
func TestMachineRestart(t *testing.T) {
	w := newWorld(t)
	options := w.options(t, "node-a")
	first := w.start(t, options)
	w.create(t, appPod("kept", "node-a"))
	before := w.awaitReady(t, "kept")

	if _, err := Start(t.Context(), options); err == nil || !strings.Contains(err.Error(), "in use by process") {
		t.Errorf("a second machine in the directory: %v", err)
	}
	same := w.options(t, "node-b")
	same.Network = options.Network
	if _, err := Start(t.Context(), same); err == nil || !strings.Contains(err.Error(), "belongs to a machine that runs") {
		t.Errorf("a second machine in the network: %v", err)
	}
	if used, err := usedPrefixes(); err != nil || !slices.ContainsFunc(used, options.Network.Prefix.Overlaps) {
		t.Fatalf("a network is not seen to be in use: %v, %v", used, err)
	}
	beside := w.options(t, "node-c")
	w.start(t, beside)
	w.create(t, appPod("beside", "node-c"))
	w.awaitReady(t, "beside")

	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	checkNothingLeft(t, options)
	if _, open := <-first.Failed(); open {
		t.Error("Stop was taken for a failure")
	}
	w.registry.Close()
	w.start(t, options)
	w.create(t, appPod("new", "node-a"))
	w.awaitReady(t, "new")
	// The API server has not heard of the machine's end, and the kubelet runs
	// again what is to run.
	eventually(t, time.Minute, func() error {
		pod := w.awaitReady(t, "kept")
		if got, old := pod.Status.ContainerStatuses[0].ContainerID, before.Status.ContainerStatuses[0].ContainerID; got == old {
			return fmt.Errorf("pod kept still is told to have container %s", old)
		}
		if got := fetch(t, "http://"+pod.Status.PodIP+":8080/"); got != "this is kept" {
			return fmt.Errorf("pod kept answers %q", got)
		}
		return nil
	})
}

// TestMachineFails checks that the end of a program is told with its reason.
func TestMachineFails(t *testing.T) {
	w := newWorld(t)
	options := w.options(t, "node-a")
	m := w.start(t, options)
	for _, pid := range processesOf(t, m) {
		name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err == nil && strings.TrimSpace(string(name)) == "kubelet" {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	select {
	case err := <-m.Failed():
		if err == nil || !strings.Contains(err.Error(), "kubelet ended by signal killed; the end of "+filepath.Join(options.LogDir, "kubelet.log")) {
			t.Errorf("error = %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the kubelet's end went unnoticed")
	}
	if err := m.Stop(); err != nil {
		t.Error(err)
	}
	checkNothingLeft(t, options)

	broken := w.options(t, "node-a")
	broken.Labels = map[string]string{"kubernetes.io/reserved": "x"}
	m, err := Start(t.Context(), broken)
	if err == nil {
		t.Fatal(errors.Join(errors.New("a kubelet with a label that it refuses starts"), m.Stop()))
	}
	if !strings.Contains(err.Error(), "kubelet ended with exit status 1") || !strings.Contains(err.Error(), "kubernetes.io/reserved") {
		t.Errorf("a kubelet that does not start: %v", err)
	}
	checkNothingLeft(t, broken)
}

// serveText serves a text on the host's loopback address.
func serveText(t *testing.T, text string) netip.AddrPort {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }))
	t.Cleanup(server.Close)
	return netip.MustParseAddrPort(server.Listener.Addr().String())
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return string(body)
}

// exec runs the pods' program in a pod, by kubectl, and returns its output.
func (w *world) exec(t *testing.T, pod string, args ...string) (string, error) {
	t.Helper()
	command := append([]string{"--kubeconfig", w.cluster.AdminKubeconfig(), "exec", pod, "--", "/app"}, args...)
	output, err := exec.CommandContext(t.Context(), binDir+"/kubectl", command...).CombinedOutput()
	return string(output), err
}
