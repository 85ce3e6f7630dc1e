package translate_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// completed is a probe with Kubernetes' defaults, stated by hand.
func completed(h corev1.ProbeHandler) corev1.Probe {
	return corev1.Probe{ProbeHandler: h, PeriodSeconds: 10, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 3}
}

func httpHandler(port intstr.IntOrString) corev1.ProbeHandler {
	return corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Scheme: "HTTP", Path: "/", Port: port}}
}

func TestNodeProbes(t *testing.T) {
	port := intstr.FromInt32(8080)
	http := corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromString("http")}}
	exec := corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"cat", "$(FILE)", "$(FROM)", "$(OTHER)"}}}
	expanded := corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"cat", "/$(TMP)/up", "", "$(OTHER)"}}}
	tcp := corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: port}}
	host := corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: port, Host: "10.0.0.1"}}
	header := *http.DeepCopy()
	header.HTTPGet.HTTPHeaders = []corev1.HTTPHeader{{Name: "A", Value: "b"}}
	wantHeader := httpHandler(port)
	wantHeader.HTTPGet.HTTPHeaders = header.HTTPGet.HTTPHeaders
	grpc := corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 9000}}
	wantGRPC := corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 9000, Service: ptr.To("")}}
	given := corev1.Probe{ProbeHandler: host, InitialDelaySeconds: 1, PeriodSeconds: 2, TimeoutSeconds: 3, SuccessThreshold: 4, FailureThreshold: 5}

	cases := map[string]struct {
		reason                       string
		startup, liveness, readiness *corev1.Probe
		limits                       cloudapi.Limits
		want                         []translate.NodeProbe
	}{
		"Clouds": {"what the cloud runs is not the node's", nil, &corev1.Probe{ProbeHandler: http}, &corev1.Probe{ProbeHandler: tcp}, eciLimits(), nil},
		"Startup": {"no cloud has it, and the others wait for it", &corev1.Probe{ProbeHandler: exec}, &corev1.Probe{ProbeHandler: tcp},
			&corev1.Probe{ProbeHandler: http}, eciLimits(), []translate.NodeProbe{
				{Container: "app", Kind: translate.ProbeStartup, Probe: completed(expanded)},
				{Container: "app", Kind: translate.ProbeLiveness, Probe: completed(tcp)},
				{Container: "app", Kind: translate.ProbeReadiness, Probe: completed(httpHandler(port))},
			}},
		"GRPC": {"no cloud has it; the other probe stays the cloud's", nil, &corev1.Probe{ProbeHandler: grpc}, &corev1.Probe{ProbeHandler: tcp}, eciLimits(),
			[]translate.NodeProbe{{Container: "app", Kind: translate.ProbeLiveness, Probe: completed(wantGRPC)}}},
		"Headers": {"no cloud sends them", nil, nil, &corev1.Probe{ProbeHandler: header}, eciLimits(),
			[]translate.NodeProbe{{Container: "app", Kind: translate.ProbeReadiness, Probe: completed(wantHeader)}}},
		"Numbers": {"what is said is kept", nil, nil, &given, eciLimits(),
			[]translate.NodeProbe{{Container: "app", Kind: translate.ProbeReadiness, Probe: given}}},
		"Successes": {"the clouds count to one", nil, nil, &corev1.Probe{ProbeHandler: tcp, SuccessThreshold: 2}, kciLimits(),
			[]translate.NodeProbe{{Container: "app", Kind: translate.ProbeReadiness, Probe: corev1.Probe{
				ProbeHandler: tcp, PeriodSeconds: 10, TimeoutSeconds: 1, SuccessThreshold: 2, FailureThreshold: 3}}}},
		"Untold": {"KCI runs it, but does not tell how it ends", nil, &corev1.Probe{ProbeHandler: http}, &corev1.Probe{ProbeHandler: tcp}, kciLimits(),
			[]translate.NodeProbe{{Container: "app", Kind: translate.ProbeReadiness, Probe: completed(tcp)}}},
		"Seed": {"the documented KCI runs none", nil, nil, &corev1.Probe{ProbeHandler: http}, kciSeedLimits(),
			[]translate.NodeProbe{{Container: "app", Kind: translate.ProbeReadiness, Probe: completed(httpHandler(port))}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			app := &pod.Spec.Containers[0]
			app.Ports = []corev1.ContainerPort{{ContainerPort: 1}, {Name: "http", ContainerPort: 8080}}
			app.Env = []corev1.EnvVar{{Name: "FILE", Value: "/$(TMP)/up"}, {Name: "FROM", ValueFrom: &corev1.EnvVarSource{}}}
			app.StartupProbe, app.LivenessProbe, app.ReadinessProbe = c.startup, c.liveness, c.readiness
			before := pod.DeepCopy()
			if diff := cmp.Diff(c.want, translate.NodeProbes(pod, c.limits)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(before, pod); diff != "" {
				t.Errorf("the pod was changed:\n%s", diff)
			}
		})
	}
}

// TestNodeProbesAreLeftOut holds that every probe is either in the group or in
// the list, for all probes of the golden cases.
func TestNodeProbesAreLeftOut(t *testing.T) {
	for name, clouds := range map[string]map[string]cloudapi.Limits{
		"probes":         {"eci": eciLimits(), "kci": kciLimits()},
		"probes-on-node": {"eci": eciLimits()},
	} {
		for cloud, limits := range clouds {
			pod, refs := readCase(t, "testdata/pod/"+name+".pod.yaml")
			spec, _, err := translate.Group(pod, refs, options(limits))
			if err != nil {
				t.Fatal(err)
			}
			onNode := map[string]bool{}
			for _, p := range translate.NodeProbes(pod, limits) {
				onNode[p.Container+string(p.Kind)] = true
			}
			for i, c := range pod.Spec.Containers {
				for _, p := range []struct {
					kind    translate.ProbeKind
					asked   bool
					inGroup bool
				}{
					{translate.ProbeLiveness, c.LivenessProbe != nil, spec.Containers[i].Liveness != nil},
					{translate.ProbeReadiness, c.ReadinessProbe != nil, spec.Containers[i].Readiness != nil},
					{translate.ProbeStartup, c.StartupProbe != nil, false},
				} {
					if listed := onNode[c.Name+string(p.kind)]; p.asked != (listed != p.inGroup) || listed && p.inGroup {
						t.Errorf("%s on %s: %s of %s: asked %v, in the group %v, on the node %v", name, cloud, p.kind, c.Name, p.asked, p.inGroup, listed)
					}
				}
			}
		}
	}
}

func TestNodeHooks(t *testing.T) {
	pod, _ := readCase(t, "testdata/pod/hooks.pod.yaml")
	want := []translate.NodeHook{
		{Container: "app", Kind: translate.HookPostStart, Handler: corev1.LifecycleHandler{HTTPGet: &corev1.HTTPGetAction{
			Scheme: "HTTP", Path: "/", Port: intstr.FromInt32(8080),
			HTTPHeaders: []corev1.HTTPHeader{{Name: "X-Hook", Value: "first"}, {Name: "X-Hook", Value: "second"}},
		}}},
		{Container: "app", Kind: translate.HookPreStop, Handler: corev1.LifecycleHandler{
			Exec: &corev1.ExecAction{Command: []string{"sh", "-c", "echo $(A)"}},
		}},
		{Container: "other", Kind: translate.HookPreStop, Handler: corev1.LifecycleHandler{HTTPGet: &corev1.HTTPGetAction{
			Scheme: "HTTPS", Host: "10.1.2.3", Path: "/bye?now=1", Port: intstr.FromInt32(443),
		}}},
	}
	before := pod.DeepCopy()
	if diff := cmp.Diff(want, translate.NodeHooks(pod, kciLimits())); diff != "" {
		t.Errorf("KCI leaves hooks to the node (-want +got):\n%s", diff)
	}
	if got := translate.NodeHooks(pod, eciLimits()); got != nil {
		t.Errorf("ECI runs hooks itself, got %v", got)
	}
	if diff := cmp.Diff(want[2:], translate.NodeHooks(pod, kciSeedLimits())); diff != "" {
		t.Errorf("without exec the node asks over HTTP, before the group is deleted (-want +got):\n%s", diff)
	}
	if got := translate.NodeHooks(simplePod(), kciLimits()); got != nil {
		t.Errorf("a pod without hooks has none, got %v", got)
	}
	if diff := cmp.Diff(before, pod); diff != "" {
		t.Errorf("the pod was changed:\n%s", diff)
	}
}

// TestReadyAndStarted states what becomes of the words of cloud and node.
func TestReadyAndStarted(t *testing.T) {
	startup := func(c *corev1.Container) { c.StartupProbe = &corev1.Probe{} }
	readiness := func(c *corev1.Container) { c.ReadinessProbe = &corev1.Probe{} }
	grpc := func(c *corev1.Container) {
		c.ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{}}}
	}
	yes, no := ptr.To(true), ptr.To(false)
	node := func(ready bool) map[string]bool { return map[string]bool{"app": ready} }
	cases := map[string]struct {
		reason         string
		change         func(*corev1.Container)
		cloud          *bool
		ready, started map[string]bool
		want           [2]bool // started, ready
	}{
		"Nothing":           {"without probes it is ready when it runs", nil, nil, nil, nil, [2]bool{true, true}},
		"CloudUnready":      {"the cloud says no", readiness, no, nil, nil, [2]bool{true, false}},
		"CloudReady":        {"the cloud's probe says yes", readiness, yes, nil, nil, [2]bool{true, true}},
		"NobodyTells":       {"with a probe and no word it is not", readiness, nil, nil, nil, [2]bool{true, false}},
		"NodeReady":         {"the node tells where the cloud does not", readiness, nil, node(true), nil, [2]bool{true, true}},
		"BothMustSayYes":    {"the node has not seen it ready", readiness, yes, node(false), nil, [2]bool{true, false}},
		"CloudOverrules":    {"the cloud has seen it unready", readiness, no, node(true), nil, [2]bool{true, false}},
		"CloudKnowsNothing": {"a gRPC probe is not the cloud's: its yes tells nothing", grpc, yes, nil, nil, [2]bool{true, false}},
		"NodeKnows":         {"and the node's word counts", grpc, yes, node(true), nil, [2]bool{true, true}},
		"NotStarted":        {"the startup probe has not succeeded", startup, yes, nil, nil, [2]bool{false, false}},
		"NotStartedYet":     {"nor does being ready help", startup, yes, node(true), node(false), [2]bool{false, false}},
		"Started":           {"it has", startup, yes, nil, node(true), [2]bool{true, true}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			if c.change != nil {
				c.change(&pod.Spec.Containers[0])
			}
			now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			group := &cloudapi.Group{ID: "g", Status: cloudapi.StatusRunning, Containers: []cloudapi.ContainerState{{
				Name: "app", Ready: c.cloud, Current: cloudapi.RunState{Kind: cloudapi.RunRunning, StartedAt: now},
			}}}
			got := translate.Status(pod, group, now, translate.StatusOptions{Ready: c.ready, Started: c.started}).ContainerStatuses[0]
			if *got.Started != c.want[0] || got.Ready != c.want[1] {
				t.Errorf("%s: started %v, ready %v; want %v", c.reason, *got.Started, got.Ready, c.want)
			}
		})
	}
}

// TestRelativePaths: a kubelet asks for a path that begins with no slash as if it
// did, and a cloud is told of that path.
func TestRelativePaths(t *testing.T) {
	for written, want := range map[string]string{
		"healthz?full=1": "/healthz?full=1", "/healthz": "/healthz", "": "/", "?x=1": "/?x=1", "/a%2fb": "/a%2fb",
		"http://elsewhere/x?y#z": "/x?y", "/a b": "/a%20b",
	} {
		pod := simplePod()
		get := corev1.HTTPGetAction{Path: written, Port: intstr.FromInt32(80)}
		app := &pod.Spec.Containers[0]
		app.LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &get}}
		app.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{HTTPGet: &get}}
		spec, _, err := translate.Group(pod, translate.References{}, options(eciLimits()))
		if err != nil {
			t.Fatal(err)
		}
		if got := spec.Containers[0].Liveness.HTTP.Path; got != want {
			t.Errorf("%q: the probe asks for %q, want %q", written, got, want)
		}
		if got := spec.Containers[0].PreStop.HTTP.Path; got != want {
			t.Errorf("%q: the hook asks for %q, want %q", written, got, want)
		}
		if got := translate.NodeHooks(pod, kciLimits())[0].Handler.HTTPGet.Path; got != want {
			t.Errorf("%q: the node's hook asks for %q, want %q", written, got, want)
		}
	}
}
