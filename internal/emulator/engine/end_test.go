package engine

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDelete(t *testing.T) {
	stopped := Observation{Status: Failed, Stopped: true}
	cases := map[string]struct {
		reason string
		// before brings the group into the state in which it is deleted.
		before func(f *fixture)
		force  []bool
		report []Observation
		// status is the one still shown; "" is gone.
		status Status
		calls  []string
	}{
		"Scheduling": {
			reason: "nothing was started, so nothing is left", before: func(*fixture) {},
			force: []bool{false}, status: "",
		},
		"RunningTakesItsGrace": {
			reason: "a running group shows until its containers are stopped",
			before: func(*fixture) { wait(2) },
			force:  []bool{false}, status: Terminating, calls: []string{"Stop(false)"},
		},
		"RunningStopped": {
			reason: "a stopped group is gone",
			before: func(*fixture) { wait(2) },
			force:  []bool{false}, report: []Observation{stopped}, status: "", calls: []string{"Stop(false)"},
		},
		"NotYetStopped": {
			reason: "a final state alone does not end a delete",
			before: func(*fixture) { wait(2) },
			force:  []bool{false}, report: []Observation{{Status: Succeeded}}, status: Terminating,
			calls: []string{"Stop(false)"},
		},
		"Twice": {
			reason: "the second delete changes nothing",
			before: func(*fixture) { wait(2) },
			force:  []bool{false, false}, status: Terminating, calls: []string{"Stop(false)"},
		},
		"ForceAfterwards": {
			reason: "force hurries a delete", before: func(*fixture) { wait(2) },
			force: []bool{false, true, true, false}, status: Terminating,
			calls: []string{"Stop(false)", "Stop(true)"},
		},
		"Force": {
			reason: "force shows until the runtime has killed all", before: func(*fixture) { wait(2) },
			force: []bool{true}, status: Terminating, calls: []string{"Stop(true)"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, nil)
				f.Create(webSpec())
				tc.before(f)
				for _, force := range tc.force {
					if err := f.Delete("eci-1", force); err != nil {
						t.Fatalf("%s: deleting: %v", tc.reason, err)
					}
				}
				wait(60)
				var calls []string
				if i := f.runtime.started["eci-1"]; i != nil {
					for _, o := range tc.report {
						i.report(o)
					}
					calls = i.noted()
				}
				g, err := f.Get("eci-1")
				if err != nil && !errors.Is(err, ErrNotFound) {
					t.Fatalf("%s: getting: %v", tc.reason, err)
				}
				if g.Status != tc.status {
					t.Errorf("%s: status %q, want %q", tc.reason, g.Status, tc.status)
				}
				if diff := cmp.Diff(tc.calls, calls); diff != "" {
					t.Errorf("%s: calls (-want +got):\n%s", tc.reason, diff)
				}
			})
		})
	}
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		spec := webSpec()
		spec.Deadline = 10 * time.Second
		f.Create(spec)
		wait(2)
		instance := f.runtime.instance(t, "eci-1")
		instance.report(running())
		wait(9)
		if calls := instance.noted(); len(calls) != 0 {
			t.Fatalf("calls before the deadline: %v", calls)
		}
		wait(1)
		if diff := cmp.Diff([]string{"Stop(false)"}, instance.noted()); diff != "" {
			t.Fatalf("calls at the deadline (-want +got):\n%s", diff)
		}
		if got := f.mustGet(t, "eci-1").Status; got != Running {
			t.Errorf("status while the containers end: %s, want Running", got)
		}
		wait(3)
		instance.report(Observation{Status: Succeeded, Stopped: true})
		g := f.mustGet(t, "eci-1")
		got := []any{g.Status, g.Reason, g.Message, g.EndedAt.Equal(at(15)), len(g.Events)}
		want := []any{Failed, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline", true, 1}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("after the deadline (-want +got):\n%s", diff)
		}
	})
}

func TestExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.Create(webSpec())
		if err := f.Expire("eci-1"); !errors.Is(err, ErrState) {
			t.Errorf("expiring a group without a machine: %v, want ErrState", err)
		}
		wait(2)
		if err := f.Expire("eci-1"); err != nil {
			t.Fatalf("expiring: %v", err)
		}
		f.runtime.instance(t, "eci-1").report(Observation{Status: Failed, Stopped: true})
		if got := f.mustGet(t, "eci-1").Status; got != Expired {
			t.Errorf("status %s, want Expired", got)
		}
		if err := f.Expire("eci-9"); !errors.Is(err, ErrNotFound) {
			t.Errorf("expiring an unknown group: %v, want ErrNotFound", err)
		}
	})
}

func TestScheduleFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) {
			o.Retention = ECIRetention
			o.Admit = func(s *Spec) error {
				if s.Name == "big" {
					return &UnschedulableError{Reason: "NoStock", Message: "no such size is left"}
				}
				return errors.New("heavy load")
			}
		})
		big := webSpec()
		big.Name = "big"
		f.Create(big)
		f.Create(webSpec())
		wait(2)
		for id, want := range map[string][2]string{
			"eci-1": {"NoStock", "no such size is left"},
			"eci-2": {"UnknownError", "heavy load"},
		} {
			g := f.mustGet(t, id)
			if g.Status != ScheduleFailed || g.Reason != want[0] || g.Message != want[1] || !g.ScheduledAt.IsZero() {
				t.Errorf("%s: %s %q %q, want ScheduleFailed %q", id, g.Status, g.Reason, g.Message, want)
			}
		}
		if len(f.runtime.started) != 0 {
			t.Error("the runtime started what could not be scheduled")
		}
		wait(24*3600 - 1)
		if got := len(f.List(nil)); got != 2 {
			t.Errorf("%d groups within the day, want 2", got)
		}
		wait(1)
		if got := len(f.List(nil)); got != 0 {
			t.Errorf("%d groups after a day, want 0", got)
		}
	})
}

func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) {
			o.Addresses = netip.MustParsePrefix("10.0.0.0/16")
			o.Retention = Retention{Keep: time.Hour, Latest: 2}
		})
		for range 5 {
			f.Create(webSpec())
		}
		wait(2)
		shown := func() []string {
			var ids []string
			for _, g := range f.List(nil) {
				ids = append(ids, g.ID)
			}
			return ids
		}
		check := func(step string, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, shown()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step, diff)
			}
		}
		for i := 1; i <= 4; i++ { // they end at 12, 22, 32, 42
			wait(10)
			f.runtime.instance(t, fmt.Sprintf("eci-%d", i)).report(Observation{Status: Succeeded})
		}
		check("all within the hour", "eci-1", "eci-2", "eci-3", "eci-4", "eci-5")
		wait(3600 + 12 - 42)
		check("an hour after the first", "eci-2", "eci-3", "eci-4", "eci-5")
		wait(10)
		check("an hour after the second", "eci-3", "eci-4", "eci-5")
		wait(7200)
		check("the latest two stay", "eci-3", "eci-4", "eci-5")
		f.runtime.instance(t, "eci-5").report(Observation{Status: Failed})
		check("a newer one pushes out the oldest", "eci-4", "eci-5")
		if diff := cmp.Diff([]string{"Stop(true)"}, f.runtime.instance(t, "eci-3").noted()); diff != "" {
			t.Errorf("the runtime was not told (-want +got):\n%s", diff)
		}
		if got := len(f.All()); got != 5 {
			t.Errorf("%d groups are remembered, want all 5", got)
		}
	})
}

func TestHistoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.History = 3 })
		for i := 1; i <= 5; i++ {
			f.Create(webSpec())
			if i < 5 {
				if err := f.Delete(fmt.Sprintf("eci-%d", i), false); err != nil {
					t.Fatalf("deleting: %v", err)
				}
			}
			wait(1)
		}
		var got []string
		for _, g := range f.All() {
			got = append(got, g.ID)
		}
		// The bound is kept when a group vanishes, so one that shows may come on top.
		if diff := cmp.Diff([]string{"eci-2", "eci-3", "eci-4", "eci-5"}, got); diff != "" {
			t.Errorf("remembered (-want +got):\n%s", diff)
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.Create(webSpec())
		wait(2)
		f.Create(webSpec())
		f.Close()
		wait(10)
		if diff := cmp.Diff([]string{"Stop(true)"}, f.runtime.instance(t, "eci-1").noted()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if len(f.runtime.started) != 1 {
			t.Error("a closed engine started a group")
		}
	})
}

func TestNothingRunsAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.Create(webSpec())
		wait(2)
		instance := f.runtime.instance(t, "eci-1")
		instance.report(Observation{Status: Succeeded})
		instance.report(running()) // a restart that crossed the end
		if got := f.mustGet(t, "eci-1").Status; got != Succeeded {
			t.Errorf("status %s, want Succeeded", got)
		}
		if diff := cmp.Diff([]string{"Stop(true)"}, instance.noted()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})
}
