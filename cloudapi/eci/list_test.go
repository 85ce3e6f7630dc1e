package eci

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

var owner = cloudapi.Owner{Cluster: "c-1", Node: "vk-1"}

func TestList(t *testing.T) {
	empty := `{"RequestId":"R","TotalCount":0,"NextToken":"","Data":[]}`
	cases := map[string]struct {
		reason  string
		answers []func(http.ResponseWriter, *http.Request)
		want    []string // ids
		code    cloudapi.Code
	}{
		"Empty":          {"no groups are a list, not nothing", []func(http.ResponseWriter, *http.Request){says(200, empty)}, []string{}, ""},
		"NullList":       {"null is an empty list too", []func(http.ResponseWriter, *http.Request){says(200, `{"RequestId":"R","Data":null}`)}, []string{}, ""},
		"Pages":          {"all pages, in order", []func(http.ResponseWriter, *http.Request){statusOfIDs("n1", "a", "b"), statusOfIDs("n2"), statusOfIDs("", "c")}, []string{"a", "b", "c"}, ""},
		"MovedBetween":   {"a group on two pages is one group", []func(http.ResponseWriter, *http.Request){statusOfIDs("n1", "a", "b"), statusOfIDs("", "b", "c")}, []string{"a", "b", "c"}, ""},
		"SecondFails":    {"a page that fails voids the whole", []func(http.ResponseWriter, *http.Request){statusOfIDs("n1", "a"), refuses(403, "Forbidden.RAM")}, nil, cloudapi.CodeForbidden},
		"TransientError": {"a page that fails once does not", []func(http.ResponseWriter, *http.Request){statusOfIDs("n1", "a"), says(502, "<html>"), hangsUp, statusOfIDs("", "b")}, []string{"a", "b"}, ""},
		"TokenRepeats":   {"pages in a circle never end", []func(http.ResponseWriter, *http.Request){statusOfIDs("n1", "a"), statusOfIDs("n2", "b"), statusOfIDs("n1", "a")}, nil, cloudapi.CodeUnavailable},
		"TokenStays":     {"nor does a page that leads to itself", []func(http.ResponseWriter, *http.Request){statusOfIDs("n1", "a"), statusOfIDs("n1", "a")}, nil, cloudapi.CodeUnavailable},
		"CountNoList":    {"a count without a list is no truth", slices.Repeat([]func(http.ResponseWriter, *http.Request){says(200, `{"RequestId":"R","TotalCount":3}`)}, 4), nil, cloudapi.CodeUnavailable},
		"EmptyObject":    {"an answer of nobody is none", slices.Repeat([]func(http.ResponseWriter, *http.Request){says(200, `{}`)}, 4), nil, cloudapi.CodeUnavailable},
		"ListIsObject":   {"a list of another shape is no empty list", slices.Repeat([]func(http.ResponseWriter, *http.Request){says(200, `{"RequestId":"R","Data":{"Item":[]}}`)}, 4), nil, cloudapi.CodeUnavailable},
		"NoID":           {"a group without id hides which it is", slices.Repeat([]func(http.ResponseWriter, *http.Request){says(200, `{"RequestId":"R","Data":[{"Status":"Running"}]}`)}, 4), nil, cloudapi.CodeUnavailable},
		"Truncated":      {"half a page is none", slices.Repeat([]func(http.ResponseWriter, *http.Request){says(200, `{"RequestId":"R","Data":[{"ContainerGroupId":"a"},`)}, 4), nil, cloudapi.CodeUnavailable},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var steps []step
			for _, answer := range tc.answers {
				steps = append(steps, step{action: opStatus, answer: answer})
			}
			client, s := play(t, steps...)
			list, err := client.List(t.Context(), owner)
			if tc.code != "" {
				if !cloudapi.Is(err, tc.code) || list != nil {
					t.Errorf("%s: got %d groups and %v, want none and code %s", tc.reason, len(list), err, tc.code)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			ids := []string{}
			for _, summary := range list {
				ids = append(ids, summary.ID)
			}
			if diff := cmp.Diff(tc.want, ids); diff != "" || list == nil {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			want := url.Values{"RegionId": {"cn-hangzhou"}, "Limit": {"200"},
				"Tag.1.Key": {"cumulet.dev/cluster"}, "Tag.1.Value": {"c-1"}, "Tag.2.Key": {"cumulet.dev/node"}, "Tag.2.Value": {"vk-1"}}
			if diff := cmp.Diff(want, s.form()); diff != "" {
				t.Errorf("parameters of the first page (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListNeedsAnOwner(t *testing.T) {
	client, _ := play(t)
	for _, o := range []cloudapi.Owner{{}, {Cluster: "c"}, {Node: "n"}} {
		if _, err := client.List(t.Context(), o); !cloudapi.Is(err, cloudapi.CodeInvalid) {
			t.Errorf("%+v: got %v, want code Invalid: half a filter finds others' groups", o, err)
		}
	}
}

// cloud answers DescribeContainerGroups for the groups it has, three per page.
type cloud struct {
	t    *testing.T
	have map[string]bool

	mu      sync.Mutex
	batches []int
	pages   int
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	var ids []string
	if err := json.Unmarshal([]byte(r.PostForm.Get("ContainerGroupIds")), &ids); err != nil {
		c.t.Errorf("ContainerGroupIds: %v", err)
	}
	if r.PostForm.Get("WithEvent") != "true" || r.PostForm.Get("Limit") != "20" {
		c.t.Errorf("parameters %v", r.PostForm)
	}
	var found []string
	for _, id := range ids {
		if c.have[id] {
			found = append(found, id)
		}
	}
	slices.Reverse(found) // the cloud has an order of its own
	c.mu.Lock()
	c.pages++
	from := 0
	if token := r.PostForm.Get("NextToken"); token != "" {
		_, _ = fmt.Sscan(token, &from)
	} else {
		c.batches = append(c.batches, len(ids))
	}
	c.mu.Unlock()
	next := ""
	if len(found)-from > 3 {
		next = fmt.Sprint(from + 3)
	}
	groupsOf(next, append(found[from:min(len(found), from+3)], "eci-stranger")...)(w, r)
}

func TestGet(t *testing.T) {
	var ids, want []string
	c := &cloud{t: t, have: map[string]bool{}}
	for i := range 45 {
		id := fmt.Sprintf("eci-%02d", i)
		ids = append(ids, id, id, "")
		if i%5 != 0 {
			c.have[id] = true
			want = append(want, id)
		}
	}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	client := quickClient(t, Options{Endpoint: server.URL})
	groups, err := client.Get(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range groups {
		got = append(got, g.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("groups in the order asked for, without strangers (-want +got):\n%s", diff)
	}
	slices.Sort(c.batches)
	if diff := cmp.Diff([]int{5, 20, 20}, c.batches); diff != "" {
		t.Errorf("sizes of batches (-want +got):\n%s", diff)
	}
	if c.pages != 6+6+2 { // 16, 16 and 4 groups, three per page
		t.Errorf("%d pages were read, want 14", c.pages)
	}
}

func TestGetIsCompleteOrAnError(t *testing.T) {
	client, _ := play(t,
		step{action: opGroups, answer: groupsOf("n1", "a")},
		step{action: opGroups, answer: refuses(403, "Forbidden.RAM")})
	if groups, err := client.Get(t.Context(), []string{"a", "b"}); !cloudapi.Is(err, cloudapi.CodeForbidden) || groups != nil {
		t.Errorf("got %d groups and %v, want none and code Forbidden", len(groups), err)
	}
	client, _ = play(t)
	groups, err := client.Get(t.Context(), nil)
	if err != nil || groups == nil || len(groups) != 0 {
		t.Errorf("got %v, %v for no ids, want an empty list without a call", groups, err)
	}
}

// TestUnknownIDRefused: a cloud that refuses a whole batch for one unknown id.
func TestUnknownIDRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		var ids []string
		if err := json.Unmarshal([]byte(r.PostForm.Get("ContainerGroupIds")), &ids); err != nil {
			t.Errorf("ContainerGroupIds: %v", err)
		}
		if slices.Contains(ids, "gone-1") || slices.Contains(ids, "gone-2") {
			refuses(http.StatusNotFound, "InvalidParameter.NotFound")(w, r)
			return
		}
		groupsOf("", ids...)(w, r)
	}))
	t.Cleanup(server.Close)
	client := quickClient(t, Options{Endpoint: server.URL})
	groups, err := client.Get(t.Context(), []string{"a", "gone-1", "b", "c", "d", "gone-2"})
	var got []string
	for _, g := range groups {
		got = append(got, g.ID)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

func TestMetrics(t *testing.T) {
	client, s := play(t, step{action: opMetrics, answer: says(200, `{"RequestId":"R","MonitorDatas":[
		{"ContainerGroupId":"b","Records":[{"Timestamp":"2026-01-02T15:00:00Z","CPU":{"UsageNanoCores":5}}]},
		{"ContainerGroupId":"a","Records":[{"Timestamp":"2026-01-02T15:00:00Z","CPU":{"UsageNanoCores":4}}]},
		{"ContainerGroupId":"c","Records":null}]}`)})
	got, err := client.Metrics(t.Context(), []string{"a", "b", "c", "d"})
	if err != nil {
		t.Fatal(err)
	}
	want := []cloudapi.GroupMetrics{
		{GroupID: "a", Time: utc(15, 0, 0), CPU: cloudapi.CPUUsage{UsageNanoCores: 4}},
		{GroupID: "b", Time: utc(15, 0, 0), CPU: cloudapi.CPUUsage{UsageNanoCores: 5}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	form := url.Values{"RegionId": {"cn-hangzhou"}, "ContainerGroupIds": {`["a","b","c","d"]`}, "MetricType": {"summary"}}
	if diff := cmp.Diff(form, s.form()); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}
