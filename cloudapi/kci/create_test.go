package kci

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cumulet/cumulet/cloudapi"
)

const created = `{"RequestId":"r","ContainerGroupId":"g-1"}`

func pageOf(groups ...string) string {
	return fmt.Sprintf(`{"RequestId":"r","Marker":0,"TotalCount":%d,"ContainerGroups":[%s]}`, len(groups), strings.Join(groups, ","))
}

func aGroup(id, name, status, at string) string {
	return fmt.Sprintf(`{"ContainerGroupId":%q,"ContainerGroupName":%q,"Status":%q,"CreateTime":%q,"Events":[]}`, id, name, status, at)
}

func TestCreate(t *testing.T) {
	search := map[string]string{"Search": specName, "MaxResults": "100", "Marker": "0"}
	again := cloudapi.CreateOptions{MayExist: true}
	cases := map[string]struct {
		opts  cloudapi.CreateOptions
		steps []step
		want  string
	}{
		"AtOnce": {steps: []step{{actionCreate, map[string]string{"ContainerGroupName": specName}, answers(200, created)}}, want: "g-1"},
		"ThroughThrottling": {steps: []step{
			{actionCreate, nil, refuses(409, "LimitExceeded", "slow")},
			{actionCreate, nil, refuses(409, "LimitExceeded", "slow")},
			{actionCreate, nil, answers(200, created)},
		}, want: "g-1"},
		"FoundByName": {again, []step{{actionDescribe, search, answers(200, pageOf(
			aGroup("g-other", specName+"x", "Running", ""), aGroup("g-7", specName, "Running", "")))}}, "g-7"},
		"FoundEnded": {again, []step{{actionDescribe, search, answers(200, pageOf(aGroup("g-7", specName, "Failed", "")))}}, "g-7"},
		"FoundSeveral": {again, []step{{actionDescribe, search, answers(200, pageOf(
			aGroup("g-ended", specName, "Failed", "2026-03-01 01:00:00"),
			aGroup("g-younger", specName, "Running", "2026-03-01 03:00:00"),
			aGroup("g-older", specName, "Pending", "2026-03-01 02:00:00")))}}, "g-older"},
		"FoundNone": {again, []step{
			{actionDescribe, search, answers(200, pageOf(aGroup("g-other", specName+"x", "Running", "")))},
			{actionCreate, nil, answers(200, created)},
		}, "g-1"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			id, err := connect(t, script(t, tc.steps...)).Create(t.Context(), plainSpec(), tc.opts)
			if err != nil || id != tc.want {
				t.Errorf("got %q and error %v, want %q", id, err, tc.want)
			}
		})
	}
}

// A create whose outcome is open is told so and never repeated here.
func TestCreateWithOpenOutcome(t *testing.T) {
	cases := map[string]http.HandlerFunc{
		"HungUp":      hangUp,
		"Timeout":     refuses(500, "ServiceTimeout", "time out"),
		"Exception":   refuses(500, "ServiceUnavailable", "Exception x"),
		"BadGateway":  answers(502, "<html></html>"),
		"Truncated":   answers(200, `{"RequestId":"r","ContainerGro`),
		"NoID":        answers(200, `{"RequestId":"r"}`),
		"HTML":        answers(200, "<html></html>"),
		"ErrorIn200":  answers(200, `{"RequestId":"r","Error":{"Code":"Mystery","Message":"m"}}`),
		"OldErrorOld": answers(200, `{"RequestId":"r","code":500,"message":"m"}`),
	}
	for name, fault := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := connect(t, script(t, step{action: actionCreate, do: fault})).Create(t.Context(), plainSpec(), cloudapi.CreateOptions{})
			var e *cloudapi.Error
			if !errors.As(err, &e) || !e.Uncertain || e.Op != "CreateContainerGroup" || cloudapi.Terminal(err) {
				t.Errorf("error %v, want an uncertain one", err)
			}
		})
	}
}

func TestCreateRefusedForSure(t *testing.T) {
	fault := refuses(400, "InvalidParameterValue", "input parameter Container.1.Image.")
	_, err := connect(t, script(t, step{action: actionCreate, do: fault})).Create(t.Context(), plainSpec(), cloudapi.CreateOptions{})
	var e *cloudapi.Error
	if !errors.As(err, &e) || e.Uncertain || !cloudapi.Terminal(err) || e.RequestID != "req-err" {
		t.Errorf("error %v, want a sure and terminal one", err)
	}
}

// While the look-up fails, the earlier create's outcome stays open.
func TestCreateLookUpFails(t *testing.T) {
	server := script(t, step{action: actionDescribe, do: refuses(403, "AccessDenied", "no")})
	_, err := connect(t, server).Create(t.Context(), plainSpec(), cloudapi.CreateOptions{MayExist: true})
	var e *cloudapi.Error
	if !errors.As(err, &e) || !e.Uncertain || e.Code != cloudapi.CodeForbidden {
		t.Errorf("error %v, want Forbidden and uncertain", err)
	}
}

// The answer is lost after the group was made: asked again, it is found, and
// there is one group.
func TestCreateIsFoundAgain(t *testing.T) {
	faults := map[string]http.HandlerFunc{
		"AnswerLost":       hangUp,
		"FailureAfterward": refuses(500, "ServiceTimeout", "time out"),
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var made []string
			server := serve(t, func(w http.ResponseWriter, r *http.Request, form url.Values) {
				mu.Lock()
				defer mu.Unlock()
				switch form.Get("Action") {
				case actionCreate:
					made = append(made, aGroup(fmt.Sprintf("g-%d", len(made)+1), form.Get("ContainerGroupName"), "Scheduling", ""))
					fault(w, r)
				case actionDescribe:
					answers(200, pageOf(made...))(w, r)
				}
			})
			client := connect(t, server)
			_, err := client.Create(t.Context(), plainSpec(), cloudapi.CreateOptions{})
			var e *cloudapi.Error
			if !errors.As(err, &e) || !e.Uncertain {
				t.Fatalf("error %v, want an uncertain one", err)
			}
			id, err := client.Create(t.Context(), plainSpec(), cloudapi.CreateOptions{MayExist: true})
			mu.Lock()
			defer mu.Unlock()
			if err != nil || id != "g-1" || len(made) != 1 {
				t.Errorf("got %q, error %v and %d groups; want g-1 alone", id, err, len(made))
			}
		})
	}
}

// Whatever the cloud quotes, no secret of the request gets into an error.
func TestCreateErrorsHoldNoSecrets(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request, form url.Values) {
		quoted := []string{r.Header.Get("X-Ksc-Security-Token")}
		for _, name := range []string{
			"Container.1.EnvironmentVar.3.Value", "ImageRegistryCredential.1.Password",
			"Volume.1.ConfigFileVolume.ConfigFileToPath.1.Content",
		} {
			quoted = append(quoted, name+"="+form.Get(name))
		}
		refuses(400, "InvalidParameterValue", strings.Join(quoted, " "))(w, r)
	})
	client := connect(t, server, withKeys("AK"))
	_, err := client.Create(t.Context(), plainSpec(), cloudapi.CreateOptions{})
	want := "CreateContainerGroup: Invalid: InvalidParameterValue: … Container.1.EnvironmentVar.3.Value=… " +
		"ImageRegistryCredential.1.Password=… Volume.1.ConfigFileVolume.ConfigFileToPath.1.Content=… (request req-err)"
	if got := errorText(err); got != want {
		t.Errorf("error %s, want %s", got, want)
	}
}

// A group that was made may not show yet: until it must, none is made again.
func TestCreateWaitsForALateGroup(t *testing.T) {
	hidden := step{action: actionDescribe, do: answers(200, emptyPage)}
	clock := clocktesting.NewFakeClock(now)
	client := connect(t, script(t,
		step{action: actionCreate, do: hangUp}, hidden, hidden, hidden, step{action: actionCreate, do: answers(200, created)},
	), func(o *Options) { o.Clock, o.Consistency = clock, 10*time.Second })
	again := cloudapi.CreateOptions{MayExist: true}

	_, err := client.Create(t.Context(), plainSpec(), cloudapi.CreateOptions{})
	isOpen(t, err, 0)
	clock.Step(4 * time.Second)
	_, err = client.Create(t.Context(), plainSpec(), again)
	isOpen(t, err, 6*time.Second)
	clock.Step(5 * time.Second)
	_, err = client.Create(t.Context(), plainSpec(), again)
	isOpen(t, err, time.Second)
	clock.Step(time.Second)
	if id, err := client.Create(t.Context(), plainSpec(), again); err != nil || id != "g-1" {
		t.Errorf("got %q and error %v, want g-1", id, err)
	}
}

func isOpen(t *testing.T, err error, after time.Duration) {
	t.Helper()
	var e *cloudapi.Error
	if !errors.As(err, &e) || !e.Uncertain || e.RetryAfter != after {
		t.Errorf("error %v, want an uncertain one with %s to wait", err, after)
	}
}

// Other names, and names whose create has a known outcome, need not wait.
func TestOpenCreates(t *testing.T) {
	clock := clocktesting.NewFakeClock(now)
	open := newOpenCreates(clock, 10*time.Second)
	open.note("a")
	open.note("b")
	open.settle("b")
	for name, want := range map[string]bool{"a": true, "b": false, "c": false} {
		if got := open.wait(name) != nil; got != want {
			t.Errorf("%s waits: %v, want %v", name, got, want)
		}
	}
	clock.Step(10 * time.Second)
	open.note("d")
	if len(open.ended) != 1 {
		t.Errorf("%d names are remembered, want d alone", len(open.ended))
	}
}
