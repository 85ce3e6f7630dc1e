package eci

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/cumulet/cumulet/cloudapi"
)

func TestLogs(t *testing.T) {
	lines := func(n int) string { return strings.Repeat("x\n", n) }
	base := func(tail, bytes string, more ...string) url.Values {
		form := url.Values{"RegionId": {"cn-hangzhou"}, "ContainerGroupId": {"eci-1"}, "ContainerName": {"c"}, "Tail": {tail}, "LimitBytes": {bytes}}
		for i := 0; i < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return form
	}
	cases := map[string]struct {
		reason   string
		options  cloudapi.LogOptions
		content  string
		form     url.Values
		complete bool
	}{
		"All":        {"the cloud's greatest window", cloudapi.LogOptions{}, lines(5), base("2000", "1048576"), true},
		"Empty":      {"nothing was written", cloudapi.LogOptions{}, "", base("2000", "1048576"), true},
		"CutLines":   {"the window is full of lines", cloudapi.LogOptions{}, lines(2000), base("2000", "1048576"), false},
		"LastLine":   {"a last line without newline counts", cloudapi.LogOptions{}, lines(1999) + "y", base("2000", "1048576"), false},
		"CutBytes":   {"the window is full of bytes", cloudapi.LogOptions{}, strings.Repeat("x", 1<<20), base("2000", "1048576"), false},
		"Tail":       {"what was asked for came", cloudapi.LogOptions{TailLines: 10}, lines(10), base("10", "1048576"), true},
		"TailWide":   {"more lines than the cloud gives", cloudapi.LogOptions{TailLines: 5000}, lines(2000), base("2000", "1048576"), false},
		"TailBytes":  {"few lines, but too long", cloudapi.LogOptions{TailLines: 10}, strings.Repeat("x", 1<<20), base("10", "1048576"), false},
		"LimitBytes": {"a cap of the caller's", cloudapi.LogOptions{LimitBytes: 100}, strings.Repeat("x", 100), base("2000", "100"), true},
		"Options": {"all others", cloudapi.LogOptions{
			Since: time.Date(2026, 1, 2, 17, 4, 5, 999, time.FixedZone("", 2*60*60)), Previous: true, Timestamps: true,
		}, lines(1), base("2000", "1048576", "StartTime", "2026-01-02T15:04:05Z", "LastTime", "true", "Timestamps", "true"), true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			client, s := play(t, step{action: opLog, answer: says(200, fmt.Sprintf(`{"RequestId":"R","ContainerName":"c","Content":%q}`, tc.content))})
			got, err := client.Logs(t.Context(), "eci-1", "c", tc.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(cloudapi.LogChunk{Content: tc.content, Complete: tc.complete}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.form, s.form()); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLogsRefuses(t *testing.T) {
	client, _ := play(t)
	for _, opts := range []cloudapi.LogOptions{{TailLines: -1}, {LimitBytes: -1}} {
		if _, err := client.Logs(t.Context(), "eci-1", "c", opts); !cloudapi.Is(err, cloudapi.CodeInvalid) {
			t.Errorf("%+v: got %v, want code Invalid", opts, err)
		}
	}
	if _, err := client.Logs(t.Context(), "eci-1", "", cloudapi.LogOptions{}); !cloudapi.Is(err, cloudapi.CodeInvalid) {
		t.Errorf("got %v without a container, want code Invalid", err)
	}
}

func TestExec(t *testing.T) {
	upgrader := websocket.Upgrader{}
	sessions := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_ = conn.WriteMessage(websocket.BinaryMessage, []byte("\x01hello"))
		_ = conn.WriteMessage(websocket.BinaryMessage, []byte("\x03command terminated with exit code 3"))
	}))
	t.Cleanup(sessions.Close)
	address := "ws" + strings.TrimPrefix(sessions.URL, "http") + "/exec/?s=ticket"
	client, s := play(t, step{action: opExec, answer: says(200, fmt.Sprintf(`{"RequestId":"R","HttpUrl":"https://console","WebSocketUri":%q}`, address))})
	var out strings.Builder
	exit, err := client.Exec(t.Context(), "eci-1", "c", cloudapi.ExecOptions{Command: []string{"echo", `"a b"`, "<&>"}, Stdout: &out})
	if err != nil || exit != 3 || out.String() != "hello" {
		t.Errorf("got %q, exit code %d, error %v; want hello and 3", out.String(), exit, err)
	}
	want := url.Values{
		"RegionId": {"cn-hangzhou"}, "ContainerGroupId": {"eci-1"}, "ContainerName": {"c"},
		"Command": {`["echo","\"a b\"","\u003c\u0026\u003e"]`}, "TTY": {"false"}, "Stdin": {"false"}, "Sync": {"false"},
	}
	if diff := cmp.Diff(want, s.form()); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

func TestExecRefuses(t *testing.T) {
	cases := map[string]struct {
		command []string
		want    string
	}{
		"Nothing":    {nil, "Command: has 0 elements; the cloud takes 1 to 20"},
		"TooMany":    {make([]string, 21), "Command: has 21 elements; the cloud takes 1 to 20"},
		"TooLong":    {[]string{"sh", strings.Repeat("ä", 257)}, "Command[1]: has 257 characters; the cloud takes at most 256"},
		"TooLongAll": {strings.Split(strings.Repeat(strings.Repeat("x", 256)+" ", 8)+"x", " "), "Command: has 2049 characters in all; the cloud takes at most 2048"},
		"NotUnicode": {[]string{"\xff"}, "Command[0]: is not UTF-8"},
	}
	for name, tc := range cases {
		client, _ := play(t)
		_, err := client.Exec(t.Context(), "eci-1", "c", cloudapi.ExecOptions{Command: tc.command})
		if !cloudapi.Is(err, cloudapi.CodeInvalid) || !strings.HasSuffix(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
	}
}

func TestExecIsNotRepeatedBlindly(t *testing.T) {
	client, _ := play(t, step{action: opExec, answer: refuses(400, "Throttling")}, step{action: opExec, answer: hangsUp})
	_, err := client.Exec(t.Context(), "eci-1", "c", cloudapi.ExecOptions{Command: []string{"rm"}})
	if !cloudapi.Is(err, cloudapi.CodeUnavailable) {
		t.Errorf("got %v, want code Unavailable", err)
	}
}
