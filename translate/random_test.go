package translate_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

// TestRandomLives shows a pod's group in states drawn at random, however
// contradictory, and holds every status against the rules: one bad answer of a
// cloud must not make a status that the API server refuses.
func TestRandomLives(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		pod := randomLife(r)
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		for step := range 8 {
			now = now.Add(time.Duration(r.IntN(100)) * time.Second)
			group := randomGroup(r, pod, now)
			next := translate.Status(pod, group, now, translate.StatusOptions{HostIP: "10.9.8.7", Provider: "eci"})
			if faults := statusFaults(pod, &next); len(faults) > 0 {
				t.Fatalf("seed %d, step %d: %s\ngroup: %+v", seed, step, strings.Join(faults, "\n"), group)
			}
			pod.Status = next
			again := translate.Status(pod, group, now.Add(time.Hour), translate.StatusOptions{HostIP: "10.9.8.7", Provider: "eci"})
			if !reflect.DeepEqual(next, again) {
				t.Fatalf("seed %d, step %d: without news the status changes (-first +second):\n%s\ngroup: %+v", seed, step, cmp.Diff(next, again), group)
			}
		}
		for name, last := range map[string]corev1.PodStatus{
			"Lost":       translate.Lost(pod, now),
			"Terminated": translate.Terminated(pod, randomGroup(r, pod, now), now),
			"Waiting":    translate.Waiting(pod, "Any", "reason", now),
			"Failed":     translate.Failed(pod, randomGroup(r, pod, now), "Any", "reason", now),
			"Rejected":   translate.Rejected(pod, &translate.Refused{}, now),
		} {
			if faults := statusFaults(pod, &last); len(faults) > 0 {
				t.Fatalf("seed %d, %s: %s", seed, name, strings.Join(faults, "\n"))
			}
			if name != "Waiting" && last.Phase != corev1.PodFailed && last.Phase != corev1.PodSucceeded {
				t.Fatalf("seed %d: %s leaves the pod %s", seed, name, last.Phase)
			}
		}
	}
}

func randomLife(r *rand.Rand) *corev1.Pod {
	pod := simplePod()
	pod.Generation = int64(r.IntN(3))
	policies := []corev1.RestartPolicy{corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever}
	pod.Spec.RestartPolicy = policies[r.IntN(3)]
	for i := range r.IntN(3) {
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, corev1.Container{Name: "init" + string(rune('a'+i)), Image: "init"})
	}
	for i := range r.IntN(3) { // after the init containers, as Group wants them
		always := corev1.ContainerRestartPolicyAlways
		sidecar := corev1.Container{Name: "sidecar" + string(rune('a'+i)), Image: "side", RestartPolicy: &always}
		if r.IntN(2) == 0 {
			sidecar.StartupProbe = &corev1.Probe{}
		}
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, sidecar)
	}
	if r.IntN(4) == 0 {
		pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "debug"}}}
	}
	if r.IntN(2) == 0 {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "side", Image: "side", ReadinessProbe: &corev1.Probe{}})
	}
	return pod
}

func randomGroup(r *rand.Rand, pod *corev1.Pod, now time.Time) *cloudapi.Group {
	statuses := []cloudapi.Status{
		cloudapi.StatusScheduling, cloudapi.StatusPending, cloudapi.StatusRunning, cloudapi.StatusRunning, cloudapi.StatusRunning,
		cloudapi.StatusRestarting, cloudapi.StatusUpdating, cloudapi.StatusTerminating, cloudapi.StatusUnknown, "new word",
		cloudapi.StatusSucceeded, cloudapi.StatusFailed, cloudapi.StatusExpired,
	}
	if r.IntN(20) == 0 {
		return nil
	}
	g := &cloudapi.Group{ID: "g-1", Status: statuses[r.IntN(len(statuses))], CreatedAt: randomTime(r, now), FinishedAt: randomTime(r, now)}
	if r.IntN(3) == 0 {
		g.Reason = "Reason"
	}
	if r.IntN(8) == 0 {
		g.Events = []cloudapi.Event{{Warning: true, Reason: "SpotToBeReleased"}}
	}
	for range r.IntN(3) {
		g.IPs = append(g.IPs, []string{"10.0.0.1", "fd00::1", "", "x", "0.0.0.0"}[r.IntN(5)])
	}
	for _, c := range pod.Spec.InitContainers {
		if c.RestartPolicy != nil {
			continue
		}
		g.InitContainers = append(g.InitContainers, randomState(r, c.Name, now)...)
	}
	for _, c := range translate.LongRunning(pod) {
		g.Containers = append(g.Containers, randomState(r, c.Name, now)...)
	}
	return g
}

func randomState(r *rand.Rand, name string, now time.Time) []cloudapi.ContainerState {
	if r.IntN(5) == 0 {
		return nil
	}
	s := cloudapi.ContainerState{Name: name, RestartCount: int32(r.IntN(4)), Current: randomRun(r, now)}
	if r.IntN(2) == 0 {
		previous := randomRun(r, now)
		s.Previous = &previous
	}
	if r.IntN(2) == 0 {
		ready := r.IntN(2) == 0
		s.Ready = &ready
	}
	return []cloudapi.ContainerState{s}
}

func randomRun(r *rand.Rand, now time.Time) cloudapi.RunState {
	kinds := []cloudapi.RunKind{cloudapi.RunWaiting, cloudapi.RunRunning, cloudapi.RunTerminated, "", "odd"}
	return cloudapi.RunState{Kind: kinds[r.IntN(len(kinds))], ExitCode: int32(r.IntN(2)), StartedAt: randomTime(r, now), FinishedAt: randomTime(r, now)}
}

func randomTime(r *rand.Rand, now time.Time) time.Time {
	if r.IntN(2) == 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(r.IntN(200)-150) * time.Second)
}

// TestRandomPods fills pods at random, field by field, and translates them for
// every cloud: no panic, the same answer twice, nothing changed.
func TestRandomPods(t *testing.T) {
	taken := 0
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 2))
		pod := simplePod()
		// From nearly empty pods, some of which are taken, to full ones.
		fill(r, reflect.ValueOf(&pod.Spec).Elem(), 1+int(seed%40), 0)
		pod.Labels, pod.Annotations = map[string]string{"a": "b"}, map[string]string{"c": "d\n"}
		refs, before := everything(pod), pod.DeepCopy()
		for _, limits := range []cloudapi.Limits{eciLimits(), kciLimits(), kciSeedLimits(), {}} {
			o := options(limits)
			o.Hostname = []translate.HostnamePolicy{"", translate.HostnameEmulate}[seed%2]
			o.SecurityContext = []translate.SecurityContextPolicy{"", translate.SecurityContextReport}[seed%2]
			spec, report, err := translate.Group(pod, refs, o)
			again, reportAgain, errAgain := translate.Group(pod, refs, o)
			if !reflect.DeepEqual(spec, again) || !reflect.DeepEqual(report, reportAgain) || text(err) != text(errAgain) {
				t.Fatalf("seed %d: a second run differs:\n%s%s%s", seed, cmp.Diff(spec, again), cmp.Diff(report, reportAgain), cmp.Diff(text(err), text(errAgain)))
			}
			if err == nil {
				taken++
			}
		}
		if !reflect.DeepEqual(before, pod) {
			t.Fatalf("seed %d: the pod was changed:\n%s", seed, cmp.Diff(before, pod))
		}
	}
	if taken < 20 {
		t.Errorf("only %d of 2000 pods were taken: the pods are too wild to test anything", taken)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

var (
	quantityType = reflect.TypeFor[resource.Quantity]()
	portType     = reflect.TypeFor[intstr.IntOrString]()
	selectorType = reflect.TypeFor[metav1.LabelSelector]()
)

// fill sets each field with a chance of density percent.
func fill(r *rand.Rand, v reflect.Value, density, depth int) {
	words := []string{"a", "app", "key", "color", "/etc/x", "a/b", "../x", "$(A)", "Memory", "metadata.name", "status.podIP", "limits.cpu", "SCTP", "TCP", "Never", "420", "x.example.com/y", "RuntimeDefault", "ALL", "CHOWN", "NET_ADMIN"}
	switch {
	case v.Type() == quantityType:
		v.Set(reflect.ValueOf(resource.MustParse([]string{"0", "1", "100m", "1Gi", "9999999999", "-1", "1n"}[r.IntN(7)])))
	case v.Type() == portType:
		v.Set(reflect.ValueOf([]intstr.IntOrString{intstr.FromInt32(80), intstr.FromString("a")}[r.IntN(2)]))
	case v.Type() == selectorType || !v.CanSet() || depth > 12:
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if r.IntN(100) < density || v.Type().Field(i).Anonymous || v.Type().Field(i).Name == "Name" {
				fill(r, v.Field(i), density, depth+1)
			}
		}
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem(), density, depth+1)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		v.Set(reflect.MakeSlice(v.Type(), 1+r.IntN(3), 3))
		for i := range v.Len() {
			fill(r, v.Index(i), density, depth+1)
		}
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		keys := []string{"cpu", "memory", "nvidia.com/gpu", "ephemeral-storage", "other"}
		for range r.IntN(4) {
			value := reflect.New(v.Type().Elem()).Elem()
			fill(r, value, density, depth+1)
			v.SetMapIndex(reflect.ValueOf(keys[r.IntN(len(keys))]).Convert(v.Type().Key()), value)
		}
	case v.Kind() == reflect.String:
		v.SetString(words[r.IntN(len(words))])
	case v.Kind() == reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case v.CanInt():
		v.SetInt(int64(r.IntN(5)))
	}
}
