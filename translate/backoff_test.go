package translate_test

import (
	"testing"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

func TestNamesPod(t *testing.T) {
	const own = "web_shop(0b6f3c1e-5a52-4c0f-9d8e-3f6a1b2c3d4e)"
	for name, tc := range map[string]struct{ reason, message, want string }{
		"State": {"a kubelet's message names its own pod", "back-off 40s restarting failed container=app pod=g-1_default(eci-1)",
			"back-off 40s restarting failed container=app pod=" + own},
		"Event": {"so does its event", "Back-off restarting failed container app in pod g-1_default(eci-1)",
			"Back-off restarting failed container app in pod " + own},
		"Other":   {"what else is said is the cloud's", "no room in pod g-1_default(eci-1)", "no room in pod g-1_default(eci-1)"},
		"More":    {"nor is what cannot be told apart", "restarting failed container=app pod=a b", "restarting failed container=app pod=a b"},
		"Nothing": {"nothing is said", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := translate.NamesPod(simplePod(), tc.message); got != tc.want {
				t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
	group := &cloudapi.Group{ID: "g", Status: cloudapi.StatusRunning, Containers: []cloudapi.ContainerState{{
		Name: "app", Current: cloudapi.RunState{
			Kind: cloudapi.RunWaiting, Reason: "CrashLoopBackOff", Message: "back-off 10s restarting failed container=app pod=g-1_default(eci-1)",
		},
	}}}
	status := translate.Status(simplePod(), group, second(10), translate.StatusOptions{Provider: "eci"})
	if got, want := status.ContainerStatuses[0].State.Waiting.Message, "back-off 10s restarting failed container=app pod="+own; got != want {
		t.Errorf("in the status: %q, want %q", got, want)
	}
}
