package kci

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// names are the names of the groups on a page.
func names(d document) []string {
	var found []string
	for _, group := range d.ContainerGroups {
		found = append(found, fmt.Sprint(group["ContainerGroupName"]))
	}
	return found
}

// population is a server with groups of many kinds.
func population(t *testing.T, change func(*Options)) *bench {
	b := newBench(t, change)
	for i, group := range []engine.Group{
		{Spec: &engine.Spec{Name: "web-1", Subnet: "s1", VPC: "v1", Zone: "z1"}, Status: engine.Running, IP: "10.0.0.1"},
		{Spec: &engine.Spec{Name: "web-2", Subnet: "s2", VPC: "v1", Zone: "z2"}, Status: engine.Succeeded, IP: "10.0.0.12"},
		{Spec: &engine.Spec{Name: "db-1", Subnet: "s2", VPC: "v2", Zone: "z1", Wire: &wire{projectID: 7}}, Status: engine.Scheduling},
	} {
		group.ID = fmt.Sprintf("id-%d", i)
		group.CreatedAt = testTime.Add(-1)
		b.groups.groups = append(b.groups.groups, group)
	}
	return b
}

func TestDescribeSelects(t *testing.T) {
	tests := map[string]struct {
		query []string
		want  []string
	}{
		"All":           {nil, []string{"web-1", "web-2", "db-1"}},
		"IDs":           {[]string{"ContainerGroupId.0", "id-2", "ContainerGroupId.7", "id-0", "ContainerGroupId.100", "gone"}, []string{"web-1", "db-1"}},
		"SameID":        {[]string{"ContainerGroupId.1", "id-2", "ContainerGroupId.2", "id-2"}, []string{"db-1"}},
		"SearchName":    {[]string{"Search", "b-1"}, []string{"web-1", "db-1"}},
		"SearchIP":      {[]string{"Search", "10.0.0.1"}, []string{"web-1", "web-2"}},
		"Subnet":        {[]string{"Filter.1.Name", "subnet-id", "Filter.1.Value.1", "s2"}, []string{"web-2", "db-1"}},
		"VPC":           {[]string{"Filter.0.Name", "vpc-id", "Filter.0.Value.0", "v1", "Filter.0.Value.1", "v2"}, []string{"web-1", "web-2", "db-1"}},
		"Zone":          {[]string{"Filter.1.Name", "availability-zone.name", "Filter.1.Value.100", "z1"}, []string{"web-1", "db-1"}},
		"Status":        {[]string{"Filter.1.Name", "status", "Filter.1.Value.1", "Running", "Filter.1.Value.2", "Failed"}, []string{"web-1"}},
		"StatusExtra":   {[]string{"Filter.1.Name", "status", "Filter.1.Value.1", "Scheduling"}, []string{"db-1"}},
		"FiltersAddUp":  {[]string{"Filter.1.Name", "vpc-id", "Filter.1.Value.1", "v1", "Filter.2.Name", "subnet-id", "Filter.2.Value.1", "s2"}, []string{"web-2"}},
		"IDsAndFilters": {[]string{"ContainerGroupId.1", "id-0", "Filter.1.Name", "vpc-id", "Filter.1.Value.1", "v2"}, nil},
		"Projects":      {[]string{"ProjectId.0", "7", "ProjectId.1", "8"}, []string{"db-1"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := population(t, nil).post("DescribeContainerGroup", params(tc.query...))
			if w.Code != http.StatusOK {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			if diff := cmp.Diff(tc.want, names(decode(t, w))); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFilterRules has the five rules of the KCI document, each with its
// examples, and the other refusals.
func TestFilterRules(t *testing.T) {
	const value, missing, query = "InvalidParameterValue", "MissingParameter", "InvalidQueryParameter"
	tests := map[string]struct {
		seed       bool
		body       string
		code, want string
	}{
		"Rule1":       {body: "Filter.1.Name=vpc-id&Filter.1.Name=subnet-id", code: query, want: "Filter.1.Name"},
		"Rule2":       {body: "Filter.1.Name=vpc-id&Filter.1.Value.1=a&Filter.2.Name=vpc-id&Filter.2.Value.1=b", code: value, want: "Filter.2.Name"},
		"Rule3":       {body: "Filter.1.Name=vpc-id&Filter.1.Value.1=a&Filter.1.Value.1=b", code: query, want: "Filter.1.Value.1"},
		"Rule4Name":   {body: "Filter.1.Name=vpc-id&Filter.1.Value.1=a&Filter.2.Value.1=b", code: missing, want: "Filter.2.Name"},
		"Rule4Value":  {body: "Filter.1.Name=vpc-id&Filter.1.Value.1=a&Filter.2.Name=subnet-id", code: missing, want: "Filter.2.Value.1"},
		"Rule5Filter": {body: "Filter.101.Name=vpc-id&Filter.101.Value.1=a", code: query, want: "Filter.101"},
		"Rule5Value":  {body: "Filter.1.Name=vpc-id&Filter.1.Value.101=a", code: query, want: "Filter.1.Value.101"},
		"Rule5ID":     {body: "ContainerGroupId.101=a", code: query, want: "ContainerGroupId.101"},
		"Name":        {body: "Filter.1.Name=name&Filter.1.Value.1=a", code: value, want: "Filter.1.Name"},
		"SeedStatus":  {seed: true, body: "Filter.1.Name=status&Filter.1.Value.1=Scheduling", code: value, want: "Filter.1.Value.1"},
		"Status":      {body: "Filter.1.Name=status&Filter.1.Value.1=running", code: value, want: "Filter.1.Value.1"},
		"EmptyValue":  {body: "Filter.1.Name=vpc-id&Filter.1.Value.1=", code: missing, want: "Filter.1.Value.1"},
		"MaxResults":  {body: "MaxResults=101", code: value, want: "MaxResults"},
		"NoResults":   {body: "MaxResults=0", code: value, want: "MaxResults"},
		"Marker":      {body: "Marker=-1", code: value, want: "Marker"},
		"Number":      {body: "Marker=one", code: value, want: "Marker"},
		"Escape":      {body: "Search=%zz", code: query, want: "Search"},
		"Encoding":    {body: "Search=%ff", code: query, want: "Search"},
		"SeedProject": {seed: true, body: "ProjectId.1=7", code: query, want: "ProjectId.1"},
		"Project":     {body: "ProjectId.1=seven", code: value, want: "ProjectId.1"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := population(t, func(o *Options) {
				if tc.seed {
					o.Dialect = Seed
				}
			})
			text := "POST / HTTP/1.1\nHost: kci.api.ksyun.com\nContent-Type: application/x-www-form-urlencoded\n\n" +
				"Action=DescribeContainerGroup&Version=2020-07-02&" + tc.body
			w := serve(b, rawRequest(t, b, text))
			got := decode(t, w).Error
			named := strings.Contains(got.Message, "parameter "+tc.want+" ") || strings.Contains(got.Message, "parameter "+tc.want+":") ||
				strings.HasSuffix(got.Message, "parameter "+tc.want+".")
			if w.Code != http.StatusBadRequest || got.Code != tc.code || !named {
				t.Errorf("got %d %s %q, want %s that names %s", w.Code, got.Code, got.Message, tc.code, tc.want)
			}
		})
	}
}

func TestPaging(t *testing.T) {
	b := newBench(t, nil)
	for i := range 45 {
		b.groups.groups = append(b.groups.groups, engine.Group{ID: fmt.Sprint(i), Spec: &engine.Spec{Name: fmt.Sprintf("g%02d", i)}})
	}
	tests := map[string]struct {
		query       []string
		count       int
		first       string
		marker, max int
	}{
		"First":    {nil, 20, "g00", 20, 20},
		"Second":   {[]string{"Marker", "20"}, 20, "g20", 40, 20},
		"Last":     {[]string{"Marker", "40"}, 5, "g40", 0, 20},
		"Fits":     {[]string{"MaxResults", "45"}, 45, "g00", 0, 45},
		"NotQuite": {[]string{"MaxResults", "44"}, 44, "g00", 44, 44},
		"All":      {[]string{"MaxResults", "100"}, 45, "g00", 0, 100},
		"Beyond":   {[]string{"Marker", "45"}, 0, "", 0, 20},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			d := decode(t, b.post("DescribeContainerGroup", params(tc.query...)))
			found := names(d)
			first := ""
			if len(found) > 0 {
				first = found[0]
			}
			if len(found) != tc.count || first != tc.first || d.Marker != tc.marker || d.TotalCount != 45 {
				t.Errorf("got %d groups from %q, marker %d, total %d", len(found), first, d.Marker, d.TotalCount)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	pulling := func(container, reason string, second int) engine.Event {
		return engine.Event{Container: container, Reason: reason, Last: at(4, 0, second)}
	}
	running := func(kind string) []engine.ContainerState {
		return []engine.ContainerState{{Current: engine.RunState{Kind: kind}}}
	}
	tests := map[string]struct {
		group engine.Group
		want  string
	}{
		"Scheduling":     {engine.Group{Status: engine.Scheduling}, "Scheduling"},
		"Pending":        {engine.Group{Status: engine.Pending}, "Pending"},
		"Pulling":        {engine.Group{Status: engine.Pending, Events: []engine.Event{pulling("a", "Pulling", 1)}}, "ImagePulling"},
		"Pulled":         {engine.Group{Status: engine.Pending, Events: []engine.Event{pulling("a", "Pulling", 1), pulling("a", "Pulled", 1)}}, "Pending"},
		"OtherPulling":   {engine.Group{Status: engine.Pending, Events: []engine.Event{pulling("a", "Pulling", 1), pulling("b", "Pulling", 2), pulling("a", "Pulled", 3)}}, "ImagePulling"},
		"PullFailed":     {engine.Group{Status: engine.Pending, Events: []engine.Event{pulling("a", "Pulling", 1), pulling("a", "Failed", 2), pulling("a", "BackOff", 3)}}, "Pending"},
		"Running":        {engine.Group{Status: engine.Running}, "Running"},
		"Restarting":     {engine.Group{Status: engine.Restarting}, "Running"},
		"Updating":       {engine.Group{Status: engine.Updating}, "Running"},
		"Succeeded":      {engine.Group{Status: engine.Succeeded}, "Succeeded"},
		"Failed":         {engine.Group{Status: engine.Failed}, "Failed"},
		"Expired":        {engine.Group{Status: engine.Expired}, "Failed"},
		"ScheduleFailed": {engine.Group{Status: engine.ScheduleFailed}, "CreateError"},
		"Other":          {engine.Group{Status: "Melting"}, "Unknown"},
		"EndingEarly":    {engine.Group{Status: engine.Terminating}, "Scheduling"},
		"EndingPending":  {engine.Group{Status: engine.Terminating, ScheduledAt: testTime}, "Pending"},
		"EndingWaiting":  {engine.Group{Status: engine.Terminating, ScheduledAt: testTime, StartedAt: testTime, Containers: running(engine.KindWaiting)}, "Pending"},
		"EndingRunning":  {engine.Group{Status: engine.Terminating, ScheduledAt: testTime, Containers: running(engine.KindRunning)}, "Running"},
		"EndingEnded":    {engine.Group{Status: engine.Terminating, ScheduledAt: testTime, Containers: running(engine.KindTerminated)}, "Running"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := statusOf(&tc.group); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// TestDeleteKeepsStatus deletes a group that has failed: until it is gone it
// shows Failed, and afterwards nothing is remembered of it.
func TestDeleteKeepsStatus(t *testing.T) {
	b := newBench(t, seedDialect)
	id := decode(t, b.post("CreateContainerGroup", minimal())).ContainerGroupID
	b.groups.change(id, func(g *engine.Group) { g.Status = engine.Failed; g.StartedAt = testTime })
	for range 2 {
		if w := b.post("DeleteContainerGroup", params("ContainerGroupId", id)); w.Code != http.StatusOK {
			t.Fatalf("delete: got %d %s", w.Code, w.Body)
		}
		d := decode(t, b.post("DescribeContainerGroup", params("ContainerGroupId.1", id)))
		if got := d.ContainerGroups[0]["Status"]; got != "Failed" {
			t.Errorf("status while it ends: got %v, want Failed", got)
		}
	}
	b.groups.remove(id)
	if got := errorCode(t, b.post("DeleteContainerGroup", params("ContainerGroupId", id))); got != "InvalidParameterValue" {
		t.Errorf("delete after the end: got %s", got)
	}
	b.leaving.sweep()
	if len(b.leaving.statuses) != 0 {
		t.Errorf("still remembered: %v", b.leaving.statuses)
	}
}

// TestLeavingSweeps deletes many groups; the memory of them stays bounded.
func TestLeavingSweeps(t *testing.T) {
	b := newBench(t, nil)
	for i := range 4 * firstSweep {
		group := engine.Group{ID: fmt.Sprint(i), Status: engine.Running}
		b.leaving.note(&group) // the fake has never heard of it, so it is gone
	}
	if got := len(b.leaving.statuses); got > firstSweep {
		t.Errorf("%d groups are remembered, at most %d should be", got, firstSweep)
	}
}

func TestLog(t *testing.T) {
	lines := func(count int) string {
		var text strings.Builder
		for i := 3000 - count; i < 3000; i++ {
			fmt.Fprintf(&text, "line %d\n", i)
		}
		return text.String()
	}
	tests := map[string]struct {
		query []string
		err   error
		want  string
	}{
		"Default":    {nil, nil, lines(200)},
		"Some":       {[]string{"Tail", "3"}, nil, "line 2997\nline 2998\nline 2999\n"},
		"Clamped":    {[]string{"Tail", "2000"}, nil, lines(1000)},
		"NotStarted": {nil, engine.ErrNotRunning, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			id := decode(t, b.post("CreateContainerGroup", minimal())).ContainerGroupID
			for i := range 3000 {
				b.groups.logs = append(b.groups.logs, engine.LogLine{Text: fmt.Sprintf("line %d", i)})
			}
			if b.groups.logErr = tc.err; tc.err != nil {
				b.groups.logs = nil
			}
			query := append([]string{"ContainerGroupId", id, "ContainerName", "nginx-container"}, tc.query...)
			w := b.post("DescribeContainerLog", params(query...))
			if got := decode(t, w).Content; w.Code != http.StatusOK || got != tc.want {
				t.Errorf("got %d and %d bytes, want %d", w.Code, len(got), len(tc.want))
			}
		})
	}
	b := newBench(t, nil)
	if got := errorCode(t, b.post("DescribeContainerLog", params("ContainerGroupId", "x", "ContainerName", "c", "Tail", "0"))); got != "InvalidParameterValue" {
		t.Errorf("Tail 0: got %s", got)
	}
}
