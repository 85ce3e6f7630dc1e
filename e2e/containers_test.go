package e2e

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/cumulet/cumulet/internal/local"
)

// containers is the system that the scenarios over real containers share.
var containers onDemand

// startLimit bounds the start of a system, on a machine that has much else to
// do; an idle one takes ten seconds.
const startLimit = 3 * time.Minute

// onDemand is a system that is started when it is needed.
type onDemand struct {
	dir   string
	stack *local.Stack
}

// get starts the system if it does not run. Where no machine can run containers
// the test fails and says why.
func (s *onDemand) get(t *testing.T) *local.Stack {
	t.Helper()
	if s.stack != nil {
		return s.stack
	}
	options := containerOptions(s.dir)
	options.Images = withStandIns(t, s.dir+"-images")
	stack, err := startContainers(t, options)
	if err != nil {
		t.Fatalf("starting the system with real containers (make build containers makes what it needs): %v", err)
	}
	s.stack = stack
	return stack
}

// stop ends the system if it runs.
func (s *onDemand) stop() error {
	if s.stack == nil {
		return nil
	}
	stack := s.stack
	s.stack = nil
	return stack.Stop()
}

// rest ends the system for a test that has one of its own: two of them take more
// of some hosts than they have to give, such as inotify instances.
func (s *onDemand) rest(t *testing.T) {
	t.Helper()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// containerOptions are those of a system with real containers, whose images are
// the ones that were built here.
func containerOptions(dir string) local.Options {
	return local.Options{
		Dir: dir, BinDir: binDir(), CumuletFlags: []string{"-v", "1"},
		Runtime: local.RuntimeKubernetes, Images: builtImages(),
	}
}

func builtImages() string { return filepath.Join(binDir(), "images") }

// startContainers starts a system and logs how long that takes.
func startContainers(t *testing.T, options local.Options) (*local.Stack, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	begun := time.Now()
	stack, err := local.Start(ctx, options)
	t.Logf("start of a system: %v", since(begun))
	return stack, err
}

func since(begun time.Time) time.Duration { return time.Since(begun).Round(10 * time.Millisecond) }

// inContainers is onBoth over real containers.
func inContainers(t *testing.T, scenario func(t *testing.T, c *target)) {
	t.Helper()
	stack := containers.get(t)
	for cloud, node := range nodes {
		t.Run(cloud, func(t *testing.T) {
			t.Parallel()
			scenario(t, newTargetOf(t, stack, cloud, node))
		})
	}
}

// lasting is a script that runs until it is told to end, and then does so at
// once.
const lasting = "trap exit TERM; sleep 3600 & wait"
