package provider

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

func TestExec(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		h.create("young")
		h.group("uid-young")
		var out bytes.Buffer
		code, err := h.p.Exec(h.t.Context(), ContainerName{testNamespace, "web", "main"}, cloudapi.ExecOptions{Command: []string{"echo", "a"}, Stdout: &out})
		if code != 0 || err != nil || out.String() != "echo a\n" {
			t.Errorf("code %d, error %v, output %q", code, err, out.String())
		}
		for name, c := range map[string]struct {
			pod, container string
			code           int32
		}{
			"no pod": {"none", "main", 404}, "no container": {"web", "none", 404}, "not running": {"young", "main", 400},
		} {
			_, err := h.p.Exec(h.t.Context(), ContainerName{testNamespace, c.pod, c.container}, cloudapi.ExecOptions{Command: []string{"true"}})
			if status, ok := err.(apierrors.APIStatus); !ok || status.Status().Code != c.code {
				t.Errorf("%s: %v, want code %d", name, err, c.code)
			}
		}
		h.cloud.Fail(fakecloud.OpExec, fakecloud.Fault{Before: cloudErr(cloudapi.CodeThrottled, false)})
		if _, err := h.p.Exec(h.t.Context(), ContainerName{testNamespace, "web", "main"}, cloudapi.ExecOptions{}); !apierrors.IsTooManyRequests(err) {
			t.Errorf("throttled: %v", err)
		}
	})
}

func TestExecUnsupported(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		if _, err := h.p.Exec(h.t.Context(), ContainerName{testNamespace, "web", "main"}, cloudapi.ExecOptions{}); !apierrors.IsBadRequest(err) {
			t.Errorf("exec: %v", err)
		}
		if _, err := h.p.Usage(h.t.Context()); !apierrors.IsBadRequest(err) {
			t.Errorf("usage: %v", err)
		}
	}, can(func(l *cloudapi.Limits) { l.Can.Exec, l.Can.Metrics = false, false }))
}

func TestUsage(t *testing.T) {
	run(t, func(h *harness) {
		h.running("web")
		h.cloud.Finish(h.running("done"), 0)
		h.phase("done", corev1.PodSucceeded)
		usage, err := h.p.Usage(h.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(usage) != 1 || usage[0].Pod.Name != "web" || usage[0].Metrics.Memory.UsageBytes != 1<<20 {
			t.Errorf("usage %+v", usage)
		}
	})
}

// stream is a client's end of a forwarded connection.
type stream struct {
	in     io.Reader
	out    bytes.Buffer
	closed chan struct{}
}

func (s *stream) Read(b []byte) (int, error)  { return s.in.Read(b) }
func (s *stream) Write(b []byte) (int, error) { return s.out.Write(b) }

func (s *stream) Close() error {
	close(s.closed)
	return nil
}

// TestPipe runs outside a bubble: sockets have no fake time.
func TestPipe(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.Copy(conn, conn) // an echo until the client says it is done
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{in: bytes.NewBufferString("hello"), closed: make(chan struct{})}
	if err := pipe(t.Context(), conn, s); err != nil {
		t.Error(err)
	}
	<-s.closed
	if diff := cmp.Diff("hello", s.out.String()); diff != "" {
		t.Errorf("echo (-want +got):\n%s", diff)
	}
}

func TestPortForwardRefused(t *testing.T) {
	run(t, func(h *harness) {
		h.create("young")
		h.wait(time.Second)
		if err := h.p.PortForward(h.t.Context(), testNamespace, "none", 80, nil); !apierrors.IsNotFound(err) {
			t.Errorf("no pod: %v", err)
		}
		if err := h.p.PortForward(h.t.Context(), testNamespace, "young", 80, nil); !apierrors.IsBadRequest(err) {
			t.Errorf("no address: %v", err)
		}
	})
}

func TestNode(t *testing.T) {
	taints := append(make([]corev1.Taint, 0, 4), corev1.Taint{Key: "team"})
	o := NodeOptions{
		Name: "virtual-1", Cloud: "eci", Region: "cn-hangzhou", Zone: "cn-hangzhou-h", Architecture: "amd64",
		Version: "0.1", KubernetesVersion: "v1.35.4", Address: "192.0.2.1", KubeletPort: 10250,
		Labels: map[string]string{"team": "shop"}, Taints: taints,
	}
	n := NewNode(o, time.Now())
	want := map[string]string{
		"type": "virtual-kubelet", "kubernetes.io/hostname": "virtual-1", "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
		"topology.kubernetes.io/region": "cn-hangzhou", "topology.kubernetes.io/zone": "cn-hangzhou-h",
		"node.kubernetes.io/instance-type": "eci", "team": "shop",
	}
	if diff := cmp.Diff(want, n.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	wantTaints := []corev1.Taint{{Key: "team"}, {Key: "virtual-kubelet.io/provider", Value: "eci", Effect: corev1.TaintEffectNoSchedule}}
	if diff := cmp.Diff(wantTaints, n.Spec.Taints); diff != "" {
		t.Errorf("taints (-want +got):\n%s", diff)
	}
	if spare := taints[:2][1]; spare.Key != "" {
		t.Errorf("the caller's list was written to: %v", spare)
	}
	o.DisableTaint = true
	if n := NewNode(o, time.Now()); len(n.Spec.Taints) != 1 {
		t.Errorf("taints without the default one: %v", n.Spec.Taints)
	}
}

// TestCloudCondition: the node tells of the cloud, also of what it learned
// before the node controller listened, and stays Ready.
func TestCloudCondition(t *testing.T) {
	run(t, func(h *harness) {
		told := make(chan *corev1.Node, 10)
		status := h.p.NodeProvider(NewNode(NodeOptions{Name: testNode, Cloud: "test"}, time.Now()))
		ctx, cancel := context.WithCancel(h.t.Context())
		defer cancel()
		status.NotifyNodeStatus(ctx, func(n *corev1.Node) { told <- n })
		check := func(want corev1.ConditionStatus, reason string, since time.Time) {
			t.Helper()
			h.wait(5 * time.Second)
			if len(told) != 1 {
				t.Fatalf("%d notifications, want 1", len(told))
			}
			n := <-told
			for _, c := range n.Status.Conditions {
				switch c.Type {
				case corev1.NodeReady:
					if c.Status != corev1.ConditionTrue {
						t.Errorf("the node is not ready")
					}
				case ConditionCloudAvailable:
					if c.Status != want || c.Reason != reason || c.LastTransitionTime.Time.Before(since) {
						t.Errorf("condition %+v, want %s %s since %v", c, want, reason, since)
					}
				}
			}
		}
		begun := time.Now()
		check(corev1.ConditionTrue, "CloudAnswers", begun)
		begun = time.Now()
		h.cloud.FailAll(fakecloud.OpList, func(fakecloud.Call) fakecloud.Fault {
			return fakecloud.Fault{Before: cloudErr(cloudapi.CodeForbidden, false)}
		})
		check(corev1.ConditionFalse, "CloudForbidden", begun)
		h.wait(time.Minute)
		h.cloud.FailAll(fakecloud.OpList, nil)
		check(corev1.ConditionTrue, "CloudAnswers", begun)
		if err := status.Ping(h.t.Context()); err != nil {
			t.Errorf("ping: %v", err)
		}
	})
}

func TestContainerOfEvent(t *testing.T) {
	pod := newPod("web", func(p *corev1.Pod) {
		p.Spec.InitContainers = []corev1.Container{{Name: "setup", Image: "tool:1"}}
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "side", Image: "side:1"})
	})
	for name, c := range map[string]struct {
		event cloudapi.Event
		want  string
	}{
		"by object":       {cloudapi.Event{Object: "side", Message: "Started"}, "side"},
		"by name":         {cloudapi.Event{Message: "Created container main"}, "main"},
		"by image":        {cloudapi.Event{Message: `Pulling image "tool:1"`}, "setup"},
		"by kubelet word": {cloudapi.Event{Message: "Back-off restarting failed container=side in pod x"}, "side"},
		"two":             {cloudapi.Event{Message: "main waits for side"}, ""},
		"none":            {cloudapi.Event{Message: "Successfully assigned mainframe"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := containerOf(pod, c.event); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestLimitedWriter(t *testing.T) {
	var out bytes.Buffer
	l := &limitedWriter{w: &out, left: 5}
	if err := l.writeString("abc"); err != nil {
		t.Fatal(err)
	}
	if err := l.writeString("de"); !errors.Is(err, errLimitReached) {
		t.Errorf("at the limit: %v", err)
	}
	if out.String() != "abcde" {
		t.Errorf("wrote %q", out.String())
	}
}
