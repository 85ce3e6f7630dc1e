package prober

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/translate"
)

// bench is a prober in a bubble of its own time, and all that it says, with the
// seconds since the test began.
type bench struct {
	t      *testing.T
	prober *Prober
	began  time.Time

	mu sync.Mutex
	// answers decides every check of a kind; a kind without one succeeds.
	answers map[translate.ProbeKind]func() (Outcome, string, error)
	takes   time.Duration
	story   []string
	pod     Pod
}

// probed calls the test with a prober that has run for an hour.
func probed(t *testing.T, test func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, answers: map[translate.ProbeKind]func() (Outcome, string, error){}}
		b.prober = New(Options{
			Checker: b, Clock: clock.RealClock{},
			Changed: func(types.UID) { b.tellf("changed") },
			Failed:  func(_ types.UID, f Failed) { b.tellf("%s of %s failed in run %d", f.Kind, f.Container, f.Run.Restarts) },
			Tell:    func(_ types.UID, e Event) { b.tellf("%s: %s", e.Reason, e.Message) },
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.prober.Run(ctx)
		}()
		b.wait(time.Hour)
		b.began = time.Now()
		test(b)
		cancel()
		<-done
	})
}

// Check implements Checker.
func (b *bench) Check(_ context.Context, _ Target, p *corev1.Probe) (Outcome, string, error) {
	kind := translate.ProbeKind(p.Exec.Command[0])
	b.tellf("%s", kind)
	b.mu.Lock()
	answer, takes := b.answers[kind], b.takes
	b.mu.Unlock()
	if takes > 0 {
		<-time.After(takes)
	}
	if answer == nil {
		return Success, "", nil
	}
	return answer()
}

func (b *bench) tellf(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.story = append(b.story, fmt.Sprintf("%gs ", time.Since(b.began).Seconds())+fmt.Sprintf(format, args...))
}

// answer decides all further checks of a kind.
func (b *bench) answer(kind translate.ProbeKind, outcome Outcome, text string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers[kind] = func() (Outcome, string, error) { return outcome, text, err }
}

func (b *bench) wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// run lets the pod's only container be in its n-th run since now.
func (b *bench) run(n int32, probes ...translate.NodeProbe) {
	b.pod = Pod{UID: "uid", Group: "group-1", Address: "10.0.0.1", Probes: probes, Containers: []Container{{
		Name: "main", Running: true, Run: Run{Restarts: n, StartedAt: time.Now()},
	}}}
	b.prober.Sync(b.pod)
}

// expect checks what was told since the last time.
func (b *bench) expect(want ...string) {
	b.t.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if diff := cmp.Diff(want, b.story); diff != "" {
		b.t.Errorf("story (-want +got):\n%s", diff)
	}
	b.story = nil
}

// results checks the results of the container's current run: "started" and
// "ready" with yes, no or - for no such probe.
func (b *bench) results(want string) {
	b.t.Helper()
	started, ready := b.prober.Results(b.pod)
	show := func(m map[string]bool) string {
		is, known := m["main"]
		switch {
		case !known:
			return "-"
		case is:
			return "yes"
		default:
			return "no"
		}
	}
	if got := fmt.Sprintf("started %s, ready %s", show(started), show(ready)); got != want {
		b.t.Errorf("got %q, want %q", got, want)
	}
}

// newProbe is a probe each second without delay; changes set something else.
func newProbe(kind translate.ProbeKind, changes ...func(*corev1.Probe)) translate.NodeProbe {
	p := translate.NodeProbe{Container: "main", Kind: kind, Probe: corev1.Probe{
		ProbeHandler:  corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{string(kind)}}},
		PeriodSeconds: 1, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 1,
	}}
	for _, change := range changes {
		change(&p.Probe)
	}
	return p
}

func delay(n int32) func(*corev1.Probe)     { return func(p *corev1.Probe) { p.InitialDelaySeconds = n } }
func period(n int32) func(*corev1.Probe)    { return func(p *corev1.Probe) { p.PeriodSeconds = n } }
func failures(n int32) func(*corev1.Probe)  { return func(p *corev1.Probe) { p.FailureThreshold = n } }
func successes(n int32) func(*corev1.Probe) { return func(p *corev1.Probe) { p.SuccessThreshold = n } }

func TestReadiness(t *testing.T) {
	probed(t, func(b *bench) {
		b.answer(translate.ProbeReadiness, Failure, "no", nil)
		b.run(0, newProbe(translate.ProbeReadiness, delay(5), period(10), failures(2), successes(2)))
		b.results("started -, ready no")
		b.wait(14 * time.Second)
		b.expect("5s Readiness", "5s Unhealthy: Readiness probe failed: no")
		b.answer(translate.ProbeReadiness, Success, "", nil)
		b.wait(20 * time.Second)
		b.expect("15s Readiness", "25s Readiness", "25s changed")
		b.results("started -, ready yes")
		b.answer(translate.ProbeReadiness, Failure, "no", nil)
		b.wait(10 * time.Second)
		b.results("started -, ready yes")
		b.wait(10 * time.Second)
		b.results("started -, ready no")
		b.expect("35s Readiness", "35s Unhealthy: Readiness probe failed: no",
			"45s Readiness", "45s Unhealthy: Readiness probe failed: no", "45s changed")
	})
}

func TestLiveness(t *testing.T) {
	probed(t, func(b *bench) {
		b.answer(translate.ProbeLiveness, Failure, "dead", nil)
		b.run(0, newProbe(translate.ProbeLiveness, delay(3), failures(2)))
		b.wait(10 * time.Second)
		b.expect("3s Liveness", "3s Unhealthy: Liveness probe failed: dead", "4s Liveness",
			"4s Unhealthy: Liveness probe failed: dead", "4s changed", "4s Liveness of main failed in run 0")
		b.answer(translate.ProbeLiveness, Success, "", nil)
		b.run(1, b.pod.Probes...) // it has been restarted
		b.wait(4 * time.Second)
		b.expect("13s Liveness", "13s changed", "14s Liveness")
		b.results("started -, ready -")
	})
}

func TestStartupFirst(t *testing.T) {
	probed(t, func(b *bench) {
		b.answer(translate.ProbeStartup, Failure, "not yet", nil)
		b.run(0, newProbe(translate.ProbeStartup, period(5), failures(3)),
			newProbe(translate.ProbeLiveness, period(100)), newProbe(translate.ProbeReadiness, period(100)))
		b.wait(6 * time.Second)
		b.expect("0s Startup", "0s Unhealthy: Startup probe failed: not yet", "5s Startup", "5s Unhealthy: Startup probe failed: not yet")
		b.results("started no, ready no")
		b.answer(translate.ProbeStartup, Success, "", nil)
		b.wait(50 * time.Second)
		b.results("started yes, ready yes")
		b.mu.Lock()
		got := b.story[:2]
		n := len(b.story)
		b.mu.Unlock()
		// The others begin at once, in no order.
		if diff := cmp.Diff([]string{"10s Startup", "10s changed"}, got); diff != "" || n != 6 {
			t.Errorf("%d lines (-want +got):\n%s", n, diff)
		}
	})
}

func TestStartupFails(t *testing.T) {
	probed(t, func(b *bench) {
		b.answer(translate.ProbeStartup, Failure, "never", nil)
		b.run(2, newProbe(translate.ProbeStartup, failures(2)), newProbe(translate.ProbeLiveness))
		b.wait(5 * time.Second)
		b.expect("0s Startup", "0s Unhealthy: Startup probe failed: never", "1s Startup", "1s Unhealthy: Startup probe failed: never",
			"1s changed", "1s Startup of main failed in run 2")
		b.results("started no, ready -")
	})
}

// TestWarningAndError: a warning is a success, an error is nothing.
func TestWarningAndError(t *testing.T) {
	probed(t, func(b *bench) {
		b.answer(translate.ProbeReadiness, Warning, "look", nil)
		b.run(0, newProbe(translate.ProbeReadiness))
		b.expect("0s Readiness", "0s ProbeWarning: Readiness probe warning: look", "0s changed")
		b.answer(translate.ProbeReadiness, Unknown, "", errors.New("the cloud is away"))
		b.wait(1500 * time.Millisecond)
		b.expect("1s Readiness", "1s Unhealthy: Readiness probe errored and resulted in unknown state: the cloud is away")
		b.results("started -, ready yes")
	})
}

// TestContainerStops: nothing is probed while nothing runs, and what was found
// of one run says nothing of the next.
func TestContainerStops(t *testing.T) {
	probed(t, func(b *bench) {
		b.run(0, newProbe(translate.ProbeReadiness, period(2)))
		b.wait(time.Second)
		b.results("started -, ready yes")
		b.pod.Containers[0].Running = false
		b.prober.Sync(b.pod)
		b.wait(20 * time.Second)
		b.expect("0s Readiness", "0s changed")
		b.answer(translate.ProbeReadiness, Failure, "no", nil)
		b.run(1, b.pod.Probes...)
		b.wait(time.Second)
		b.results("started -, ready no")
	})
}

// TestRestartDuringCheck: the answer is of a run that is over.
func TestRestartDuringCheck(t *testing.T) {
	probed(t, func(b *bench) {
		b.takes = 5 * time.Second
		b.answer(translate.ProbeLiveness, Failure, "dead", nil)
		b.run(0, newProbe(translate.ProbeLiveness, period(60)))
		b.wait(time.Second)
		b.run(1, b.pod.Probes...)
		b.wait(5 * time.Second)
		b.expect("0s Liveness", "5s Liveness")
	})
}

// TestEndingPod: only readiness is still of interest.
func TestEndingPod(t *testing.T) {
	probed(t, func(b *bench) {
		b.run(0, newProbe(translate.ProbeLiveness, period(3)), newProbe(translate.ProbeReadiness, period(3)))
		b.wait(time.Second)
		b.story = nil
		b.answer(translate.ProbeLiveness, Failure, "ending", nil)
		b.answer(translate.ProbeReadiness, Failure, "ending", nil)
		b.pod.Ending = true
		b.prober.Sync(b.pod)
		b.wait(4 * time.Second)
		b.expect("3s Readiness", "3s Unhealthy: Readiness probe failed: ending", "3s changed")
	})
}

// TestResultsOfEarlierProcess go on until they are refuted.
func TestResultsOfEarlierProcess(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		before *Before
		want   string
	}{
		"NothingKnown": {"a run nobody has seen", nil, "started no, ready no"},
		"NotStarted":   {"it had not started", &Before{}, "started no, ready no"},
		"Started":      {"startup is not probed again", &Before{Started: true}, "started yes, ready no"},
		"Ready":        {"a ready container stays ready", &Before{Started: true, Ready: true}, "started yes, ready yes"},
	} {
		t.Run(name, func(t *testing.T) {
			probed(t, func(b *bench) {
				b.answer(translate.ProbeStartup, Failure, "", nil)
				b.answer(translate.ProbeReadiness, Failure, "", nil)
				b.pod = Pod{UID: "uid", Probes: []translate.NodeProbe{
					newProbe(translate.ProbeStartup, failures(9)), newProbe(translate.ProbeReadiness, failures(9)),
				}, Containers: []Container{{Name: "main", Running: true, Run: Run{StartedAt: time.Now().Add(-time.Minute)}, Before: c.before}}}
				b.prober.Sync(b.pod)
				b.wait(time.Second)
				b.results(c.want)
			})
		})
	}
}

func TestForget(t *testing.T) {
	probed(t, func(b *bench) {
		b.run(0, newProbe(translate.ProbeReadiness))
		b.expect("0s Readiness", "0s changed")
		b.prober.Forget("uid")
		b.prober.Forget("uid")
		b.wait(10 * time.Second)
		b.expect()
		b.results("started -, ready no")
		if n := b.prober.Pods(); n != 0 {
			t.Errorf("%d pods are left", n)
		}
	})
}

// TestStagger: after a start the first probes of many pods are spread over
// their period.
func TestStagger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var moments []time.Duration
		began := time.Now()
		p := New(Options{
			Checker: checkerFunc(func() {
				mu.Lock()
				defer mu.Unlock()
				moments = append(moments, time.Since(began))
			}),
			Clock: clock.RealClock{}, Changed: func(types.UID) {}, Failed: func(types.UID, Failed) {}, Tell: func(types.UID, Event) {},
		})
		for i := range 100 {
			p.Sync(Pod{UID: types.UID(fmt.Sprint(i)), Probes: []translate.NodeProbe{newProbe(translate.ProbeReadiness, period(100))},
				Containers: []Container{{Name: "main", Running: true}}})
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.Run(ctx)
		}()
		<-time.After(100 * time.Second)
		synctest.Wait()
		early := 0
		mu.Lock()
		for _, m := range moments {
			if m < 50*time.Second {
				early++
			}
		}
		if len(moments) < 100 || early < 20 || early > 80 {
			t.Errorf("%d probes in the first period, %d of them in its first half", len(moments), early)
		}
		mu.Unlock()
		cancel()
		<-done
		p.Sync(Pod{UID: "late", Probes: []translate.NodeProbe{newProbe(translate.ProbeReadiness)}})
		if n := p.Pods(); n != 0 {
			t.Errorf("%d pods after the end", n)
		}
	})
}

type checkerFunc func()

// Check implements Checker.
func (f checkerFunc) Check(context.Context, Target, *corev1.Probe) (Outcome, string, error) {
	f()
	return Success, "", nil
}
