package machine

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/cumulet/cumulet/internal/controlplane"
)

// binDir is where the Makefile puts the programs.
const binDir = "../../bin"

// Images of the tests, as pods name them. Nobody outside knows this registry.
const (
	appImage   = "registry.cumulet.test/app:1"
	pauseImage = "registry.cumulet.test/pause:1"
)

// world is a cluster without nodes and a registry with two images.
type world struct {
	cluster  *controlplane.Cluster
	api      *kubernetes.Clientset
	registry *httptest.Server
	dir      string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), registry: serveImages(t)}
	cluster, err := controlplane.Start(t.Context(), controlplane.Options{
		Dir: filepath.Join(w.dir, "cluster"), BinDir: binDir, WithoutScheduler: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	w.cluster = cluster
	if w.api, err = kubernetes.NewForConfig(w.admin()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) admin() *rest.Config { return w.cluster.AdminConfig() }

// options are those of a machine for the world's cluster.
func (w *world) options(t *testing.T, node string) Options {
	t.Helper()
	network, release, err := ReserveNetwork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := release(); err != nil {
			t.Error(err)
		}
	})
	user := "system:node:" + node
	kubeconfig, err := w.cluster.UserKubeconfig(node, user, []string{"system:nodes"})
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := w.cluster.ServingCert(user, []string{"system:nodes"}, nil, []net.IP{network.Address().AsSlice()})
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Dir: filepath.Join(w.dir, node), LogDir: filepath.Join(w.dir, node+"-logs"), BinDir: binDir,
		Network: network, Node: node, Kubeconfig: kubeconfig, ClientCAFile: w.cluster.CAFile(),
		CertFile: cert, KeyFile: key, PauseImage: pauseImage,
		ClusterDNS: []string{network.Gateway().String()},
		Mirrors:    map[string][]string{"registry.cumulet.test": {w.registry.URL}},
		Progress:   func(what string) { t.Log(what) },
	}
}

// start starts a machine that is stopped when the test ends.
func (w *world) start(t *testing.T, options Options) *Machine {
	t.Helper()
	began := time.Now()
	m, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("node %s is Ready after %v", options.Node, time.Since(began).Round(time.Millisecond))
	t.Cleanup(func() {
		began := time.Now()
		if err := m.Stop(); err != nil {
			t.Error(err)
		}
		t.Logf("node %s is gone after %v", options.Node, time.Since(began).Round(time.Millisecond))
		if t.Failed() {
			for _, log := range m.process.logs {
				t.Logf("the end of %s:\n%s", log.path, log.tail())
			}
		}
	})
	return m
}

// serveImages serves the test's images on loopback.
func serveImages(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(newRegistry())
	t.Cleanup(server.Close)
	fill(t, strings.TrimPrefix(server.URL, "http://"))
	return server
}

// newRegistry is an empty registry.
func newRegistry() http.Handler {
	return registry.New(registry.Logger(log.New(io.Discard, "", 0)))
}

// fill pushes the test's images to the registry at an address.
func fill(t *testing.T, address string) {
	t.Helper()
	program := buildApp(t)
	push(t, address+"/app:1", program, "serve")
	push(t, address+"/pause:1", program, "pause")
}

// distantRegistry is one that is not on loopback, as those on the network, and
// notes where its requests come from.
type distantRegistry struct {
	port  string
	mutex sync.Mutex
	from  map[string]bool
}

func newDistantRegistry(t *testing.T) *distantRegistry {
	t.Helper()
	d := &distantRegistry{from: map[string]bool{}}
	images := newRegistry()
	// On every address, since the machine's network is not there yet.
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			t.Error(err)
		}
		d.mutex.Lock()
		d.from[host] = true
		d.mutex.Unlock()
		images.ServeHTTP(w, r)
	})}}
	server.Start()
	t.Cleanup(server.Close)
	if _, d.port, err = net.SplitHostPort(listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	fill(t, net.JoinHostPort("127.0.0.1", d.port))
	return d
}

// url is where the registry is once there is a machine.
func (d *distantRegistry) url(n Network) string {
	return "http://" + net.JoinHostPort(n.Host().String(), d.port)
}

// check checks that the host pulled for the machine, and not the machine.
func (d *distantRegistry) check(t *testing.T, n Network) {
	t.Helper()
	d.mutex.Lock()
	defer d.mutex.Unlock()
	want := map[string]bool{"127.0.0.1": true /* when it was filled */, n.Host().String(): true}
	if diff := cmp.Diff(want, d.from); diff != "" {
		t.Errorf("requests came from other places (-want +got):\n%s", diff)
	}
}

// buildApp builds testdata/app, static, so that it needs nothing else in an
// image.
func buildApp(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w", "-o", path, "./testdata/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the pods' program: %v\n%s", err, output)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// push makes an image of one program and pushes it.
func push(t *testing.T, reference string, program []byte, verb string) {
	t.Helper()
	var content bytes.Buffer
	archive := tar.NewWriter(&content)
	if err := archive.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content.Bytes())), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config.Entrypoint, file.Config.Cmd = []string{"/app"}, []string{verb}
	if image, err = mutate.ConfigFile(image, file); err != nil {
		t.Fatal(err)
	}
	to, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(to, image, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// appPod is a pod on a node that serves, and is Ready when it does.
func appPod(pod, node string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: pod, Namespace: metav1.NamespaceDefault},
		Spec: corev1.PodSpec{
			NodeName:                      node,
			TerminationGracePeriodSeconds: new(int64),
			Containers: []corev1.Container{{
				Name: "app", Image: appImage, Args: []string{"serve"},
				ReadinessProbe: &corev1.Probe{
					ProbeHandler:  corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}},
					PeriodSeconds: 1,
				},
			}},
		},
	}
}

func (w *world) create(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	if _, err := w.api.CoreV1().Pods(pod.Namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// awaitReady waits until a pod is Ready and returns it.
func (w *world) awaitReady(t *testing.T, pod string) *corev1.Pod {
	t.Helper()
	var found *corev1.Pod
	eventually(t, time.Minute, func() error {
		var err error
		found, err = w.api.CoreV1().Pods(metav1.NamespaceDefault).Get(t.Context(), pod, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range found.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return fmt.Errorf("pod %s is not Ready: %+v", pod, found.Status)
	})
	return found
}

// eventually repeats check until it returns nil, for at most so long.
func eventually(t *testing.T, limit time.Duration, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("after %v: %v", limit, err)
		}
	}
}
