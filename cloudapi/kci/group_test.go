package kci

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

func readGroups(t *testing.T, path string) []cloudapi.Group {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var page describeAnswer
	if err := decode(body, &page); err != nil {
		t.Fatal(err)
	}
	if lack := page.lack(); lack != "" {
		t.Fatalf("the answer lacks %s", lack)
	}
	var groups []cloudapi.Group
	for i := range page.ContainerGroups {
		groups = append(groups, convertGroup(&page.ContainerGroups[i]))
	}
	return groups
}

func utc(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// The API document's example, with its last brace put back.
func TestConvertTheDocumentsExample(t *testing.T) {
	event := func(at, reason, message, object string) cloudapi.Event {
		return cloudapi.Event{Reason: reason, Message: message, Object: object, Count: 1, FirstTime: utc(at), LastTime: utc(at)}
	}
	want := []cloudapi.Group{{
		ID: "9f0c0be6-f6fe-4e29-af1axxxx", Name: "nginx-kci",
		Status: cloudapi.StatusRunning, RawStatus: "Running",
		Zone: "cn-beijing-6a", CPU: 2, Memory: 4, IPs: []string{"10.0.0.xx"},
		CreatedAt:     utc("2020-10-10T03:55:04Z"), // 11:55:04 in Beijing
		RestartPolicy: cloudapi.RestartAlways,
		Containers: []cloudapi.ContainerState{{
			Name: "nginx-container", Image: "nginx",
			Current: cloudapi.RunState{Kind: cloudapi.RunRunning, StartedAt: utc("2020-10-10T03:55:12Z")},
		}},
		Events: []cloudapi.Event{
			event("2020-10-10T03:55:07Z", "Pulling", "Pulling image `nginx`", ""),
			event("2020-10-10T03:55:12Z", "Pulled", "Successfully pulled image `nginx`", ""),
			event("2020-10-10T03:55:12Z", "Created", "Created container nginx-container", "nginx-container"),
			event("2020-10-10T03:55:12Z", "Started", "Started container nginx-container", "nginx-container"),
		},
	}}
	if diff := cmp.Diff(want, readGroups(t, "testdata/describe.document.json")); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestContainerNamed(t *testing.T) {
	for message, want := range map[string]string{
		"Started container app": "app",
		"Created container app": "app",
		"Back-off restarting failed container app in pod web_shop(1b2c)": "app",
		"Back-off restarting failed container":                           "",
		"Started container":                                              "",
		"Pulling image `app`":                                            "",
		"Readiness probe failed: Started container app":                  "",
		"Stopping container app":                                         "",
	} {
		if got := containerNamed(message); got != want {
			t.Errorf("%q names %q, want %q", message, got, want)
		}
	}
}

// Names in another case, numbers as text, values of a wrong type, words that
// nobody knows: the groups are read all the same.
func TestConvertAnOddAnswer(t *testing.T) {
	creating := cloudapi.RunState{Kind: cloudapi.RunWaiting, Reason: "ContainerCreating"}
	want := []cloudapi.Group{
		{
			ID: "g-failed", Name: "k5xs2mnbq7.0c9f7b1e-6a53-4d0e-9a77-2f1f0e6c1a01.web.with.dots",
			Identity: cloudapi.Identity{PodUID: "0c9f7b1e-6a53-4d0e-9a77-2f1f0e6c1a01", PodName: "web.with.dots"},
			Status:   cloudapi.StatusFailed, RawStatus: "CREATEERROR", Reason: "CreateError",
			CPU: 0.5, Memory: 2, IPs: []string{"10.0.0.1", "10.0.0.2"}, PublicIPs: []string{"192.0.2.9"},
			CreatedAt: utc("2020-10-10T03:55:04Z"), FinishedAt: utc("2020-10-10T04:00:00Z"),
			Containers: []cloudapi.ContainerState{
				{
					Name: "main", Image: "busybox", RestartCount: 3,
					Current: cloudapi.RunState{
						Kind: cloudapi.RunTerminated, Reason: "Error", ExitCode: 137,
						StartedAt: utc("2020-10-10T03:55:12Z"), FinishedAt: utc("2020-10-10T03:56:12Z"),
					},
					Previous: &cloudapi.RunState{Kind: cloudapi.RunTerminated, ExitCode: 1},
				},
				{Name: "second", Current: creating},
				{Name: "third", Current: cloudapi.RunState{Kind: cloudapi.RunWaiting, Reason: "Paused"}},
				{Current: creating},
			},
			Events: []cloudapi.Event{{Warning: true, Reason: "BackOff", Count: 2}},
		},
		{ID: "g-new", Status: cloudapi.StatusUnknown, RawStatus: "Hibernating"},
		{ID: "g-empty", Status: cloudapi.StatusUnknown},
	}
	if diff := cmp.Diff(want, readGroups(t, "testdata/describe.odd.json")); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestStatusOf(t *testing.T) {
	cases := map[string]cloudapi.Status{
		"Scheduling":   cloudapi.StatusScheduling,
		"Pending":      cloudapi.StatusPending,
		"ImagePulling": cloudapi.StatusPending,
		"Running":      cloudapi.StatusRunning,
		"running":      cloudapi.StatusRunning,
		"Succeeded":    cloudapi.StatusSucceeded,
		"Failed":       cloudapi.StatusFailed,
		"CreateError":  cloudapi.StatusFailed,
		"Unknown":      cloudapi.StatusUnknown,
		"":             cloudapi.StatusUnknown,
		"Deleting":     cloudapi.StatusUnknown,
	}
	for word, want := range cases {
		t.Run(word, func(t *testing.T) {
			if got := statusOf(word); got != want {
				t.Errorf("statusOf(%q) = %s, want %s", word, got, want)
			}
		})
	}
}

func TestKindOf(t *testing.T) {
	const end = "2020-10-10T03:55:12Z"
	zero := number{set: true}
	cases := map[string]struct {
		in   wireState
		want cloudapi.RunKind
	}{
		"Running":               {wireState{State: "running"}, cloudapi.RunRunning},
		"RunningUpperCase":      {wireState{State: "RUNNING"}, cloudapi.RunRunning},
		"RunningWithZeroCode":   {wireState{State: "running", ExitCode: zero}, cloudapi.RunRunning},
		"RunningButFinished":    {wireState{State: "running", FinishTime: end}, cloudapi.RunTerminated},
		"Waiting":               {wireState{State: "waiting"}, cloudapi.RunWaiting},
		"WaitingWithZeroCode":   {wireState{State: "waiting", ExitCode: zero}, cloudapi.RunWaiting},
		"Created":               {wireState{State: "Created"}, cloudapi.RunWaiting},
		"Exited":                {wireState{State: "exited"}, cloudapi.RunTerminated},
		"Stopped":               {wireState{State: "Stopped"}, cloudapi.RunTerminated},
		"Nothing":               {wireState{}, cloudapi.RunWaiting},
		"UnknownWord":           {wireState{State: "paused"}, cloudapi.RunWaiting},
		"UnknownWordWithCode":   {wireState{State: "dead", ExitCode: zero}, cloudapi.RunTerminated},
		"UnknownWordWithFinish": {wireState{State: "dead", FinishTime: end}, cloudapi.RunTerminated},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := kindOf(&tc.in); got != tc.want {
				t.Errorf("kindOf(%+v) = %s, want %s", tc.in, got, tc.want)
			}
		})
	}
}

func TestIdentityOf(t *testing.T) {
	const uid = "0c9f7b1e-6a53-4d0e-9a77-2f1f0e6c1a01"
	cases := map[string]struct {
		name string
		want cloudapi.Identity
	}{
		"Whole":        {"k5xs2mnbq7." + uid + ".web-0", cloudapi.Identity{PodUID: uid, PodName: "web-0"}},
		"WithoutName":  {"k5xs2mnbq7." + uid, cloudapi.Identity{PodUID: uid}},
		"DotsInName":   {"k5xs2mnbq7." + uid + ".a.b", cloudapi.Identity{PodUID: uid, PodName: "a.b"}},
		"Foreign":      {"nginx-kci", cloudapi.Identity{}},
		"ShortOwner":   {"k5xs2." + uid, cloudapi.Identity{}},
		"OddOwner":     {"k5xs2mnb01." + uid, cloudapi.Identity{}}, // 0 and 1 are not base32
		"NoUID":        {"k5xs2mnbq7..web", cloudapi.Identity{}},
		"Empty":        {"", cloudapi.Identity{}},
		"OwnerAndDot":  {"k5xs2mnbq7.", cloudapi.Identity{}},
		"OwnerWithout": {"k5xs2mnbq7", cloudapi.Identity{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, identityOf(tc.name)); diff != "" {
				t.Errorf("identityOf(%q) (-want +got):\n%s", tc.name, diff)
			}
		})
	}
}

// A revision changes with what a poller sees, and only then.
func TestRevision(t *testing.T) {
	base := readGroups(t, "testdata/describe.document.json")[0]
	changes := map[string]func(*cloudapi.Group){
		"Status":       func(g *cloudapi.Group) { g.Status = cloudapi.StatusFailed },
		"RestartCount": func(g *cloudapi.Group) { g.Containers[0].RestartCount++ },
		"ExitCode":     func(g *cloudapi.Group) { g.Containers[0].Current.ExitCode = 1 },
		"Address":      func(g *cloudapi.Group) { g.IPs[0] = "10.0.0.3" },
		"EventCount":   func(g *cloudapi.Group) { g.Events[0].Count++ },
	}
	first, err := revisionOf(base)
	if err != nil || first == "" {
		t.Fatalf("revision %q, error %v", first, err)
	}
	again, err := revisionOf(readGroups(t, "testdata/describe.document.json")[0])
	if err != nil || again != first {
		t.Errorf("an equal group has revision %q, not %q; error %v", again, first, err)
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			group := readGroups(t, "testdata/describe.document.json")[0]
			change(&group)
			if got, err := revisionOf(group); err != nil || got == first {
				t.Errorf("revision %q did not change; error %v", got, err)
			}
		})
	}
}
