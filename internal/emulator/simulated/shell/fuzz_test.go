package shell

import (
	"context"
	"io"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

// FuzzRun looks for scripts that crash the interpreter or do not end.
func FuzzRun(f *testing.F) {
	for _, seed := range []string{
		"echo $NAME", "cat /config/app.conf | head -n 1", "x=$(printf a); echo ${x:-b} >> /tmp/f", "for i in 1 2; do echo $i; done",
		"f() { return 3; }; f || exit 4", "sleep 1 & wait", "cut -d = -f 2 /config/app.conf", "seq 3 -1 1 | sort -r | wc", "ls -la / /tmp",
		"expr 1 / 0", "read a b <<< 'x y'; echo $b", "trap 'echo bye' EXIT; false", "sh -c 'exit 7'; echo $?", "tail -n 1 -f /dev/null",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, script string) {
		m := newMachine()
		m.Clock = clocktesting.NewFakeClock(time.Unix(0, 0)) // stands still, so that pacing ends a busy loop
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		ended := make(chan int, 1)
		go func() {
			code, _ := m.Run(ctx, []string{"sh", "-c", script}, Streams{Stdout: io.Discard, Stderr: io.Discard})
			ended <- code
		}()
		select {
		case code := <-ended:
			if code == exitAborted {
				t.Errorf("the interpreter panicked on %q", script)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("still running: %q", script)
		}
	})
}
