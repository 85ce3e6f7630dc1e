package eci

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// step is a request at a time, with the group it answers or the code.
type step struct {
	after   time.Duration
	request string
	want    string
}

func (r *rig) walk(steps []step) {
	r.t.Helper()
	for i, s := range steps {
		r.clock.Step(s.after)
		_, body := r.do(s.request)
		answer := parse(r.t, body)
		got, _ := answer["Code"].(string)
		if id, ok := answer["ContainerGroupId"].(string); ok {
			got = id
		}
		if got != s.want {
			r.t.Errorf("step %d answered %s; want %s", i+1, body, s.want)
		}
	}
}

func TestClientToken(t *testing.T) {
	const token = "&ClientToken=t-1"
	const restart = "POST Action=RestartContainerGroup&RegionId=cn-hangzhou&ContainerGroupId=eci-0001&ClientToken=t-1"
	cases := map[string]struct {
		reason string
		steps  []step
		groups int
		calls  []string
	}{
		"Repeat": {"the same request makes one group",
			[]step{{0, simple + token, "eci-0001"}, {time.Hour, simple + token, "eci-0001"}}, 1, nil},
		"OtherPlace": {"it does not matter whether a parameter stands in query or body",
			[]step{{0, simple + token, "eci-0001"}, {0, "POST RegionId=cn-hangzhou Action=CreateContainerGroup&ContainerGroupName=web-1&Container.1.Name=app&Container.1.Image=nginx:1.25" + token, "eci-0001"}}, 1, nil},
		"Mismatch": {"the same token with other parameters is an error",
			[]step{{0, simple + token, "eci-0001"}, {0, simple + token + "&Cpu=1", "IdempotentParameterMismatch"}}, 1, nil},
		"Expiry": {"a token lives for 24 hours",
			[]step{{0, simple + token, "eci-0001"}, {24*time.Hour - 1, simple + token, "eci-0001"}, {1, simple + token, "eci-0002"}}, 2, nil},
		"NoToken":    {"without a token each request makes a group", []step{{0, simple, "eci-0001"}, {0, simple, "eci-0002"}}, 2, nil},
		"EmptyToken": {"an empty token is none", []step{{0, simple + "&ClientToken=", "eci-0001"}, {0, simple + "&ClientToken=", "eci-0002"}}, 2, nil},
		"AfterFailure": {"a failure leaves the token free",
			[]step{{0, simple + token + "&Cpu=65", "InvalidParameter.CPU.Memory"}, {0, simple + token, "eci-0001"}}, 1, nil},
		"OtherAction": {"a token belongs to its action; a repeated restart does nothing",
			[]step{{0, simple + token, "eci-0001"}, {0, restart, "IncorrectStatus"}}, 1, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.walk(c.steps)
			if r.groups.Creates != c.groups {
				t.Errorf("%s: %d groups; want %d", c.reason, r.groups.Creates, c.groups)
			}
			if diff := cmp.Diff(c.calls, r.groups.Calls); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
	t.Run("Restart", func(t *testing.T) {
		r := newRig(t)
		r.must(simple)
		r.groups.Run("eci-0001")
		r.must(restart)
		r.must(restart)
		if diff := cmp.Diff([]string{"restart eci-0001"}, r.groups.Calls); diff != "" {
			t.Errorf("a repeated restart restarts again (-want +got):\n%s", diff)
		}
	})
}

// Requests with one token that come at the same time make one group: the second
// waits for the first.
func TestClientTokenInParallel(t *testing.T) {
	r := newRig(t)
	r.groups.Block = make(chan struct{})
	const parallel = 8
	answers := make([]string, parallel)
	var started, done sync.WaitGroup
	for i := range parallel {
		req := r.request(simple+"&ClientToken=t", testKey)
		started.Add(1)
		done.Go(func() {
			started.Done()
			_, answers[i] = r.send(req)
		})
	}
	started.Wait()
	close(r.groups.Block)
	done.Wait()
	for _, body := range answers {
		if got := parse(t, body)["ContainerGroupId"]; got != "eci-0001" {
			t.Errorf("answer is %s; want eci-0001", body)
		}
	}
	if r.groups.Creates != 1 {
		t.Errorf("%d groups; want 1", r.groups.Creates)
	}
}

func TestQuotas(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Quotas = PublishedQuotas() })
	// Burst 100, then one more each 50 ms.
	for i := range 100 {
		if status, body := r.do(simple); status != 200 {
			t.Fatalf("request %d of the burst answered %d %s", i+1, status, body)
		}
	}
	r.walk([]step{
		{0, simple, "Throttling.User"},
		{49 * time.Millisecond, simple, "Throttling.User"},
		{1 * time.Millisecond, simple, "eci-0101"},
		{0, simple, "Throttling.User"},
		{0, "POST Action=DescribeRegions", ""},
		{10 * time.Second, simple, "eci-0102"},
	})
	if got := PublishedQuotas()["DescribeContainerGroupStatus"]; got != (Quota{Burst: 10000, Rate: 10000.0 / 60}) {
		t.Errorf("quota of DescribeContainerGroupStatus is %+v; want 10000 in 60 s", got)
	}
	for name := range actions {
		if _, ok := PublishedQuotas()[name]; !ok {
			t.Errorf("no published quota for %s", name)
		}
	}
}
