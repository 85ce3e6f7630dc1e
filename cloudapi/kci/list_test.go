package kci

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

// Search is fuzzy: what does not start with the owner's mark is not ours.
func TestListKeepsToItsOwner(t *testing.T) {
	const uid = "0c9f7b1e-6a53-4d0e-9a77-2f1f0e6c1a01"
	server := script(t, step{actionDescribe, map[string]string{"Search": "k5xs2mnbq7.", "MaxResults": "100", "Marker": "0"},
		answers(200, pageOf(
			aGroup("g-1", "k5xs2mnbq7."+uid+".web-0", "Running", "2026-03-01 20:00:00"),
			aGroup("g-2", "x-k5xs2mnbq7.foreign", "Running", ""),
			aGroup("g-3", "k5xs2mnbq7x."+uid, "Running", ""),
		))})
	got, err := connect(t, server).List(t.Context(), ours)
	if err != nil {
		t.Fatal(err)
	}
	group := &cloudapi.Group{
		ID: "g-1", Name: "k5xs2mnbq7." + uid + ".web-0",
		Identity: cloudapi.Identity{Cluster: "c-uid", Node: "vn", PodUID: uid, PodName: "web-0"},
		Status:   cloudapi.StatusRunning, RawStatus: "Running", CreatedAt: utc("2026-03-01T12:00:00Z"),
	}
	want := []cloudapi.Summary{{ID: group.ID, Name: group.Name, Status: group.Status, Revision: got[0].Revision, Group: group}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summaries (-want +got):\n%s", diff)
	}
	if got[0].Revision == "" {
		t.Error("the revision is empty")
	}
}

func TestListNeedsAPrefix(t *testing.T) {
	_, err := connect(t, script(t)).List(t.Context(), cloudapi.Owner{Cluster: "c", Node: "n"})
	if !cloudapi.Is(err, cloudapi.CodeInvalid) {
		t.Errorf("error %v, want Invalid", err)
	}
}

// A page that fails voids the whole answer.
func TestListIsWholeOrAnError(t *testing.T) {
	var first []string
	for _, name := range numbered(100) {
		first = append(first, aGroup("i"+name, name, "Running", ""))
	}
	body := fmt.Sprintf(`{"Marker":100,"TotalCount":150,"ContainerGroups":[%s]}`, strings.Join(first, ","))
	server := script(t, step{action: actionDescribe, do: answers(200, body)},
		step{actionDescribe, map[string]string{"Marker": "95"}, refuses(403, "AccessDenied", "no")})
	got, err := connect(t, server).List(t.Context(), ours)
	if got != nil || !cloudapi.Is(err, cloudapi.CodeForbidden) {
		t.Errorf("got %d groups and error %v, want Forbidden alone", len(got), err)
	}
}

func TestGet(t *testing.T) {
	server := script(t,
		step{actionDescribe, map[string]string{"ContainerGroupId.1": "g-1", "ContainerGroupId.2": "g-2", "ContainerGroupId.3": ""},
			answers(200, pageOf(aGroup("g-2", specName, "Running", ""), aGroup("g-9", "not asked for", "Running", "")))})
	got, err := connect(t, server).Get(t.Context(), []string{"g-2", "g-1", "g-2"})
	if err != nil {
		t.Fatal(err)
	}
	want := []cloudapi.Group{{
		ID: "g-2", Name: specName, Status: cloudapi.StatusRunning, RawStatus: "Running",
		Identity: cloudapi.Identity{PodUID: "0c9f7b1e-6a53-4d0e-9a77-2f1f0e6c1a01", PodName: "web-0"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

// No ids is no question: without any, the cloud would describe everything.
func TestGetNothing(t *testing.T) {
	if got, err := connect(t, script(t)).Get(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("got %v and error %v", got, err)
	}
	if _, err := connect(t, script(t)).Get(t.Context(), []string{"g-1", ""}); !cloudapi.Is(err, cloudapi.CodeInvalid) {
		t.Errorf("error %v, want Invalid", err)
	}
}

// A hundred ids go into one call.
func TestGetInParts(t *testing.T) {
	var sizes [3]atomic.Int32
	var calls atomic.Int32
	server := serve(t, func(w http.ResponseWriter, r *http.Request, form url.Values) {
		call := int(calls.Add(1)) - 1
		var groups []string
		for name := range form {
			if strings.HasPrefix(name, "ContainerGroupId.") && call < len(sizes) {
				sizes[call].Add(1)
				groups = append(groups, aGroup(form.Get(name), "n", "Running", ""))
			}
		}
		answers(200, pageOf(groups...))(w, r)
	})
	var ids []string
	for i := range 250 {
		ids = append(ids, fmt.Sprintf("g-%03d", i))
	}
	got, err := connect(t, server).Get(t.Context(), ids)
	if err != nil || len(got) != 250 || calls.Load() != 3 {
		t.Fatalf("%d groups, %d calls, error %v", len(got), calls.Load(), err)
	}
	for i, want := range []int32{100, 100, 50} {
		if got := sizes[i].Load(); got != want {
			t.Errorf("call %d has %d ids, want %d", i+1, got, want)
		}
	}
}

// Events come with the group, or by an action of their own that only the SDKs
// have.
func TestGetEvents(t *testing.T) {
	const bare = `{"ContainerGroupId":"g-1","ContainerGroupName":"n","Status":"Running"}`
	const eventList = `{"Events":[{"Type":"Warning","Reason":"Failed","Message":"m","Count":2,"FirstTimestamp":"2020-10-10T03:55:07Z","LastTimestamp":"2020-10-10T03:56:07Z"}]}`
	told := []cloudapi.Event{{Warning: true, Reason: "Failed", Message: "m", Count: 2,
		FirstTime: utc("2020-10-10T03:55:07Z"), LastTime: utc("2020-10-10T03:56:07Z")}}
	ask := step{actionEvents, map[string]string{"ContainerGroupId": "g-1"}, answers(200, eventList)}
	describe := step{action: actionDescribe, do: answers(200, pageOf(bare))}
	cases := map[string]struct {
		options []func(*Options)
		steps   []step
		want    []cloudapi.Event
		fails   bool
	}{
		"WithTheGroup": {steps: []step{{action: actionDescribe, do: answers(200, pageOf(aGroup("g-1", "n", "Running", "")))}}},
		"ByThemselves": {steps: []step{describe, ask}, want: told},
		"InSeed":       {options: []func(*Options){inSeed}, steps: []step{describe}},
		"EndpointLacksTheAction": {steps: []step{describe,
			{action: actionEvents, do: refuses(404, "NoSuchEntity", "referenced an 'InnerApi' that does not exist.")}}},
		"GoneMeanwhile": {steps: []step{describe, {action: actionEvents, do: refuses(400, "InvalidParameterValue", "g-1 does not exist")}}},
		"Refused":       {steps: []step{describe, {action: actionEvents, do: refuses(403, "AccessDenied", "no")}}, fails: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := connect(t, script(t, tc.steps...), tc.options...).Get(t.Context(), []string{"g-1"})
			if tc.fails {
				if !cloudapi.Is(err, cloudapi.CodeForbidden) || got != nil {
					t.Errorf("got %v and error %v, want Forbidden alone", got, err)
				}
				return
			}
			if err != nil || len(got) != 1 {
				t.Fatalf("got %v and error %v", got, err)
			}
			if diff := cmp.Diff(tc.want, got[0].Events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}
