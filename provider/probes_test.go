package provider

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cumulet/cumulet/internal/fakecloud"
)

// verdicts decide how commands end, by their first word.
type verdicts struct {
	mu    sync.Mutex
	codes map[string]int
}

func (v *verdicts) set(word string, code int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.codes[word] = code
}

// judge lets the cloud's commands end by verdicts; a word without one succeeds.
func (h *harness) judge(codes map[string]int) *verdicts {
	v := &verdicts{codes: codes}
	h.cloud.OnExec(func(_ context.Context, c fakecloud.Call) (int, error) {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.codes[c.Command[0]], nil
	})
	return v
}

// execProbe is a probe each second, by the command of this one word.
func execProbe(word string, changes ...func(*corev1.Probe)) *corev1.Probe {
	p := &corev1.Probe{
		ProbeHandler:  corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{word}}},
		PeriodSeconds: 1, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 1,
	}
	for _, change := range changes {
		change(p)
	}
	return p
}

func restartAlways(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyAlways }

// startupProbed is a pod of which all probes are the node's.
func startupProbed(p *corev1.Pod) {
	c := &p.Spec.Containers[0]
	c.StartupProbe, c.ReadinessProbe, c.LivenessProbe = execProbe("startup", tries(60)), execProbe("readiness"), execProbe("liveness", tries(3))
	restartAlways(p)
}

func tries(n int32) func(*corev1.Probe) { return func(p *corev1.Probe) { p.FailureThreshold = n } }

// state is a pod's first container as its status shows it.
func (h *harness) state(pod string) string {
	h.t.Helper()
	status := h.api.pod(pod).Status
	if len(status.ContainerStatuses) == 0 {
		return "none"
	}
	c := status.ContainerStatuses[0]
	words := []string{string(status.Phase)}
	switch {
	case c.State.Running != nil:
		words = append(words, "running")
	case c.State.Waiting != nil:
		words = append(words, "waiting", c.State.Waiting.Reason)
	default:
		words = append(words, "ended")
	}
	if c.Started != nil && *c.Started {
		words = append(words, "started")
	}
	if c.Ready {
		words = append(words, "ready")
	}
	if isReady(h.api.pod(pod)) {
		words = append(words, "pod ready")
	}
	return strings.Join(words, " ")
}

// shows waits until the pod's first container is in this state.
func (h *harness) shows(limit time.Duration, pod, want string) {
	h.t.Helper()
	for deadline := time.Now().Add(limit); h.state(pod) != want; h.wait(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("after %v pod %s is %q, want %q; log:\n%s", limit, pod, h.state(pod), want, h.log)
		}
	}
}

func TestStartupGatesReadiness(t *testing.T) {
	run(t, func(h *harness) {
		v := h.judge(map[string]int{"startup": 1})
		h.running("web", startupProbed)
		h.wait(10 * time.Second)
		if got, want := h.state("web"), "Running running"; got != want {
			t.Errorf("before the startup probe succeeds: %q, want %q", got, want)
		}
		for _, c := range h.cloud.Calls(fakecloud.OpExec) {
			if c.Command[0] != "startup" {
				t.Errorf("%s is probed before the container has started", c.Command[0])
			}
		}
		want := "Warning Unhealthy spec.containers{main}: Startup probe failed: startup\n"
		if got := h.events.with("Unhealthy"); len(got) < 9 || got[0] != want {
			t.Errorf("events %q, want each second %q", got, want)
		}
		v.set("startup", 0)
		h.shows(1200*time.Millisecond, "web", "Running running started ready pod ready")
		v.set("readiness", 1)
		h.shows(1200*time.Millisecond, "web", "Running running started")
		writes := h.api.statusWrites()
		h.wait(time.Minute)
		if n := h.api.statusWrites(); n != writes {
			t.Errorf("%d writes although nothing changed: %s", n-writes, h.api.writes[writes:])
		}
		v.set("readiness", 0)
		h.shows(1200*time.Millisecond, "web", "Running running started ready pod ready")
		h.api.end("web", 0)
		h.nothingLeft()
	})
}

// TestReadinessOverRestart: a new process does not doubt what the old one has
// found before it has found otherwise.
func TestReadinessOverRestart(t *testing.T) {
	run(t, func(h *harness) {
		v := h.judge(map[string]int{})
		h.running("web", startupProbed)
		h.shows(3*time.Second, "web", "Running running started ready pod ready")
		writes := h.api.statusWrites()
		h.restart()
		h.wait(time.Minute)
		if n := h.api.statusWrites(); n != writes {
			t.Errorf("%d writes although nothing changed: %s", n-writes, h.api.writes[writes:])
		}
		before := h.cloud.Count(fakecloud.OpExec)
		h.wait(10 * time.Second)
		for _, c := range h.cloud.Calls(fakecloud.OpExec)[before:] {
			if c.Command[0] == "startup" {
				t.Error("a container that has started is probed for it again")
			}
		}
		v.set("readiness", 1)
		h.shows(1200*time.Millisecond, "web", "Running running started")
	})
}

// pipeNetwork is a network in which one address is served, in the bubble.
type pipeNetwork struct {
	address string
	conns   chan net.Conn
}

func (n *pipeNetwork) dial(ctx context.Context, _, address string) (net.Conn, error) {
	if address != n.address {
		return nil, &net.AddrError{Err: "nobody is there", Addr: address}
	}
	here, there := net.Pipe()
	select {
	case n.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (n *pipeNetwork) Accept() (net.Conn, error) {
	conn, ok := <-n.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

// Close implements net.Listener.
func (n *pipeNetwork) Close() error { return nil }

// Addr implements net.Listener.
func (n *pipeNetwork) Addr() net.Addr { return &net.IPAddr{} }

// TestProbeFromNode: the node asks the group's own address, with the headers
// that no cloud has a word for.
func TestProbeFromNode(t *testing.T) {
	run(t, func(h *harness) {
		network := &pipeNetwork{address: "10.0.0.1:8080", conns: make(chan net.Conn)}
		h.dial = network.dial
		var mu sync.Mutex
		code, token := http.StatusServiceUnavailable, ""
		server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			token = r.Header.Get("X-Probe")
			w.WriteHeader(code)
		})}
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = server.Serve(network)
		}()
		h.running("web", func(p *corev1.Pod) {
			p.Spec.Containers[0].Ports = []corev1.ContainerPort{{Name: "web", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}}
			p.Spec.Containers[0].ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
				Path: "/ready", Port: intstr.FromString("web"), HTTPHeaders: []corev1.HTTPHeader{{Name: "X-Probe", Value: "yes"}},
			}}}
		})
		h.wait(5 * time.Second)
		if got, want := h.state("web"), "Running running started"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if len(h.events.with("Readiness probe failed: HTTP probe failed with statuscode: 503")) == 0 {
			t.Errorf("events %q", h.events.all())
		}
		mu.Lock()
		code = http.StatusOK
		mu.Unlock()
		h.shows(2*time.Second, "web", "Running running started ready pod ready")
		mu.Lock()
		if token != "yes" {
			t.Errorf("header %q", token)
		}
		mu.Unlock()
		h.api.end("web", 0)
		h.wait(10 * time.Second)
		close(network.conns)
		<-served
	})
}
