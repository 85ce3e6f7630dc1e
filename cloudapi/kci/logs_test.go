package kci

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

func TestLogs(t *testing.T) {
	thousand := strings.Repeat("line\n", 1000)
	cases := map[string]struct {
		opts    cloudapi.LogOptions
		tail    string
		content string
		want    cloudapi.LogChunk
	}{
		"All":           {cloudapi.LogOptions{}, "1000", `"a\nb\n"`, cloudapi.LogChunk{Content: "a\nb\n", Complete: true}},
		"MaybeMore":     {cloudapi.LogOptions{}, "1000", fmt.Sprintf("%q", thousand), cloudapi.LogChunk{Content: thousand}},
		"Tail":          {cloudapi.LogOptions{TailLines: 2}, "2", `"a\nb\n"`, cloudapi.LogChunk{Content: "a\nb\n"}},
		"TailAndFewer":  {cloudapi.LogOptions{TailLines: 3}, "3", `"a\nb"`, cloudapi.LogChunk{Content: "a\nb", Complete: true}},
		"LastUnended":   {cloudapi.LogOptions{TailLines: 2}, "2", `"a\nb"`, cloudapi.LogChunk{Content: "a\nb"}},
		"MoreThanThere": {cloudapi.LogOptions{TailLines: 5000}, "1000", `"a"`, cloudapi.LogChunk{Content: "a", Complete: true}},
		"Empty":         {cloudapi.LogOptions{}, "1000", `""`, cloudapi.LogChunk{Complete: true}},
		"Null":          {cloudapi.LogOptions{}, "1000", `null`, cloudapi.LogChunk{Complete: true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := script(t, step{actionLog,
				map[string]string{"ContainerGroupId": "g-1", "ContainerName": "web", "Tail": tc.tail},
				answers(200, fmt.Sprintf(`{"RequestId":"r","Content":%s}`, tc.content))})
			got, err := connect(t, server).Logs(t.Context(), "g-1", "web", tc.opts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("chunk (-want +got):\n%s", diff)
			}
		})
	}
}

// An answer without content is no empty log.
func TestLogsWithoutContent(t *testing.T) {
	fault := answers(200, `{"RequestId":"r"}`)
	steps := make([]step, 5)
	for i := range steps {
		steps[i] = step{action: actionLog, do: fault}
	}
	_, err := connect(t, script(t, steps...)).Logs(t.Context(), "g-1", "web", cloudapi.LogOptions{})
	if !cloudapi.Is(err, cloudapi.CodeUnavailable) {
		t.Errorf("error %v, want Unavailable", err)
	}
}

// TestLogsOfNoGroup: the log of a group that is gone is the proof that it is.
func TestLogsOfNoGroup(t *testing.T) {
	for name, tc := range map[string]struct {
		status        int
		code, message string
		want          cloudapi.Code
	}{
		"ByItsCode":    {400, "ContainerGroupNotFound", "", cloudapi.CodeNotFound},
		"ByItsMessage": {404, "InvalidContainerGroup", "container group g-1 does not exist", cloudapi.CodeNotFound},
		"Odd":          {400, "Strange", "try later", cloudapi.CodeUnknown},
		"NoSuchAction": {404, "NoSuchEntity", "the action is not found", cloudapi.CodeUnavailable},
		"NotAllowed":   {403, "AccessDenied", "policy not found", cloudapi.CodeForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			server := script(t, step{action: actionLog, do: refuses(tc.status, tc.code, tc.message)})
			_, err := connect(t, server).Logs(t.Context(), "g-1", "web", cloudapi.LogOptions{})
			if got := cloudapi.CodeOf(err); got != tc.want {
				t.Errorf("code %s of %v, want %s", got, err, tc.want)
			}
		})
	}
}

func TestLogsRefuses(t *testing.T) {
	const lacks = "DescribeContainerLog: Unsupported: KCI tells the last lines of a log only; it has no "
	cases := map[string]struct {
		id, container string
		opts          cloudapi.LogOptions
		want          string
	}{
		"Since":      {"g", "c", cloudapi.LogOptions{Since: now}, lacks + "since"},
		"Everything": {"g", "c", cloudapi.LogOptions{Since: now.Add(time.Hour), Previous: true, Timestamps: true, LimitBytes: 1}, lacks + "limitBytes, previous, since, timestamps"},
		"Negative":   {"g", "c", cloudapi.LogOptions{TailLines: -1}, "DescribeContainerLog: Invalid: tailLines is -1; it must not be negative"},
		"NoGroup":    {"", "c", cloudapi.LogOptions{}, "DescribeContainerLog: Invalid: the group's id is empty"},
		"NoName":     {"g", "", cloudapi.LogOptions{}, "DescribeContainerLog: Invalid: the container's name is empty"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := connect(t, script(t)).Logs(t.Context(), tc.id, tc.container, tc.opts)
			if diff := cmp.Diff(tc.want, errorText(err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMetricsAreUnsupported(t *testing.T) {
	if _, err := connect(t, script(t)).Metrics(t.Context(), []string{"g"}); !cloudapi.Is(err, cloudapi.CodeUnsupported) {
		t.Errorf("error %v, want Unsupported", err)
	}
}
