package emulator

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/cumulet/cumulet/internal/emulator/admin"
)

// patience is how long a test polls for what must come.
const patience = 20 * time.Second

// start serves both clouds until the test ends.
func start(t *testing.T) (*Emulator, Config) {
	t.Helper()
	e := New(Options{ErrorLog: log.New(io.Discard, "", 0)})
	if err := e.Start(t.Context()); err != nil {
		t.Fatalf("starting: %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return e, e.Config()
}

// query makes a canonical query of NAME=value words.
func query(words ...string) string {
	values := url.Values{}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		values.Set(name, value)
	}
	return strings.ReplaceAll(values.Encode(), "+", "%20") // Encode sorts
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// callECI makes a call signed with ACS3-HMAC-SHA256 (Alibaba Cloud's page on
// the V3 request signature).
func callECI(t *testing.T, c CloudConfig, action string, words ...string) (int, map[string]any) {
	t.Helper()
	q := query(append(words, "RegionId="+c.Region)...)
	r, err := http.NewRequest(http.MethodPost, c.Endpoint+"/?"+q, nil)
	if err != nil {
		t.Fatalf("making a request: %v", err)
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce)
	headers := [][2]string{
		{"host", r.Host}, {"x-acs-action", action}, {"x-acs-content-sha256", digest("")},
		{"x-acs-date", time.Now().UTC().Format(time.RFC3339)}, {"x-acs-signature-nonce", hex.EncodeToString(nonce)},
		{"x-acs-version", "2018-08-08"},
	}
	canonical, names := "", []string{}
	for _, h := range headers {
		canonical += h[0] + ":" + h[1] + "\n"
		names = append(names, h[0])
		r.Header.Set(h[0], h[1])
	}
	signed := strings.Join(names, ";")
	text := strings.Join([]string{"POST", "/", q, canonical, signed, digest("")}, "\n")
	signature := hex.EncodeToString(mac([]byte(c.AccessKeySecret), "ACS3-HMAC-SHA256\n"+digest(text)))
	r.Header.Set("Authorization", fmt.Sprintf("ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s", c.AccessKeyID, signed, signature))
	return send(t, r)
}

// callKCI makes a call signed with AWS' signature version 4 (Kingsoft
// Cloud's page on API signatures).
func callKCI(t *testing.T, c CloudConfig, action string, words ...string) (int, map[string]any) {
	t.Helper()
	q := query(append(words, "Action="+action, "Version=2020-07-02")...)
	r, err := http.NewRequest(http.MethodGet, c.Endpoint+"/?"+q, nil)
	if err != nil {
		t.Fatalf("making a request: %v", err)
	}
	now := time.Now().UTC()
	date, day := now.Format("20060102T150405Z"), now.Format("20060102")
	r.Header.Set("X-Amz-Date", date)
	r.Header.Set("Accept", "application/json")
	canonical := strings.Join([]string{"GET", "/", q, "host:" + r.Host, "x-amz-date:" + date, "", "host;x-amz-date", digest("")}, "\n")
	scope := day + "/" + c.Region + "/kci/aws4_request"
	key := []byte("AWS4" + c.AccessKeySecret)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	signature := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"+digest(canonical)))
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=host;x-amz-date, Signature=%s", c.AccessKeyID, scope, signature))
	return send(t, r)
}

func send(t *testing.T, r *http.Request) (int, map[string]any) {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("calling: %v", err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Fatalf("answer %d %q: %v", answer.StatusCode, body, err)
	}
	return answer.StatusCode, fields
}

// text returns a string field of an answer that must be 200.
func text(t *testing.T, field string) func(int, map[string]any) string {
	return func(status int, answer map[string]any) string {
		t.Helper()
		value, ok := answer[field].(string)
		if status != http.StatusOK || !ok {
			t.Fatalf("answered %d %v, want 200 with %s", status, answer, field)
		}
		return value
	}
}

// groups asks the admin API.
func groups(t *testing.T, c Config) []admin.Group {
	t.Helper()
	answer, err := http.Get(c.Admin.Endpoint + "/groups")
	if err != nil {
		t.Fatalf("asking for groups: %v", err)
	}
	defer func() { _ = answer.Body.Close() }()
	var all []admin.Group
	if err := json.NewDecoder(answer.Body).Decode(&all); err != nil {
		t.Fatalf("reading groups: %v", err)
	}
	return all
}

// await polls until one group of a cloud satisfies a condition.
func await(t *testing.T, c Config, cloud, what string, holds func(admin.Group) bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		for _, g := range groups(t, c) {
			if g.Cloud == cloud && holds(g) {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s of %s; there are %+v", patience, what, cloud, groups(t, c))
		}
	}
}

func running(g admin.Group) bool { return g.Status == "Running" && g.IP != "" }
func gone(g admin.Group) bool    { return !g.Live && g.DeletedAt != nil && g.EndedAt != nil }

// eciGroup is a group whose container logs a line and then sleeps.
var eciGroup = []string{"ContainerGroupName=web", "Container.1.Name=app", "Container.1.Image=busybox", "Cpu=1", "Memory=2",
	"Container.1.Command.1=sh", "Container.1.Command.2=-c", "Container.1.Command.3=echo hello from $HOSTNAME; sleep infinity"}

func TestECI(t *testing.T) {
	_, c := start(t)
	id := text(t, "ContainerGroupId")(callECI(t, c.ECI, "CreateContainerGroup", eciGroup...))
	await(t, c, "eci", "a running group", running)
	deadline := time.Now().Add(patience)
	for log := ""; log != "hello from web\n"; {
		log = text(t, "Content")(callECI(t, c.ECI, "DescribeContainerLog", "ContainerGroupId="+id, "ContainerName=app"))
		if time.Now().After(deadline) {
			t.Fatalf("log %q", log)
		}
	}
	uri := text(t, "WebSocketUri")(callECI(t, c.ECI, "ExecContainerCommand", "ContainerGroupId="+id, "ContainerName=app",
		`Command=["sh","-c","read x; echo got $x; exit 3"]`))
	socket, answer, err := websocket.DefaultDialer.Dial(uri, nil)
	if err != nil {
		t.Fatalf("dialling %s: %v", uri, err)
	}
	defer func() { _ = socket.Close() }()
	_ = answer.Body.Close()
	if err := socket.WriteMessage(websocket.BinaryMessage, []byte("\x00word\n")); err != nil {
		t.Fatalf("writing: %v", err)
	}
	var got []string
	for {
		_, message, err := socket.ReadMessage()
		if err != nil {
			break
		}
		got = append(got, string(message))
	}
	if diff := cmp.Diff([]string{"\x01got word\n", "\x03command terminated with exit code 3"}, got); diff != "" {
		t.Errorf("exec (-want +got):\n%s", diff)
	}
	text(t, "RequestId")(callECI(t, c.ECI, "DeleteContainerGroup", "ContainerGroupId="+id))
	await(t, c, "eci", "a group that is gone", gone)
}

func TestKCI(t *testing.T) {
	_, c := start(t)
	id := text(t, "ContainerGroupId")(callKCI(t, c.KCI, "CreateContainerGroup", "ContainerGroupName=web", "SubnetId=s-1",
		"SecurityGroupId.1=sg-1", "ChargeType=HourlyInstantSettlement", "Cpu=1", "Memory=2",
		"Container.1.Name=app", "Container.1.Image=nginx"))
	await(t, c, "kci", "a running group", running)
	text(t, "RequestId")(callKCI(t, c.KCI, "DeleteContainerGroup", "ContainerGroupId="+id))
	await(t, c, "kci", "a group that is gone", gone)
}

func TestFaultsReachTheWire(t *testing.T) {
	_, c := start(t)
	body := `{"cloud":"eci","kind":"error","action":"DescribeContainerGroups","status":403,"code":"QuotaExceeded","message":"enough","times":1}`
	answer, err := http.Post(c.Admin.Endpoint+"/faults", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatalf("adding a fault: %v", err)
	}
	_ = answer.Body.Close()
	status, got := callECI(t, c.ECI, "DescribeContainerGroups")
	if status != http.StatusForbidden || got["Code"] != "QuotaExceeded" || got["Message"] != "enough" {
		t.Errorf("answered %d %v", status, got)
	}
	if status, got = callECI(t, c.ECI, "DescribeContainerGroups"); status != http.StatusOK {
		t.Errorf("after the fault: %d %v", status, got)
	}
	calls, err := http.Get(c.Admin.Endpoint + "/calls")
	if err != nil {
		t.Fatalf("asking for calls: %v", err)
	}
	defer func() { _ = calls.Body.Close() }()
	var reports map[string]admin.CallsReport
	if err := json.NewDecoder(calls.Body).Decode(&reports); err != nil {
		t.Fatalf("reading calls: %v", err)
	}
	want := map[string]admin.ActionCalls{"DescribeContainerGroups": {Total: 2, Answers: map[string]int{"200": 1, "403": 1}}}
	if diff := cmp.Diff(want, reports["eci"].Actions); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestLongRequestLines sends more than net/http takes by default, as ECI's SDK
// does with config files.
func TestLongRequestLines(t *testing.T) {
	_, c := start(t)
	status, got := callECI(t, c.ECI, "DescribeContainerGroups", "Padding="+strings.Repeat("x", 3<<20))
	if status == http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("answered %d %v", status, got)
	}
}

func TestCloseEndsExec(t *testing.T) {
	e, c := start(t)
	id := text(t, "ContainerGroupId")(callECI(t, c.ECI, "CreateContainerGroup", eciGroup...))
	await(t, c, "eci", "a running group", running)
	uri := text(t, "WebSocketUri")(callECI(t, c.ECI, "ExecContainerCommand", "ContainerGroupId="+id, "ContainerName=app", `Command=["sleep","infinity"]`))
	socket, answer, err := websocket.DefaultDialer.Dial(uri, nil)
	if err != nil {
		t.Fatalf("dialling: %v", err)
	}
	defer func() { _ = socket.Close() }()
	_ = answer.Body.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			if _, _, err := socket.ReadMessage(); err != nil {
				return
			}
		}
	}()
	if err := e.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("the exec session is still open")
	}
	if answer, err := http.Get(c.Admin.Endpoint + "/healthz"); err == nil {
		_ = answer.Body.Close()
		t.Error("the admin API still answers")
	}
}

func TestStartFailsWhole(t *testing.T) {
	_, c := start(t)
	taken := strings.TrimPrefix(c.ECI.Endpoint, "http://")
	e := New(Options{KCI: Cloud{Address: taken}})
	err := e.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "listening for kci on "+taken) {
		t.Errorf("starting on a taken address: %v", err)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e := New(Options{})
	if err := e.Start(ctx); err != nil {
		t.Fatalf("starting: %v", err)
	}
	cancel()
	for deadline := time.Now().Add(patience); ; {
		answer, err := http.Get(e.Config().Admin.Endpoint + "/healthz")
		if err != nil {
			return
		}
		_ = answer.Body.Close()
		if time.Now().After(deadline) {
			t.Fatal("it still serves")
		}
	}
}

func TestConfigWrite(t *testing.T) {
	c := Config{
		ECI:   CloudConfig{"http://127.0.0.1:1", "cn-hangzhou", "id1", "secret1"},
		KCI:   CloudConfig{"http://127.0.0.1:2", "cn-beijing-6", "id2", "secret2"},
		Admin: AdminConfig{"http://127.0.0.1:3"},
	}
	name := filepath.Join(t.TempDir(), "clouds.json")
	if err := os.WriteFile(name, []byte("old"), 0o644); err != nil {
		t.Fatalf("preparing: %v", err)
	}
	if err := c.Write(name); err != nil {
		t.Fatalf("writing: %v", err)
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	want := `{
  "eci": {
    "endpoint": "http://127.0.0.1:1",
    "region": "cn-hangzhou",
    "accessKeyId": "id1",
    "accessKeySecret": "secret1"
  },
  "kci": {
    "endpoint": "http://127.0.0.1:2",
    "region": "cn-beijing-6",
    "accessKeyId": "id2",
    "accessKeySecret": "secret2"
  },
  "admin": {
    "endpoint": "http://127.0.0.1:3"
  }
}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatalf("looking at the file: %v", err)
	}
	if info.Mode() != fs.FileMode(0o600) {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if err := c.Write(filepath.Join(t.TempDir(), "nowhere", "clouds.json")); err == nil {
		t.Error("writing into a directory that is not there succeeded")
	}
}
