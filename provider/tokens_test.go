package provider

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"

	"github.com/cumulet/cumulet/internal/fakecloud"
)

// issuer answers token requests with token-1, token-2 and so on.
func (h *harness) issuer() *atomic.Int32 {
	n := &atomic.Int32{}
	h.kube.PrependReactor("create", "serviceaccounts", func(a k8stesting.Action) (bool, runtime.Object, error) {
		request, ok := a.(k8stesting.CreateActionImpl).GetObject().(*authenticationv1.TokenRequest)
		if !ok {
			return false, nil, nil
		}
		number := n.Add(1)
		life := time.Duration(*request.Spec.ExpirationSeconds) * time.Second
		request.Status = authenticationv1.TokenRequestStatus{
			Token: fmt.Sprintf("token-%d", number), ExpirationTimestamp: metav1.NewTime(time.Now().Add(life)),
		}
		return true, request, nil
	})
	return n
}

func withToken(seconds int64) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		mounted(corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: &seconds}},
		}}})(p)
		p.Spec.ServiceAccountName = "robot"
	}
}

// TestTokenRenewed: at four fifths of its life, some seconds earlier, and every
// day at least.
func TestTokenRenewed(t *testing.T) {
	for name, c := range map[string]struct {
		seconds       int64
		before, after time.Duration
		more          int // lives that are watched
	}{
		"TenMinutes": {600, 469 * time.Second, 481 * time.Second, 20},
		"OneHour":    {3607, 2874 * time.Second, 2887 * time.Second, 2},
		"TwoDays":    {172800, 24*time.Hour - 11*time.Second, 24*time.Hour + time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				sh, issued := h.shell(), h.issuer()
				begun := time.Now()
				h.running("web", withToken(c.seconds))
				h.wait(c.before - time.Since(begun))
				if issued.Load() != 1 || len(sh.given()) != 0 {
					t.Fatalf("%d tokens after %v", issued.Load(), time.Since(begun))
				}
				h.wait(c.after + time.Second - time.Since(begun))
				if s := sh.given(); issued.Load() != 2 || len(s) != 1 || !strings.Contains(s[0], `printf 'token\0552'`) {
					t.Fatalf("%d tokens, scripts %q", issued.Load(), s)
				}
				h.wait(time.Duration(c.more) * c.after)
				if n := len(sh.given()); n < c.more+1 || n > c.more+2 {
					t.Errorf("%d renewals in %d lives", n, c.more+1)
				}
				if c := h.filesCurrent("web"); c != "" {
					t.Errorf("condition %q for renewals that went well", c)
				}
			})
		})
	}
}

// TestTokenRenewalFails: the old token is good for a fifth of its life, in which
// the new one is asked for again and again.
func TestTokenRenewalFails(t *testing.T) {
	run(t, func(h *harness) {
		sh, issued := h.shell(), h.issuer()
		var failing atomic.Bool
		h.kube.PrependReactor("create", "serviceaccounts", func(k8stesting.Action) (bool, runtime.Object, error) {
			return failing.Load(), nil, fmt.Errorf("the API server is away")
		})
		h.running("web", withToken(600))
		failing.Store(true)
		h.wait(540 * time.Second)
		if n := len(sh.given()); n != 0 {
			t.Errorf("%d scripts without a new token", n)
		}
		if c := h.filesCurrent("web"); c != "" {
			t.Errorf("condition %q while the old token is good", c)
		}
		h.wait(100 * time.Second)
		want := `False FilesOutdated: config keeps its old files: MountVolume.SetUp failed for volume "config" : ` +
			`failed to fetch token: service account "robot"`
		if diff := cmp.Diff(want, h.filesCurrent("web")); diff != "" {
			t.Errorf("condition when it is not (-want +got):\n%s", diff)
		}
		failing.Store(false)
		h.wait(15 * time.Second)
		if n := len(sh.given()); n != 1 || issued.Load() != 2 {
			t.Errorf("%d scripts, %d tokens when it is back", n, issued.Load())
		}
		if c := h.filesCurrent("web"); !strings.HasPrefix(c, "True") {
			t.Errorf("condition %q in the end", c)
		}
	})
}

// TestTokenAfterRestart: nobody knows how old the token in the group is.
func TestTokenAfterRestart(t *testing.T) {
	run(t, func(h *harness) {
		sh, issued := h.shell(), h.issuer()
		h.running("web", withToken(600))
		h.restart()
		h.wait(20 * time.Second)
		if issued.Load() != 2 || len(sh.given()) != 1 {
			t.Errorf("%d tokens, %d scripts after the restart", issued.Load(), len(sh.given()))
		}
		h.wait(500 * time.Second)
		if issued.Load() != 3 || len(sh.given()) != 2 {
			t.Errorf("%d tokens, %d scripts when that one is due", issued.Load(), len(sh.given()))
		}
	})
}

// TestTokenWhileWaiting: a pod that waits for something else looks every few
// seconds; its token is good meanwhile.
func TestTokenWhileWaiting(t *testing.T) {
	run(t, func(h *harness) {
		issued := h.issuer()
		h.create("web", withToken(3600), envFromConfigMap)
		h.wait(10 * time.Minute)
		if n := issued.Load(); n != 1 {
			t.Errorf("%d tokens in ten minutes of waiting, want 1", n)
		}
		h.wait(50 * time.Minute) // it would expire in the group
		if n := issued.Load(); n != 2 {
			t.Errorf("%d tokens in an hour, want 2", n)
		}
		h.createConfigMap()
		h.group("uid-web")
		if calls := h.cloud.Calls(fakecloud.OpCreate); string(calls[0].Spec.Volumes[0].Files.Items[0].Content) != "token-2" {
			t.Errorf("volumes %+v", calls[0].Spec.Volumes)
		}
	})
}

// TestTokenOfTwoVolumes: what is the same token is requested once.
func TestTokenOfTwoVolumes(t *testing.T) {
	run(t, func(h *harness) {
		sh, issued := h.shell(), h.issuer()
		h.running("web", withToken(600), func(p *corev1.Pod) {
			p.Spec.Volumes = append(p.Spec.Volumes, *p.Spec.Volumes[0].DeepCopy())
			p.Spec.Volumes[1].Name = "again"
			p.Spec.Containers[0].VolumeMounts = append(p.Spec.Containers[0].VolumeMounts, corev1.VolumeMount{Name: "again", MountPath: "/again"})
		})
		h.wait(490 * time.Second)
		if s := sh.given(); issued.Load() != 2 || len(s) != 2 || !strings.Contains(s[0], "2'") || !strings.Contains(s[1], "2'") {
			t.Errorf("%d tokens, scripts %q", issued.Load(), s)
		}
	})
}

// TestTokenRefused: why a pod does not get its token is told on the pod.
func TestTokenRefused(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		err    error
		want   string
	}{
		"Forbidden": {"for longer than the authorizer may take", apierrors.NewForbidden(corev1.Resource("serviceaccounts/token"), "robot", errors.New("no rule")),
			`serviceaccounts/token "robot" is forbidden: no rule`},
		"Internal": {"the API server fails", apierrors.NewInternalError(errors.New("no signer")), "Internal error occurred: no signer"},
		"TooMany":  {"it has too much to do", apierrors.NewTooManyRequests("later", 1), "later"},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(h *harness) {
				var failing atomic.Bool
				failing.Store(true)
				issued := h.issuer()
				h.kube.PrependReactor("create", "serviceaccounts", func(k8stesting.Action) (bool, runtime.Object, error) {
					return failing.Load(), nil, c.err
				})
				h.create("web", withToken(600))
				want := "Warning FailedSync: error syncing pod: requesting token of service account shop/robot: " + c.want
				h.until(20*time.Second, "told", func() bool { return len(h.events.with(want)) > 0 })
				h.wait(time.Second)
				pod := h.api.pod("web")
				if s := pod.Status; s.Phase != corev1.PodPending || len(s.ContainerStatuses) != 1 || s.ContainerStatuses[0].State.Waiting.Reason != "ContainerCreating" {
					t.Errorf("%s: status %+v, events %q", c.reason, s, h.events.all())
				}
				failing.Store(false)
				h.wait(createRetries)
				h.group("uid-web")
				if n := issued.Load(); n != 1 {
					t.Errorf("%d tokens", n)
				}
			})
		})
	}
}
