package eci

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// idsOf are the ids in an answer's list, in order.
func idsOf(answer map[string]any, list string) []string {
	ids := []string{}
	items, _ := answer[list].([]any)
	for _, item := range items {
		id, _ := item.(map[string]any)["ContainerGroupId"].(string)
		ids = append(ids, id)
	}
	return ids
}

// pages walks all pages and returns their sizes and all ids.
func (r *rig) pages(request, list string, between func()) (sizes []int, ids []string) {
	r.t.Helper()
	token := ""
	for range 100 {
		answer := r.must(request + "&NextToken=" + token)
		page := idsOf(answer, list)
		sizes, ids = append(sizes, len(page)), append(ids, page...)
		token, _ = answer["NextToken"].(string)
		if token == "" {
			return sizes, ids
		}
		if between != nil {
			between()
		}
	}
	r.t.Fatal("the pages do not end")
	return nil, nil
}

func TestPaging(t *testing.T) {
	const at = "&RegionId=cn-hangzhou"
	cases := map[string]struct {
		request, list string
		want          []int
	}{
		"groups":        {"POST Action=DescribeContainerGroups" + at, "ContainerGroups", []int{20, 20, 20, 20, 20, 20, 5}},
		"groups by 7":   {"POST Action=DescribeContainerGroups&Limit=18" + at, "ContainerGroups", []int{18, 18, 18, 18, 18, 18, 17}},
		"statuses":      {"POST Action=DescribeContainerGroupStatus" + at, "Data", []int{50, 50, 25}},
		"statuses all":  {"POST Action=DescribeContainerGroupStatus&Limit=200" + at, "Data", []int{125}},
		"statuses even": {"POST Action=DescribeContainerGroupStatus&Limit=125" + at, "Data", []int{125}},
	}
	r := newRig(t)
	var all []string
	for i := range 125 {
		if i%50 == 0 {
			r.clock.Step(time.Second) // many groups of one time
		}
		id, _ := r.must(simple)["ContainerGroupId"].(string)
		all = append(all, id)
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			sizes, ids := r.pages(c.request, c.list, nil)
			if diff := cmp.Diff(c.want, sizes); diff != "" {
				t.Errorf("sizes of pages (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(all, ids); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
		})
	}
	if total := r.must("POST Action=DescribeContainerGroups" + at)["TotalCount"]; total != 125.0 {
		t.Errorf("TotalCount is %v; want 125", total)
	}
}

// What is deleted and created between pages neither hides nor repeats another.
func TestPagingWhileGroupsChange(t *testing.T) {
	r := newRig(t)
	for range 60 {
		r.must(simple)
	}
	n := 0
	_, ids := r.pages("POST Action=DescribeContainerGroups&RegionId=cn-hangzhou", "ContainerGroups", func() {
		n++
		// The last of a page seen, and one not seen yet.
		for _, i := range []int{n * 20, n*20 + 5} {
			r.must(fmt.Sprintf("POST Action=DeleteContainerGroup&RegionId=cn-hangzhou&ContainerGroupId=eci-%04d", i))
		}
	})
	want := []string{}
	for i := 1; i <= 60; i++ {
		if i != 25 && i != 45 {
			want = append(want, fmt.Sprintf("eci-%04d", i))
		}
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

func TestFilters(t *testing.T) {
	r := newRig(t)
	r.must(simple + "&Tag.1.Key=node&Tag.1.Value=n1&Tag.2.Key=uid&Tag.2.Value=u1&ZoneId=cn-hangzhou-h&SecurityGroupId=sg-1,sg-2")
	r.must(override(simple, "&ContainerGroupName=web-2") + "&Tag.1.Key=node&Tag.1.Value=n2&VSwitchId=vsw-9&ResourceGroupId=rg-9")
	r.must(simple + "&Tag.1.Key=node&Tag.1.Value=n1&ComputeCategory.1=general")
	r.groups.Run("eci-0002")
	r.clock.Step(10 * time.Minute)
	r.groups.Set("eci-0003", func(g *engine.Group) { g.ChangedAt = r.clock.Now() })
	const groups, statuses = "DescribeContainerGroups", "DescribeContainerGroupStatus"
	cases := map[string]struct {
		action, query string
		want          []string
	}{
		"tag":              {groups, "Tag.1.Key=node&Tag.1.Value=n1", []string{"eci-0001", "eci-0003"}},
		"tag key":          {groups, "Tag.1.Key=node", []string{"eci-0001", "eci-0002", "eci-0003"}},
		"tags by and":      {groups, "Tag.1.Key=node&Tag.1.Value=n1&Tag.2.Key=uid", []string{"eci-0001"}},
		"tag of no group":  {groups, "Tag.1.Key=node&Tag.1.Value=n3", []string{}},
		"ids":              {groups, `ContainerGroupIds=["eci-0003","eci-0001","eci-0003","eci-0009"]`, []string{"eci-0001", "eci-0003"}},
		"no ids":           {groups, `ContainerGroupIds=[]`, []string{}},
		"ids and tag":      {groups, `ContainerGroupIds=["eci-0002","eci-0001"]&Tag.1.Key=uid`, []string{"eci-0001"}},
		"name":             {groups, "ContainerGroupName=web-2", []string{"eci-0002"}},
		"status":           {groups, "Status=Running", []string{"eci-0002"}},
		"zone":             {groups, "ZoneId=cn-hangzhou-h", []string{"eci-0001"}},
		"vSwitch":          {groups, "VSwitchId=vsw-9", []string{"eci-0002"}},
		"security group":   {groups, "SecurityGroupId=sg-2", []string{"eci-0001"}},
		"resource group":   {groups, "ResourceGroupId=rg-9", []string{"eci-0002"}},
		"category":         {groups, "ComputeCategory=general", []string{"eci-0003"}},
		"status ids":       {statuses, `ContainerGroupIds=["eci-0002"]`, []string{"eci-0002"}},
		"status tag":       {statuses, "Tag.1.Key=node&Tag.1.Value=n2", []string{"eci-0002"}},
		"status since":     {statuses, "SinceSecond=60", []string{"eci-0003"}},
		"status since all": {statuses, "SinceSecond=600", []string{"eci-0001", "eci-0002", "eci-0003"}},
	}
	for name, c := range cases {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			list := map[string]string{groups: "ContainerGroups", statuses: "Data"}[c.action]
			answer := r.must("POST Action=" + c.action + "&RegionId=cn-hangzhou&" + c.query)
			if diff := cmp.Diff(c.want, idsOf(answer, list)); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
			if total := answer["TotalCount"]; total != float64(len(c.want)) {
				t.Errorf("TotalCount is %v; want %d", total, len(c.want))
			}
		})
	}
}

func TestEventFilters(t *testing.T) {
	r := newRig(t)
	for range 2 {
		r.must(simple)
	}
	r.groups.Set("eci-0001", func(g *engine.Group) {
		for i := range 60 {
			at := Start.Add(time.Duration(i) * time.Second)
			g.Events = append(g.Events, engine.Event{Type: "Normal", Reason: "Pulled", Message: fmt.Sprint(i), Count: 1, First: at, Last: at})
		}
		g.Events[58].Reason = "NoStock"
	})
	r.clock.Step(115 * time.Second) // 60 s after event 55
	cases := map[string]struct {
		query string
		want  map[string]int
	}{
		"the newest 50":         {"", map[string]int{"eci-0001": 50, "eci-0002": 0}},
		"of the service":        {"&EventSource=EciService", map[string]int{"eci-0001": 1, "eci-0002": 0}},
		"new ones":              {"&SinceSecond=60", map[string]int{"eci-0001": 5}},
		"new ones of the agent": {"&SinceSecond=60&EventSource=K8sAgent", map[string]int{"eci-0001": 4}},
	}
	for name, c := range cases {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			answer := r.must("POST Action=DescribeContainerGroupEvents&RegionId=cn-hangzhou" + c.query)
			got := map[string]int{}
			for i, id := range idsOf(answer, "Data") {
				events, _ := answer["Data"].([]any)[i].(map[string]any)["Events"].([]any)
				got[id] = len(events)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLogIsCut(t *testing.T) {
	r := newRig(t)
	r.must(simple)
	r.groups.Run("eci-0001")
	line := strings.Repeat("ä", 497) + "x" // 1000 bytes with its number and newline
	for i := range 2500 {
		r.groups.Lines = append(r.groups.Lines, engine.LogLine{Time: Start, Text: line + fmt.Sprintf("%04d", i)})
	}
	cases := map[string]struct {
		query       string
		first, last string
		lines       int
	}{
		"500 lines by default":     {"", "2000", "2499", 500},
		"1 MiB, old lines dropped": {"&Tail=2000", "1452", "2499", 1048},
	}
	for name, c := range cases {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			content, _ := r.must("POST Action=DescribeContainerLog&ContainerName=app&ContainerGroupId=eci-0001" + c.query)["Content"].(string)
			lines := strings.Split(strings.TrimSuffix(content, "\n"), "\n")
			first, last := lines[0], lines[len(lines)-1]
			if len(lines) != c.lines || !strings.HasSuffix(first, c.first) || !strings.HasSuffix(last, c.last) || len(first) != 999 {
				t.Errorf("%d lines from …%s to …%s; want %d from %s to %s",
					len(lines), first[len(first)-4:], last[len(last)-4:], c.lines, c.first, c.last)
			}
		})
	}
	t.Run("one long line", func(t *testing.T) {
		r.groups.Lines = []engine.LogLine{{Time: Start, Text: "a" + strings.Repeat("ä", 1<<20)}}
		content, _ := r.must("POST Action=DescribeContainerLog&ContainerName=app&ContainerGroupId=eci-0001")["Content"].(string)
		if len(content) != 1<<20-1 || !strings.HasPrefix(content, "ä") {
			t.Errorf("%d bytes, first %q; want 1048575 and ä", len(content), content[:2])
		}
	})
	t.Run("limit within a character", func(t *testing.T) {
		content, _ := r.must("POST Action=DescribeContainerLog&LimitBytes=2&ContainerName=app&ContainerGroupId=eci-0001")["Content"].(string)
		if content != "ä" {
			t.Errorf("content is %q; want ä", content)
		}
	})
}

// A large create goes through a form body too.
func TestLargeForm(t *testing.T) {
	r := newRig(t)
	file := url.QueryEscape(base64Of(30 << 10))
	form := strings.SplitN(simple, "&", 2)[1] + volume + "ConfigFileVolume" +
		many(90, "Volume.1.ConfigFileVolume.ConfigFileToPath.%d.Path=f%d&Volume.1.ConfigFileVolume.ConfigFileToPath.%d.Content="+file)
	r.must("POST Action=CreateContainerGroup " + form)
	items := r.groups.groups[0].Spec.Volumes[0].Files.Items
	if len(items) != 90 || len(items[89].Content) != 30<<10 {
		t.Errorf("%d files; want 90 of 30 KiB", len(items))
	}
}
