package provider

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/internal/fakecloud"
)

// tokens are the idempotency tokens of the creates so far.
func (h *harness) tokens() []string {
	var list []string
	for _, c := range h.cloud.Calls(fakecloud.OpCreate) {
		list = append(list, c.Create.Token)
	}
	return list
}

func cloudErr(code cloudapi.Code, uncertain bool) error {
	return &cloudapi.Error{Op: "Create", Code: code, Message: "as the test says", Uncertain: uncertain}
}

func TestCreate(t *testing.T) {
	for name, s := range map[string][]setup{"with tags": nil, "without tags": {withoutTags}} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				id := h.running("web")
				h.cloud.Finish(id, 0)
				h.phase("web", corev1.PodSucceeded)
				pod := h.api.pod("web")
				if got, want := pod.Status.ContainerStatuses[0].ContainerID, "test://"+id+"/main"; got != want {
					t.Errorf("container id %q, want %q", got, want)
				}
				if pod.Status.PodIP != "10.0.0.1" || pod.Status.HostIP != "192.0.2.1" {
					t.Errorf("pod IP %q, host IP %q", pod.Status.PodIP, pod.Status.HostIP)
				}
				writes := h.api.statusWrites()
				h.wait(10 * time.Minute)
				if diff := cmp.Diff([]string{"uid-web"}, h.tokens()); diff != "" {
					t.Errorf("tokens (-want +got):\n%s", diff)
				}
				if n := h.api.statusWrites(); n != writes {
					t.Errorf("%d writes although nothing changed: %s", n-writes, h.api.writes[writes:])
				}
				if r, _ := h.p.store.get("uid-web"); r.spec != nil {
					t.Error("the specification is still in memory")
				}
			}, s...)
		})
	}
}

func TestRefusedPod(t *testing.T) {
	run(t, func(h *harness) {
		h.create("web", func(p *corev1.Pod) {
			p.Spec.HostNetwork = true
			p.Spec.HostPID = true
		})
		h.phase("web", corev1.PodFailed)
		h.wait(time.Minute)
		pod := h.api.pod("web")
		if pod.Status.Reason != "UnsupportedPodSpec" {
			t.Errorf("reason %q", pod.Status.Reason)
		}
		for _, field := range []string{"spec.hostNetwork", "spec.hostPID"} {
			if !strings.Contains(pod.Status.Message, field) {
				t.Errorf("message %q does not name %s", pod.Status.Message, field)
			}
		}
		events := h.events.all()
		if len(events) != 1 || !strings.Contains(events[0], "spec.hostNetwork") || !strings.Contains(events[0], "spec.hostPID") {
			t.Errorf("events %q, want one with both fields", events)
		}
		if n := h.cloud.Count(fakecloud.OpCreate); n != 0 {
			t.Errorf("%d creates", n)
		}
		if n := h.api.statusWrites(); n != 1 {
			t.Errorf("%d status writes, want 1", n)
		}
	})
}

func envFromConfigMap(p *corev1.Pod) {
	p.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: "settings"},
	}}}
}

func (h *harness) createConfigMap() {
	h.t.Helper()
	_, err := h.kube.CoreV1().ConfigMaps(testNamespace).Create(h.t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "settings", Namespace: testNamespace}, Data: map[string]string{"COLOUR": "blue"},
	}, metav1.CreateOptions{})
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestMissingReference(t *testing.T) {
	run(t, func(h *harness) {
		h.create("web", envFromConfigMap)
		const message = `configmap "settings" not found`
		h.until(10*time.Second, "waiting in the kubelet's words", func() bool {
			statuses := h.api.pod("web").Status.ContainerStatuses
			return len(statuses) == 1 && cmp.Equal(statuses[0].State.Waiting,
				&corev1.ContainerStateWaiting{Reason: "CreateContainerConfigError", Message: message})
		})
		h.wait(time.Minute)
		if n := h.api.statusWrites(); n != 1 {
			t.Errorf("%d status writes while waiting, want 1", n)
		}
		if len(h.events.with("Warning Failed: "+message)) == 0 {
			t.Errorf("events %q do not say it", h.events.all())
		}
		h.createConfigMap()
		h.wait(time.Second) // at once, not with the next pause
		calls := h.cloud.Calls(fakecloud.OpCreate)
		if len(calls) != 1 {
			t.Fatalf("%d creates, want 1; log:\n%s", len(calls), h.log)
		}
		want := []cloudapi.EnvVar{{Name: "COLOUR", Value: "blue"}}
		if diff := cmp.Diff(want, calls[0].Spec.Containers[0].Env); diff != "" {
			t.Errorf("environment (-want +got):\n%s", diff)
		}
		h.p.refs.configMaps.mu.Lock()
		defer h.p.refs.configMaps.mu.Unlock()
		if n := len(h.p.refs.configMaps.watched); n != 0 {
			t.Errorf("%d ConfigMaps are watched although the group was made", n)
		}
	})
}

func TestMissingVolume(t *testing.T) {
	run(t, func(h *harness) {
		h.create("web", func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "files", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "keys"}}}}
			p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "files", MountPath: "/keys"}}
		})
		h.until(10*time.Second, "an event FailedMount", func() bool { return len(h.events.with("Warning FailedMount: ")) > 0 })
		if got := h.api.pod("web").Status.ContainerStatuses[0].State.Waiting.Reason; got != "ContainerCreating" {
			t.Errorf("waiting reason %q", got)
		}
		h.api.end("web", 0)
		h.nothingLeft()
	})
}

func TestDeletedWhileWaiting(t *testing.T) {
	run(t, func(h *harness) {
		h.create("web", envFromConfigMap)
		h.wait(7 * time.Second)
		h.api.end("web", 30)
		h.goneFromAPI(5*time.Second, "web")
		h.createConfigMap()
		h.nothingLeft()
		if n := h.cloud.Count(fakecloud.OpCreate); n != 0 {
			t.Errorf("%d creates", n)
		}
	})
}

// TestForbiddenAtFirst: the API server's authorizer learns of a pod a little
// later than the node.
func TestForbiddenAtFirst(t *testing.T) {
	run(t, func(h *harness) {
		forbid := map[string]int{"serviceaccounts": 3, "configmaps": 4}
		for resource, verb := range map[string]string{"serviceaccounts": "create", "configmaps": "list"} {
			h.kube.PrependReactor(verb, resource, func(k8stesting.Action) (bool, runtime.Object, error) {
				if forbid[resource]--; forbid[resource] >= 0 {
					return true, nil, apierrors.NewForbidden(corev1.Resource(resource), "", errors.New("no relationship found"))
				}
				if resource == "serviceaccounts" {
					return true, &authenticationv1.TokenRequest{Status: authenticationv1.TokenRequestStatus{Token: "abc"}}, nil
				}
				return false, nil, nil
			})
		}
		h.createConfigMap()
		h.create("web", envFromConfigMap, func(p *corev1.Pod) {
			p.Spec.ServiceAccountName = "default"
			p.Spec.Volumes = []corev1.Volume{{Name: "token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
				Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: ptr.To[int64](3600)}}},
			}}}}
			p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "token", MountPath: "/var/run/token"}}
		})
		h.wait(1500 * time.Millisecond)
		if n := h.cloud.Count(fakecloud.OpCreate); n != 1 {
			t.Errorf("%d creates after 1.5 s, want 1", n)
		}
		if log := h.log.String(); strings.Contains(log, "forbidden") || strings.Contains(log, "Error") {
			t.Errorf("the race is logged:\n%s", log)
		}
	})
}

func TestForbiddenForGood(t *testing.T) {
	run(t, func(h *harness) {
		h.kube.PrependReactor("list", "configmaps", func(k8stesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(corev1.Resource("configmaps"), "settings", errors.New("no rule"))
		})
		h.create("web", envFromConfigMap)
		h.until(2*time.Minute, "the reason is logged", func() bool { return strings.Contains(h.log.String(), "no rule") })
		if n := h.cloud.Count(fakecloud.OpCreate); n != 0 {
			t.Errorf("%d creates", n)
		}
	})
}

func TestAnswerLost(t *testing.T) {
	for name, s := range map[string][]setup{"with tags": nil, "without tags": {withoutTags}} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				lost := fakecloud.Fault{After: cloudErr(cloudapi.CodeUnavailable, true)}
				h.cloud.Fail(fakecloud.OpCreate, lost, lost)
				// Until a list shows the group only the repetition can find it.
				h.cloud.FailAll(fakecloud.OpList, func(fakecloud.Call) fakecloud.Fault {
					return fakecloud.Fault{Before: cloudErr(cloudapi.CodeUnavailable, false)}
				})
				h.create("web")
				h.until(time.Minute, "settled", func() bool {
					r, _ := h.p.store.get("uid-web")
					return r.groupID != ""
				})
				calls := h.cloud.Calls(fakecloud.OpCreate)
				if len(calls) != 3 {
					t.Fatalf("%d creates, want 3", len(calls))
				}
				for i, c := range calls {
					if c.Create.Token != "uid-web" || c.Create.MayExist != (i > 0) {
						t.Errorf("create %d: %+v", i, c.Create)
					}
					if diff := cmp.Diff(calls[0].Spec, c.Spec); diff != "" {
						t.Errorf("create %d asks for something else:\n%s", i, diff)
					}
				}
				if ids := h.groups("uid-web"); len(ids) != 1 {
					t.Errorf("groups %v, want one", ids)
				}
			}, s...)
		})
	}
}

// TestRepetitionFails: a repetition that surely failed says nothing of the
// first attempt, whose answer was lost.
func TestRepetitionFails(t *testing.T) {
	for name, code := range map[string]cloudapi.Code{"throttled": cloudapi.CodeThrottled, "out of stock": cloudapi.CodeOutOfStock, "quota": cloudapi.CodeQuota} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				h.cloud.Fail(fakecloud.OpCreate,
					fakecloud.Fault{After: cloudErr(cloudapi.CodeUnavailable, true)}, fakecloud.Fault{Before: cloudErr(code, false)})
				h.cloud.FailAll(fakecloud.OpList, func(fakecloud.Call) fakecloud.Fault {
					return fakecloud.Fault{Before: cloudErr(cloudapi.CodeUnavailable, false)}
				})
				h.create("web")
				h.until(3*time.Minute, "settled", func() bool {
					r, _ := h.p.store.get("uid-web")
					return r.groupID != ""
				})
				if diff := cmp.Diff([]string{"uid-web", "uid-web", "uid-web"}, h.tokens()); diff != "" {
					t.Errorf("tokens (-want +got):\n%s", diff)
				}
				if ids := h.groups("uid-web"); len(ids) != 1 {
					t.Errorf("groups %v, want one", ids)
				}
			})
		})
	}
}

func TestNoID(t *testing.T) {
	run(t, func(h *harness) {
		h.cloud.Fail(fakecloud.OpCreate, fakecloud.Fault{After: errNoID})
		h.create("web")
		h.wait(time.Minute)
		h.group("uid-web")
	})
}

func TestDefiniteFailure(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		err    *cloudapi.Error
		after  time.Duration // the earliest second attempt
	}{
		"throttled":   {"the queue's own back-off", &cloudapi.Error{Op: "Create", Code: cloudapi.CodeThrottled}, 500 * time.Millisecond},
		"retry after": {"the cloud's wish", &cloudapi.Error{Op: "Create", Code: cloudapi.CodeThrottled, RetryAfter: 7 * time.Second}, 7 * time.Second},
		"no stock":    {"stock does not return in seconds", &cloudapi.Error{Op: "Create", Code: cloudapi.CodeOutOfStock}, 30 * time.Second},
		"no quota":    {"somebody must act", &cloudapi.Error{Op: "Create", Code: cloudapi.CodeQuota}, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				h.cloud.Fail(fakecloud.OpCreate, fakecloud.Fault{Before: c.err})
				h.create("web")
				h.wait(c.after - 100*time.Millisecond)
				if diff := cmp.Diff([]string{"uid-web"}, h.tokens()); diff != "" {
					t.Errorf("%s: tokens before %v (-want +got):\n%s", c.reason, c.after, diff)
				}
				h.wait(time.Second)
				if diff := cmp.Diff([]string{"uid-web", "uid-web-1"}, h.tokens()); diff != "" {
					t.Errorf("%s: tokens after %v (-want +got):\n%s", c.reason, c.after, diff)
				}
				if pod := h.api.pod("web"); pod.Status.Phase != corev1.PodPending {
					t.Errorf("phase %s", pod.Status.Phase)
				}
				want := []string{"Warning FailedCreatePodSandBox: Failed to create container group: Create: " + string(c.err.Code)}
				if diff := cmp.Diff(want, h.events.with("FailedCreatePodSandBox")); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
				h.group("uid-web")
			})
		})
	}
}

func TestThrottlingStorm(t *testing.T) {
	run(t, func(h *harness) {
		throttle := func(fakecloud.Call) fakecloud.Fault {
			return fakecloud.Fault{Before: &cloudapi.Error{Op: "Create", Code: cloudapi.CodeThrottled, RetryAfter: 100 * time.Millisecond}}
		}
		h.cloud.FailAll(fakecloud.OpCreate, throttle)
		const pods = 20
		for i := range pods {
			h.create("web-" + string(rune('a'+i)))
		}
		h.wait(30 * time.Minute)
		before := h.cloud.Count(fakecloud.OpCreate)
		h.wait(30 * time.Minute)
		if rate := float64(h.cloud.Count(fakecloud.OpCreate)-before) / 1800; rate >= 1 {
			t.Errorf("%.2f creates a second after an hour of throttling", rate)
		}
		h.cloud.FailAll(fakecloud.OpCreate, nil)
		h.wait(createRetries + time.Second)
		if n := len(h.cloud.Groups()); n != pods {
			t.Errorf("%d groups after the storm, want %d", n, pods)
		}
	})
}

func TestRejectedByCloud(t *testing.T) {
	run(t, func(h *harness) {
		h.cloud.Fail(fakecloud.OpCreate, fakecloud.Fault{Before: &cloudapi.Error{
			Op: "Create", Code: cloudapi.CodeInvalid, VendorCode: "InvalidParameter", Message: "cpu", RequestID: "r-1",
		}})
		h.create("web")
		h.phase("web", corev1.PodFailed)
		h.wait(10 * time.Minute)
		status := h.api.pod("web").Status
		if status.Reason != reasonRejected || status.Message != "Create: Invalid: InvalidParameter: cpu" {
			t.Errorf("reason %q, message %q", status.Reason, status.Message)
		}
		if n := h.cloud.Count(fakecloud.OpCreate); n != 1 {
			t.Errorf("%d creates, want 1", n)
		}
	})
}
