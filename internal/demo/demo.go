// Package demo shows one pod's whole life on each cloud with the real kubectl,
// step by step, and fails if a step does not hold.
package demo

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/cumulet/cumulet/internal/local"
)

// Options say with what and whereto.
type Options struct {
	// Kubectl is the program's path.
	Kubectl string
	// Out is where each step is told.
	Out io.Writer
}

// Target is a virtual node with the cloud behind it.
type Target struct {
	Node, Cloud string
}

// Targets are the two virtual nodes of a local system.
func Targets() []Target {
	return []Target{{local.NodeECI, "eci"}, {local.NodeKCI, "kci"}}
}

// scene is one run on one node.
type scene struct {
	Target
	stack *local.Stack
	kube  kubectl
	out   *relay
	step  int
	// done tells how the scene ended.
	done chan error
}

//go:embed pod.yaml
var podManifest string

//go:embed job.yaml
var jobManifest string

//go:embed refused.yaml
var refusedManifest string

// stepTimeout bounds one step.
const stepTimeout = time.Minute

// Run plays the scene on every node, on all at the same time; it is told node
// by node all the same.
func Run(ctx context.Context, stack *local.Stack, o Options) error {
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	scenes := make([]*scene, 0, len(Targets()))
	for _, target := range Targets() {
		s := &scene{Target: target, stack: stack, out: &relay{}, done: make(chan error, 1)}
		s.kube = kubectl{path: o.Kubectl, config: stack.Kubeconfig(), out: s.out}
		scenes = append(scenes, s)
		running.Go(func() { s.done <- s.play(ctx) })
	}
	for _, s := range scenes {
		s.out.switchTo(o.Out)
		if err := <-s.done; err != nil {
			return fmt.Errorf("step %d on %s: %w", s.step, s.Node, err)
		}
	}
	_, _ = fmt.Fprintf(o.Out, "\nEvery step held on both clouds.\n") // as in printf
	return nil
}

func (s *scene) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, format, args...) // a terminal that is gone is no failure of the demo
}

func (s *scene) play(ctx context.Context) error {
	s.printf("\n=== %s: pods as container groups of %s ===\n", s.Node, strings.ToUpper(s.Cloud))
	for _, step := range []struct {
		title string
		do    func(context.Context) error
	}{
		{"the virtual node is Ready", s.nodeReady},
		{"apply a pod with an init container, a ConfigMap, a Secret and a probe", s.apply},
		{"it runs and has an address", s.running},
		{"follow its log", s.follow},
		{"run a command in it, and see the command's exit code", s.exec},
		{"a Job completes", s.job},
		{"a Deployment of nginx answers HTTP on its pods' addresses", s.web},
		{"a pod that the cloud cannot run is refused with the reason", s.refused},
		{"delete everything", s.remove},
		{"nothing is left in the cloud", s.empty},
	} {
		s.step++
		s.printf("\n%d. %s\n", s.step, step.title)
		bounded, cancel := context.WithTimeout(ctx, stepTimeout)
		err := step.do(bounded)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// manifest fills in the node's name.
func (s *scene) manifest(text string) string {
	return strings.NewReplacer("NODE", s.Node, "CLOUD", s.Cloud).Replace(text)
}
