package kci

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

func serve(b *bench, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}

func TestQuotas(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Quotas = map[string]Quota{"DescribeRegions": {PerSecond: 2, Burst: 2}} })
	ask := func() string { return errorText(t, b.post("DescribeRegions", params())) }
	const ok, limited = "200   ", "409 Sender LimitExceeded Request was rejected because the request speed of this openAPI is beyond the current flow control limit."
	got := []string{ask(), ask(), ask()}
	b.clock.Step(500 * time.Millisecond)
	got = append(got, ask(), ask())
	if diff := cmp.Diff([]string{ok, ok, limited, ok, limited}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for range 10 {
		if w := b.post("DescribeKciPackages", params()); w.Code != http.StatusOK {
			t.Errorf("an action without a quota: got %d", w.Code)
		}
	}
}

func TestDeny(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Keys[0].Deny = []string{"DeleteContainerGroup"} })
	got := []string{
		errorText(t, b.post("DeleteContainerGroup", params("ContainerGroupId", "x"))),
		errorText(t, b.post("DescribeContainerGroup", params())),
	}
	want := []string{"403 Sender AccessDenied User: AKTEST is not authorized to perform: kci:DeleteContainerGroup.", "200   "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDryRun checks that a dry run changes nothing and still refuses what is
// wrong.
func TestDryRun(t *testing.T) {
	b := newBench(t, nil)
	id := decode(t, b.post("CreateContainerGroup", minimal())).ContainerGroupID
	got := []string{
		errorCode(t, b.post("CreateContainerGroup", minimal("DryRun", "true"))),
		errorCode(t, b.post("CreateContainerGroup", minimal("DryRun", "true", "Cpu", "x"))),
		errorCode(t, b.post("DeleteContainerGroup", params("ContainerGroupId", id, "DryRun", "True"))),
		errorCode(t, b.post("DescribeContainerGroup", params("DryRun", "maybe"))),
		errorCode(t, b.post("DescribeContainerGroup", params("DryRun", "false"))),
	}
	if diff := cmp.Diff([]string{"DryRunOperation", "InvalidParameterValue", "DryRunOperation", "InvalidParameterValue", ""}, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	if len(b.groups.groups) != 1 || b.groups.groups[0].Status != engine.Scheduling {
		t.Errorf("something happened: %+v", b.groups.groups)
	}
}

func TestEngineErrors(t *testing.T) {
	tests := map[string]struct {
		err  error
		want string
	}{
		"State":   {engine.ErrState, `400 Sender InvalidParameterValue An invalid or out-of-range value was supplied for the input parameter ContainerGroupId: the state of container group "9f0c0be6-f6fe-4e29-af1a-000000000001" forbids this.`},
		"Strange": {errors.New("disk on fire"), "500 Receiver ServiceUnavailable Exception disk on fire"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			id := decode(t, b.post("CreateContainerGroup", minimal())).ContainerGroupID
			b.groups.deleteErr = tc.err
			if diff := cmp.Diff(tc.want, errorText(t, b.post("DeleteContainerGroup", params("ContainerGroupId", id)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRequestShape(t *testing.T) {
	request := func(method, target, contentType, body string) *http.Request {
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		return r
	}
	const form = "application/x-www-form-urlencoded"
	tests := map[string]struct {
		request *http.Request
		want    string
	}{
		"Path":        {request("GET", "/v1/?Action=DescribeRegions", form, ""), "404 Sender NoSuchEntity Request was rejected because it referenced an 'InnerApi' that does not exist."},
		"JSON":        {request("POST", "/", "application/json", "{}"), `400 Sender InvalidParameterValue An invalid or out-of-range value was supplied for the input parameter Content-Type: "application/json" must be application/x-www-form-urlencoded.`},
		"GetWithBody": {request("GET", "/", form, "Action=DescribeRegions"), "400 Sender InvalidQueryParameter The query parameter Action is malformed or does not adhere to KSC standards."},
		"TwoActions":  {request("POST", "/?Action=DescribeRegions", form, "Action=DeleteContainerGroup"), "400 Sender InvalidQueryParameter The query parameter Action is malformed or does not adhere to KSC standards."},
		"TooMuch":     {request("POST", "/", form, "A="+strings.Repeat("a", 8<<20)), "400 Sender InvalidParameterValue An invalid or out-of-range value was supplied for the input parameter (body): it must have at most 8 MiB."},
		"Nul":         {request("POST", "/", form, "A=%00"), "400 Sender InvalidQueryParameter The query parameter A is malformed or does not adhere to KSC standards."},
		"Delete":      {request("DELETE", "/", form, ""), "400 Sender InvalidMethod The method DELETE for is not valid for this web service."},
		"OddType":     {request("POST", "/", "form; charset", "A=b"), `400 Sender InvalidParameterValue An invalid or out-of-range value was supplied for the input parameter Content-Type: "form; charset" must be application/x-www-form-urlencoded.`},
		"Cut":         {request("POST", "/", form, ""), "400 Sender InvalidParameterValue An invalid or out-of-range value was supplied for the input parameter (body): it could not be read to its end."},
	}
	tests["Cut"].request.Body = io.NopCloser(failing{io.ErrUnexpectedEOF})
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, errorText(t, serve(newBench(t, nil), tc.request))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCommonParameters(t *testing.T) {
	tests := map[string]struct {
		extra []string
		want  string
	}{
		"Service":      {[]string{"Service", "kci"}, ""},
		"OtherService": {[]string{"Service", "kec"}, "NoSuchEntity"},
		"Account":      {[]string{"AccountId", "1", "UserId", "2", "RoleId", "3"}, ""},
		"JSON":         {[]string{"Format", "json"}, ""},
		"XML":          {[]string{"Format", "xml"}, "InvalidParameterValue"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := errorCode(t, newBench(t, seedDialect).post("DescribeContainerGroup", params(tc.extra...))); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestAction looks at a request's action and finds the body whole afterwards.
func TestAction(t *testing.T) {
	const form = "application/x-www-form-urlencoded; charset=utf-8"
	long := "Padding=" + strings.Repeat("a", 9<<20) + "&Action=DescribeRegions"
	tests := map[string]struct{ method, target, contentType, body, want string }{
		"Query":   {"GET", "/?Action=DescribeRegions&Version=1", form, "", "DescribeRegions"},
		"Body":    {"POST", "/", form, "Version=1&Action=DeleteContainerGroup", "DeleteContainerGroup"},
		"Both":    {"POST", "/?Action=DescribeRegions", form, "Action=DescribeRegions", "DescribeRegions"},
		"None":    {"POST", "/", form, "Version=1", ""},
		"GetBody": {"GET", "/", form, "Action=DescribeRegions", ""},
		"JSON":    {"POST", "/", "application/json", `{"Action":"x"}`, ""},
		"Broken":  {"POST", "/", form, "Action=%zz", ""},
		"TooLong": {"POST", "/", form, long, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, tc.target, strings.NewReader(tc.body))
			r.Header.Set("Content-Type", tc.contentType)
			if got := newBench(t, nil).Action(r); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil || !bytes.Equal(body, []byte(tc.body)) {
				t.Errorf("%d of %d bytes are left, error %v", len(body), len(tc.body), err)
			}
		})
	}
}

func TestParseDialect(t *testing.T) {
	for name, want := range map[string]Dialect{"": Extended, "extended": Extended, "seed": Seed, "loose": ""} {
		got, err := ParseDialect(name)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: got %q, %v", name, got, err)
		}
	}
}

// execBench is a server on 127.0.0.1 with a running container in which
// commands echo their input.
func execBench(t *testing.T) (*bench, *httptest.Server) {
	b := newBench(t, nil)
	b.groups.groups = append(b.groups.groups, exampleGroup())
	b.groups.exec = func(_ context.Context, req engine.ExecRequest) (int, error) {
		if _, err := io.WriteString(req.Stdout, strings.Join(req.Command, " ")); err != nil {
			return 0, err
		}
		line := make([]byte, 5)
		if _, err := io.ReadFull(req.Stdin, line); err != nil {
			return 0, err
		}
		_, err := req.Stdout.Write(bytes.ToUpper(line))
		return 0, err
	}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	return b, server
}

// mintURI calls ExecContainerCommand over the network.
func mintURI(t *testing.T, b *bench, server *httptest.Server) string {
	values := params(
		"Action", "ExecContainerCommand", "Version", "2020-07-02", "ContainerGroupId", "9f0c0be6-f6fe-4e29-af1axxxx",
		"ContainerName", "nginx-container", "Command.0", "echo", "Command.1", "a b",
	)
	r, err := http.NewRequest(http.MethodPost, server.URL, strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	signV4(r, values.Encode(), b.clock.Now())
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	w := httptest.NewRecorder()
	if _, err := io.Copy(w, response.Body); err != nil {
		t.Fatal(err)
	}
	uri := decode(t, w).WebSocketURI
	if want := "ws" + strings.TrimPrefix(server.URL, "http") + "/exec/?token="; !strings.HasPrefix(uri, want) {
		t.Fatalf("got %q %s, want %s...", uri, w.Body, want)
	}
	return uri
}

func TestExec(t *testing.T) {
	b, server := execBench(t)
	uri := mintURI(t, b, server)
	socket, response, err := websocket.DefaultDialer.Dial(uri, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	defer socket.Close()
	if err := socket.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := socket.WriteMessage(websocket.BinaryMessage, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	var output []byte
	for {
		_, part, err := socket.ReadMessage()
		if err != nil {
			if !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
				t.Errorf("the socket ended with %v", err)
			}
			break
		}
		output = append(output, part...)
	}
	if got, want := string(output), "echo a bHELLO"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestExecTokens checks that a URI serves once, and for 30 seconds.
func TestExecTokens(t *testing.T) {
	b, server := execBench(t)
	get := func(uri string) string {
		return errorText(t, serve(b, httptest.NewRequest(http.MethodGet, "http"+strings.TrimPrefix(uri, "ws"), nil)))
	}
	const refused = "403 Sender InvalidClientTokenId The security token included in the request is invalid."
	late := mintURI(t, b, server)
	b.clock.Step(30 * time.Second)
	if got := get(late); got != refused {
		t.Errorf("after 30 s: got %q", got)
	}
	twice := mintURI(t, b, server)
	if _, ok := b.sessions.redeem(twice[strings.Index(twice, "=")+1:]); !ok {
		t.Error("a fresh token was refused")
	}
	for name, uri := range map[string]string{"used": twice, "invented": server.URL + "/exec/?token=x", "none": server.URL + "/exec/"} {
		if got := get("ws" + strings.TrimPrefix(strings.TrimPrefix(uri, "ws"), "http")); got != refused {
			t.Errorf("%s: got %q", name, got)
		}
	}
	mintURI(t, b, server)
	b.clock.Step(time.Minute)
	mintURI(t, b, server)
	if got := len(b.sessions.waiting); got != 1 {
		t.Errorf("%d sessions wait, want 1", got)
	}
}

func TestExecRefusals(t *testing.T) {
	group, container := "9f0c0be6-f6fe-4e29-af1a-000000000001", "nginx-container"
	tests := map[string]struct {
		query []string
		want  string
	}{
		"NoGroup":     {[]string{"ContainerGroupId", "x", "ContainerName", container, "Command.1", "ls"}, `InvalidParameterValue An invalid or out-of-range value was supplied for the input parameter ContainerGroupId: container group "x" does not exist.`},
		"NoContainer": {[]string{"ContainerGroupId", group, "ContainerName", "x", "Command.1", "ls"}, `InvalidParameterValue An invalid or out-of-range value was supplied for the input parameter ContainerName: container "x" does not exist.`},
		"TooEarly":    {[]string{"ContainerGroupId", group, "ContainerName", container, "Command.1", "ls"}, `InvalidParameterValue An invalid or out-of-range value was supplied for the input parameter ContainerName: container "nginx-container" is not running.`},
		"NoCommand":   {[]string{"ContainerGroupId", group, "ContainerName", container}, `MissingParameter An value must be supplied for the input parameter Command.1.`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.post("CreateContainerGroup", minimal())
			got := errorText(t, b.post("ExecContainerCommand", params(tc.query...)))
			if diff := cmp.Diff("400 Sender "+tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
