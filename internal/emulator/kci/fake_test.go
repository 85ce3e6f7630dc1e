package kci

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	testclock "k8s.io/utils/clock/testing"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// testTime is the moment of the signature vectors and of the example in the KCI
// document.
var testTime = time.Date(2020, 10, 10, 3, 55, 4, 0, time.UTC)

const (
	testKey    = "AKTEST"
	testSecret = "SKTEST=="
)

// fakeGroups is the little of an engine that the protocol needs: groups stay in
// the state that a test puts them into.
type fakeGroups struct {
	mu     sync.Mutex
	groups []engine.Group
	now    func() time.Time
	logs   []engine.LogLine
	logErr error
	exec   func(ctx context.Context, req engine.ExecRequest) (int, error)
	// deleteErr is what Delete answers for a group that exists.
	deleteErr error
}

func (f *fakeGroups) Create(spec engine.Spec) engine.Group {
	f.mu.Lock()
	defer f.mu.Unlock()
	group := engine.Group{
		ID: fmt.Sprintf("9f0c0be6-f6fe-4e29-af1a-%012d", len(f.groups)+1), Spec: &spec,
		Status: engine.Scheduling, CreatedAt: f.now(), Tags: spec.Tags,
	}
	f.groups = append(f.groups, group)
	return group
}

func (f *fakeGroups) Get(id string) (engine.Group, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := f.index(id); i >= 0 {
		return f.groups[i], nil
	}
	return engine.Group{}, fmt.Errorf("getting group: %w", engine.ErrNotFound)
}

func (f *fakeGroups) index(id string) int {
	return slices.IndexFunc(f.groups, func(g engine.Group) bool { return g.ID == id })
}

func (f *fakeGroups) List(keep func(*engine.Group) bool) []engine.Group {
	f.mu.Lock()
	defer f.mu.Unlock()
	var kept []engine.Group
	for _, group := range f.groups {
		if keep == nil || keep(&group) {
			kept = append(kept, group)
		}
	}
	return kept
}

func (f *fakeGroups) Delete(id string, _ bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.index(id)
	if i < 0 {
		return engine.ErrNotFound
	}
	f.groups[i].Status = engine.Terminating
	return f.deleteErr
}

// change changes a group as an engine would in the course of time.
func (f *fakeGroups) change(id string, change func(*engine.Group)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.groups[f.index(id)])
}

// remove makes a group vanish.
func (f *fakeGroups) remove(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.groups = slices.Delete(f.groups, f.index(id), f.index(id)+1)
}

func (f *fakeGroups) Restart(string) error                     { return engine.ErrState }
func (f *fakeGroups) Update(string, engine.Spec) error         { return engine.ErrState }
func (f *fakeGroups) SetTags(string, []engine.NameValue) error { return engine.ErrState }
func (f *fakeGroups) Usage(string) (engine.Usage, error)       { return engine.Usage{}, engine.ErrNotRunning }

func (f *fakeGroups) Logs(id, container string, _ bool) ([]engine.LogLine, error) {
	group, err := f.Get(id)
	if err != nil {
		return nil, err
	}
	named := func(c engine.Container) bool { return c.Name == container }
	if !slices.ContainsFunc(group.Spec.Containers, named) {
		return nil, engine.ErrNoContainer
	}
	return f.logs, f.logErr
}

func (f *fakeGroups) Exec(ctx context.Context, _, _ string, req engine.ExecRequest) (int, error) {
	return f.exec(ctx, req)
}

// bench is a server with its fake engine and clock.
type bench struct {
	*Server
	groups *fakeGroups
	clock  *testclock.FakeClock
}

func newBench(t testing.TB, change func(*Options)) *bench {
	t.Helper()
	fake := testclock.NewFakeClock(testTime)
	groups := &fakeGroups{now: fake.Now}
	options := Options{
		Groups: groups, Clock: fake, Keys: []AccessKey{{ID: testKey, Secret: testSecret}},
	}
	if change != nil {
		change(&options)
	}
	return &bench{New(options), groups, fake}
}

func seedDialect(o *Options) { o.Dialect = Seed }

// params are alternating names and values.
func params(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values
}

// post sends an action the way the KCI document recommends, signed by AWS's own
// signer.
func (b *bench) post(action string, values url.Values) *httptest.ResponseRecorder {
	values.Set("Action", action)
	values.Set("Version", "2020-07-02")
	r := httptest.NewRequest(http.MethodPost, "https://kci.cn-beijing-6.api.ksyun.com/", strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	signV4(r, values.Encode(), b.clock.Now())
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}

// signV4 signs with AWS's own signer.
func signV4(r *http.Request, body string, at time.Time) {
	credentials := aws.Credentials{AccessKeyID: testKey, SecretAccessKey: testSecret}
	err := v4.NewSigner().SignHTTP(context.Background(), credentials, r, hexSHA256([]byte(body)), service, "cn-beijing-6", at)
	if err != nil {
		panic(err)
	}
}

// minimal is the least that creates a group.
func minimal(extra ...string) url.Values {
	values := params(
		"ContainerGroupName", "nginx-kci", "SubnetId", "f2ac1919-0e34-4812-8290-000000000001",
		"SecurityGroupId.1", "d46c7672-7ca9-4f51-8290-000000000002", "ChargeType", "HourlyInstantSettlement",
		"Cpu", "2", "Memory", "4", "Container.1.Name", "nginx-container", "Container.1.Image", "nginx",
	)
	for i := 0; i < len(extra); i += 2 {
		values.Set(extra[i], extra[i+1])
	}
	return values
}
