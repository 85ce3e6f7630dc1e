package eci

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	clocktesting "k8s.io/utils/clock/testing"
)

// The keys of the tests' account.
var (
	testKey = AccessKey{ID: "key-1", Secret: "secret-1"}
	stsKey  = AccessKey{ID: "STS.key-2", Secret: "secret-2", SecurityToken: "token-2", Expires: Start.Add(time.Hour)}
	oldKey  = AccessKey{ID: "key-3", Secret: "secret-3", Expires: Start.Add(-time.Second)}
	readKey = AccessKey{ID: "key-4", Secret: "secret-4", Deny: []string{"Create*", "Describe*", "ListTagResources"}}
)

// rig is a server over a fake engine and a fake clock.
type rig struct {
	t      *testing.T
	clock  *clocktesting.FakeClock
	groups *FakeGroups
	server *Server
}

func newRig(t *testing.T, change ...func(*Options)) *rig {
	t.Helper()
	c := clocktesting.NewFakeClock(Start)
	r := &rig{t: t, clock: c, groups: NewFakeGroups(c)}
	o := Options{
		Groups: r.groups, Clock: c, Region: "cn-hangzhou", Zones: []string{"cn-hangzhou-b", "cn-hangzhou-h"},
		Keys: []AccessKey{testKey, stsKey, oldKey, readKey},
	}
	for _, f := range change {
		f(&o)
	}
	r.server = New(o)
	return r
}

// request builds a request "METHOD query" or "METHOD query body", signed in RPC
// style with key.
func (r *rig) request(text string, key AccessKey) *http.Request {
	r.t.Helper()
	parts := append(strings.SplitN(text, " ", 3), "", "")
	method, query, body := parts[0], parts[1], parts[2]
	params, err := url.ParseQuery(query)
	if err != nil {
		r.t.Fatalf("parsing query of test: %v", err)
	}
	form, err := url.ParseQuery(body)
	if err != nil {
		r.t.Fatalf("parsing body of test: %v", err)
	}
	for name, v := range map[string]string{
		"Version": "2018-08-08", "AccessKeyId": key.ID, "SecurityToken": key.SecurityToken,
		"SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": uuid.NewString(),
		"Timestamp": timestamp(r.clock.Now()),
	} {
		if params.Get(name) == "" && v != "" {
			params.Set(name, v)
		}
	}
	all := map[string]string{}
	for _, source := range []url.Values{params, form} {
		for name := range source {
			all[name] = source.Get(name)
		}
	}
	params.Set("Signature", signRPC(rpcStringToSign(method, all), key.Secret))
	req := httptest.NewRequest(method, "http://eci.test/?"+params.Encode(), strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req
}

// send sends a request and returns status and body.
func (r *rig) send(req *http.Request) (int, string) {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.server.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

// do sends a signed request of the account's first key.
func (r *rig) do(text string) (int, string) {
	r.t.Helper()
	return r.send(r.request(text, testKey))
}

// must sends a request that has to succeed and returns its answer.
func (r *rig) must(text string) map[string]any {
	r.t.Helper()
	status, body := r.do(text)
	if status != http.StatusOK {
		r.t.Fatalf("%s\nanswered %d %s", text, status, body)
	}
	return parse(r.t, body)
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var parsed map[string]any
	if err := json.Unmarshal([]byte(text), &parsed); err != nil {
		t.Fatalf("parsing answer %q: %v", text, err)
	}
	return parsed
}

// diffJSON compares two JSON texts apart from what differs from call to call.
func diffJSON(t *testing.T, want, got string) string {
	t.Helper()
	w, g := parse(t, want), parse(t, got)
	if id, ok := g["RequestId"].(string); !ok || uuid.Validate(id) != nil {
		t.Errorf("RequestId is %v; want a UUID", g["RequestId"])
	}
	for _, parsed := range []map[string]any{w, g} {
		delete(parsed, "RequestId")
		delete(parsed, "Recommend")
		delete(parsed, "HostId")
	}
	return cmp.Diff(w, g)
}

// codeOf is the Code of an error answer.
func codeOf(t *testing.T, body string) string {
	t.Helper()
	name, _ := parse(t, body)["Code"].(string)
	return name
}

// simple is a create request of one container.
const simple = "POST Action=CreateContainerGroup&RegionId=cn-hangzhou&ContainerGroupName=web-1" +
	"&Container.1.Name=app&Container.1.Image=nginx:1.25"
