package eci

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

func utc(hour, minute, second int) time.Time {
	return time.Date(2026, 1, 2, hour, minute, second, 0, time.UTC)
}

func body(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readGroups(t *testing.T, path string) []cloudapi.Group {
	t.Helper()
	var answer groupsAnswer
	if fault := readAnswer(body(t, path), &answer); fault != "" {
		t.Fatal(fault)
	}
	var out []cloudapi.Group
	for _, w := range answer.ContainerGroups {
		out = append(out, toGroup(w))
	}
	return out
}

func TestGroups(t *testing.T) {
	cases := map[string]struct {
		reason string
		want   []cloudapi.Group
	}{
		"running": {
			reason: "every field that is read, in the reference page's shape",
			want: []cloudapi.Group{{
				ID: "eci-1", Name: "shop-cart-0",
				Identity: cloudapi.Identity{Cluster: "c-1", Node: "vk-1", Namespace: "shop", PodName: "cart-0", PodUID: "u-1"},
				Status:   cloudapi.StatusRunning, RawStatus: "Running",
				Zone: "cn-hangzhou-h", CPU: 2, Memory: 4,
				IPs: []string{"172.16.0.5", "2001:db8::5"}, PublicIPs: []string{"192.0.2.9"},
				CreatedAt: utc(15, 0, 0), RestartPolicy: cloudapi.RestartAlways,
				InitContainers: []cloudapi.ContainerState{{
					Name: "prepare", Image: "busybox:1.36", Ready: new(true),
					Current: cloudapi.RunState{Kind: cloudapi.RunTerminated, Reason: "Completed", StartedAt: utc(15, 0, 2), FinishedAt: utc(15, 0, 3)},
				}},
				Containers: []cloudapi.ContainerState{
					{
						Name: "cart", Image: "registry.example.com/cart:7", Ready: new(true),
						Current: cloudapi.RunState{Kind: cloudapi.RunRunning, Reason: "Started", StartedAt: utc(15, 0, 5)},
					},
					{
						Name: "side", Image: "side:1", Ready: new(false), RestartCount: 2,
						Current: cloudapi.RunState{Kind: cloudapi.RunWaiting, Reason: "CrashLoopBackOff", Message: "Back-off 20s restarting failed container"},
						Previous: &cloudapi.RunState{
							Kind: cloudapi.RunTerminated, Reason: "OOMKilled", Message: "killed", ExitCode: 137, Signal: 9,
							StartedAt: utc(15, 1, 0), FinishedAt: utc(15, 1, 1),
						},
					},
				},
				Events: []cloudapi.Event{
					{Reason: "Started", Message: "Started container cart", Object: "cart", Count: 1, FirstTime: utc(15, 0, 5), LastTime: utc(15, 0, 5)},
					{Warning: true, Reason: "BackOff", Message: "Back-off restarting failed container=side pod=shop-cart-0", Object: "side", Count: 3, FirstTime: utc(15, 1, 0), LastTime: utc(15, 2, 0)},
					{Reason: "Scheduled", Message: "Successfully assigned", Object: "cart", Count: 1, FirstTime: utc(15, 0, 1), LastTime: utc(15, 0, 1)},
					{Reason: "Other", Message: "no container is named here", Count: 1, LastTime: utc(15, 0, 1)},
				},
			}},
		},
		"odd": {
			reason: "nothing odd in one group hides another group or field",
			want: []cloudapi.Group{
				{
					ID: "eci-failed", Name: "a", Status: cloudapi.StatusFailed, RawStatus: "ScheduleFailed",
					Reason: "NoStock", Message: "no stock of 2c4g",
					CreatedAt: utc(15, 0, 0), FinishedAt: utc(15, 0, 30),
					Events: []cloudapi.Event{
						{Warning: true, Reason: "FailedScheduling", Message: "first", Count: 2, LastTime: utc(15, 0, 10)},
						{Warning: true, Reason: "NoStock", Message: "no stock of 2c4g", Count: 1, LastTime: utc(15, 0, 20)},
						{Reason: "Creating", Message: "later, but no warning", Count: 1, LastTime: utc(15, 0, 25)},
					},
				},
				{
					ID: "eci-nowarning", Status: cloudapi.StatusFailed, RawStatus: "ScheduleFailed",
					Reason: "ScheduleFailed", Message: "the cloud could not create the group",
				},
				{
					ID: "eci-strange", Status: cloudapi.StatusUnknown, RawStatus: "StartingFailed", CPU: 2,
					Containers: []cloudapi.ContainerState{
						{Name: "c", Ready: new(true), RestartCount: 7, Current: cloudapi.RunState{Kind: cloudapi.RunWaiting, Reason: "Dreaming"}},
						{Name: "5", Current: cloudapi.RunState{Kind: cloudapi.RunWaiting}},
						{Name: "d", Current: cloudapi.RunState{Kind: cloudapi.RunWaiting}},
					},
				},
				{
					ID: "eci-lower", Status: cloudapi.StatusSucceeded, RawStatus: "Succeeded", FinishedAt: utc(15, 0, 0),
					Containers: []cloudapi.ContainerState{
						{Name: "c", Current: cloudapi.RunState{Kind: cloudapi.RunTerminated, StartedAt: utc(15, 0, 0)}},
					},
				},
				{ID: "eci-expired", Status: cloudapi.StatusExpired, RawStatus: "Expired", FinishedAt: utc(16, 0, 0)},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := readGroups(t, "testdata/groups/"+name+".json")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestStatuses(t *testing.T) {
	for word, want := range map[text]cloudapi.Status{
		"Scheduling": cloudapi.StatusScheduling, "Pending": cloudapi.StatusPending, "Running": cloudapi.StatusRunning,
		"Restarting": cloudapi.StatusRestarting, "Updating": cloudapi.StatusUpdating, "Terminating": cloudapi.StatusTerminating,
		"Succeeded": cloudapi.StatusSucceeded, "Failed": cloudapi.StatusFailed, "ScheduleFailed": cloudapi.StatusFailed,
		"Expired": cloudapi.StatusExpired, "": cloudapi.StatusUnknown, "WatingForDel": cloudapi.StatusUnknown, "running": cloudapi.StatusUnknown,
	} {
		if got := statusOf(word); got != want {
			t.Errorf("%q is %s, want %s", word, got, want)
		}
	}
}

func readStatus(t *testing.T, data string) []cloudapi.Summary {
	t.Helper()
	var answer statusAnswer
	if fault := readAnswer([]byte(data), &answer); fault != "" {
		t.Fatal(fault)
	}
	var out []cloudapi.Summary
	for _, item := range answer.Data {
		out = append(out, toSummary(item))
	}
	return out
}

func TestSummaries(t *testing.T) {
	page := string(body(t, "testdata/status/page.json"))
	got := readStatus(t, page)
	want := []cloudapi.Summary{
		{
			ID: "eci-1", Name: "shop-cart-0", Status: cloudapi.StatusRunning,
			ImageIDs: map[string]string{"cart": "registry.example.com/cart@sha256:1f"},
		},
		{ID: "eci-2", Status: cloudapi.StatusUnknown},
	}
	for i := range got {
		if len(got[i].Revision) != 32 {
			t.Errorf("revision %q, want 32 hexadecimal digits", got[i].Revision)
		}
		got[i].Revision = ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRevision(t *testing.T) {
	page := string(body(t, "testdata/status/page.json"))
	before := readStatus(t, page)[0].Revision
	cases := map[string]struct {
		old, new string
		changes  bool
	}{
		"Nothing":            {`"Running"`, `"Running"`, false},
		"ConditionTime":      {`"lastTransitionTime": "2026-01-02T15:00:05Z"`, `"lastTransitionTime": "2026-01-02T15:09:09Z"`, false},
		"Annotations":        {`"Annotations": "{}"`, `"Annotations": "{\"a\":1}"`, false},
		"Status":             {`"Status": "Running", "uuid"`, `"Status": "Pending", "uuid"`, true},
		"Phase":              {`"Phase": "Running"`, `"Phase": "Pending"`, true},
		"Address":            {`"PodIp": "172.16.0.5"`, `"PodIp": "172.16.0.6"`, true},
		"Condition":          {`"type": "Ready", "status": "True"`, `"type": "Ready", "status": "False"`, true},
		"ConditionReason":    {`"Reason": "Created"`, `"Reason": "NoStock"`, true},
		"Ready":              {`"Ready": true`, `"Ready": false`, true},
		"Restarts":           {`"RestartCount": 1`, `"RestartCount": 2`, true},
		"StartUnderOtherKey": {`"StartedAtstartedAt": "2026-01-02T15:00:05Z"`, `"StartedAt": "2026-01-02T15:01:05Z"`, true},
		"WaitingReason":      {`"CrashLoopBackOff"`, `"ImagePullBackOff"`, true},
		"ExitCode":           {`"ExitCode": 1`, `"ExitCode": 2`, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(page, tc.old) {
				t.Fatalf("%s is not in the page", tc.old)
			}
			after := readStatus(t, strings.Replace(page, tc.old, tc.new, 1))[0].Revision
			if changed := after != before; changed != tc.changes {
				t.Errorf("%s to %s: revision changed is %v, want %v", tc.old, tc.new, changed, tc.changes)
			}
		})
	}
}

func TestMetricsRecord(t *testing.T) {
	const data = `{"RequestId":"R","MonitorDatas":[{"ContainerGroupId":"eci-1","Records":[
		{"Timestamp":"2026-01-02T23:00:00+08:00","CPU":{"UsageNanoCores":1}},
		{"Timestamp":"2026-01-02T23:00:15+08:00",
		 "CPU":{"Limit":2000,"UsageNanoCores":250000000,"UsageCoreNanoSeconds":"9007199254740993"},
		 "Memory":{"UsageBytes":100,"WorkingSet":80,"Rss":60,"AvailableBytes":20,"Cache":5},
		 "Network":{"Interfaces":[{"Name":"eth0","RxBytes":1,"RxErrors":2,"TxBytes":3,"TxErrors":-4}]},
		 "Containers":[{"Name":"c","CPU":{"UsageNanoCores":2.5e8},"Memory":{"Rss":7}}]},
		{"Timestamp":"2026-01-02T22:59:45+08:00"}]}]}`
	var answer metricsAnswer
	if fault := readAnswer([]byte(data), &answer); fault != "" {
		t.Fatal(fault)
	}
	want := cloudapi.GroupMetrics{
		GroupID: "eci-1", Time: utc(15, 0, 15),
		CPU:        cloudapi.CPUUsage{UsageNanoCores: 250000000, UsageCoreNanoSeconds: 9007199254740993},
		Memory:     cloudapi.MemoryUsage{UsageBytes: 100, WorkingSetBytes: 80, RSSBytes: 60, AvailableBytes: 20},
		Network:    []cloudapi.InterfaceUsage{{Name: "eth0", RxBytes: 1, RxErrors: 2, TxBytes: 3}},
		Containers: []cloudapi.ContainerMetrics{{Name: "c", CPU: cloudapi.CPUUsage{UsageNanoCores: 250000000}, Memory: cloudapi.MemoryUsage{RSSBytes: 7}}},
	}
	if diff := cmp.Diff(want, toMetrics(answer.MonitorDatas[0])); diff != "" {
		t.Errorf("the newest record (-want +got):\n%s", diff)
	}
}

func FuzzGroups(f *testing.F) {
	for _, path := range []string{"testdata/groups/running.json", "testdata/groups/odd.json"} {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"RequestId":"R","ContainerGroups":[{"ContainerGroupId":"x","Cpu":1e999,"Events":[null]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var answer groupsAnswer
		if readAnswer(data, &answer) != "" {
			return
		}
		for _, w := range answer.ContainerGroups {
			group := toGroup(w)
			if group.ID == "" || group.Status == "" {
				t.Errorf("group without id or status: %+v", group)
			}
			for _, c := range group.Containers {
				if c.Current.Kind == "" || c.RestartCount < 0 {
					t.Errorf("container state %+v", c)
				}
			}
		}
	})
}

func FuzzStatus(f *testing.F) {
	data, err := os.ReadFile("testdata/status/page.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"RequestId":"R","data":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var answer statusAnswer
		if readAnswer(data, &answer) != "" {
			return
		}
		for _, item := range answer.Data {
			if s := toSummary(item); s.ID == "" || s.Revision == "" || s.Status == "" {
				t.Errorf("summary %+v has an empty part", s)
			}
		}
	})
}

func FuzzOtherAnswers(f *testing.F) {
	f.Add([]byte(`{"RequestId":"R","MonitorDatas":[{"ContainerGroupId":"x","Records":[{}]}]}`))
	f.Add([]byte(`{"RequestId":"R","Code":"Throttling","Message":"wait"}`))
	f.Add([]byte(`<html>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var metrics metricsAnswer
		if readAnswer(data, &metrics) == "" {
			for _, m := range metrics.MonitorDatas {
				if len(m.Records) > 0 {
					_ = toMetrics(m)
				}
			}
		}
		var told errorAnswer
		if decode(data, &told) == nil {
			cl := call{action: opCreate, writes: true}
			e := cl.refused(reply{status: 500}, told)
			if e.Code == "" || len([]rune(e.Message)) > maxMessage+1 {
				t.Errorf("error %+v", e)
			}
		}
	})
}
