package eci_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/simulated"
)

// recorder is a runtime that remembers what the machine was told.
type recorder struct {
	engine.Runtime
	told chan *engine.Spec
}

func (r recorder) Start(id string, spec *engine.Spec, report func(engine.Observation)) engine.Instance {
	r.told <- spec
	return r.Runtime.Start(id, spec, report)
}

// onMachine creates a group and returns what the emulated cloud told its machine.
func onMachine(t *testing.T, spec cloudapi.GroupSpec) *engine.Spec {
	t.Helper()
	runtime := simulated.New(simulated.Options{Clock: clock.RealClock{}})
	t.Cleanup(runtime.Close)
	told := make(chan *engine.Spec, 1)
	create(t, connect(t, emulateOn(t, recorder{runtime, told}, nil), account("static")), spec, "token-1")
	select {
	case got := <-told:
		return got
	case <-time.After(patience):
		t.Fatal("the machine was told nothing")
		return nil
	}
}

// rights is the part of a container in which a misread parameter would change
// what it may do or what is done to it.
type rights struct {
	Security           engine.Security
	PostStart, PreStop *engine.Handler
	Propagation        string
}

func rightsOf(lists ...[]engine.Container) []rights {
	var out []rights
	for _, list := range lists {
		for _, c := range list {
			r := rights{Security: c.Security, PostStart: c.PostStart, PreStop: c.PreStop}
			for _, m := range c.Mounts {
				r.Propagation = m.Propagation
			}
			out = append(out, r)
		}
	}
	return out
}

// TestFullSpecOnTheMachine states in the emulator's own words what the golden
// file's group comes to.
func TestFullSpecOnTheMachine(t *testing.T) {
	data, err := os.ReadFile("testdata/create/full.spec.json")
	if err != nil {
		t.Fatal(err)
	}
	var spec cloudapi.GroupSpec
	if err := json.Unmarshal(data, &spec); err != nil {
		t.Fatal(err)
	}
	got := onMachine(t, spec)
	want := []rights{
		{
			Security:    engine.Security{RunAsUser: ptr.To[int64](0), ReadOnlyRoot: true, AddCapabilities: []string{"NET_ADMIN"}},
			Propagation: "HostToContainer",
		},
		{
			Security: engine.Security{
				RunAsUser: ptr.To[int64](1000), RunAsGroup: ptr.To[int64](3000), RunAsNonRoot: true, ReadOnlyRoot: true, Privileged: true,
				AddCapabilities: []string{"NET_ADMIN", "NET_RAW"},
			},
			PostStart: &engine.Handler{HTTP: &engine.HTTPGet{
				Scheme: "HTTPS", Host: "10.1.2.3", Path: "/started?by=cart", Port: 8443,
				Headers: []engine.NameValue{{Name: "X-From", Value: "cart"}, {Name: "X-From", Value: "cumulet"}},
			}},
			PreStop:     &engine.Handler{Exec: []string{"sh", "-c", "echo $(date) bye"}},
			Propagation: "Bidirectional",
		},
		{
			Security:  engine.Security{RunAsGroup: ptr.To[int64](0)},
			PostStart: &engine.Handler{TCP: &engine.TCPSocket{Host: "10.1.2.3", Port: 9000}},
			PreStop: &engine.Handler{HTTP: &engine.HTTPGet{
				Scheme: "HTTP", Path: "/stop", Port: 80, Headers: []engine.NameValue{{Name: "X-Why", Value: "the end"}},
			}},
		},
	}
	if diff := cmp.Diff(want, rightsOf(got.InitContainers, got.Containers)); diff != "" {
		t.Errorf("containers (-want +got):\n%s", diff)
	}
	sysctls := []engine.NameValue{
		{Name: "net.ipv4.ping_group_range", Value: "0 1000"}, {Name: "net.ipv4.ip_unprivileged_port_start", Value: "0"},
		{Name: "net.ipv4.tcp_keepalive_time", Value: "60"},
	}
	if diff := cmp.Diff(sysctls, got.Sysctls); diff != "" || !got.ShareProcesses {
		t.Errorf("processes shared: %v; sysctls (-want +got):\n%s", got.ShareProcesses, diff)
	}
}

// TestWordsAgree: whatever capability and sysctl Limits names, and as many words
// of a hook, the emulator takes.
func TestWordsAgree(t *testing.T) {
	limits := connect(t, emulate(t, nil), account("static")).Limits()
	spec := web("p")
	spec.Containers[0].Security.AddCapabilities = limits.Capabilities
	spec.Containers[0].PostStart = &cloudapi.Handler{HTTP: &cloudapi.HTTPHandler{Port: 80}}
	for i := range limits.MaxHookHeaders {
		spec.Containers[0].PostStart.HTTP.Headers = append(spec.Containers[0].PostStart.HTTP.Headers,
			cloudapi.Header{Name: fmt.Sprintf("X-%d", i), Value: "v"})
	}
	spec.Containers[0].PreStop = &cloudapi.Handler{}
	for range limits.MaxHookCommand {
		spec.Containers[0].PreStop.Exec = append(spec.Containers[0].PreStop.Exec, "true")
	}
	for _, name := range limits.Sysctls {
		spec.Sysctls = append(spec.Sysctls, cloudapi.Sysctl{Name: name, Value: "1"})
	}
	got := onMachine(t, spec)
	if n := len(got.Sysctls); n != len(limits.Sysctls) || n == 0 {
		t.Errorf("%d sysctls reached the machine, want %d", n, len(limits.Sysctls))
	}
	c := got.Containers[0]
	if len(c.PreStop.Exec) != limits.MaxHookCommand || len(c.PostStart.HTTP.Headers) != limits.MaxHookHeaders ||
		len(c.Security.AddCapabilities) != len(limits.Capabilities) {
		t.Errorf("the machine was told %+v", c)
	}
}
