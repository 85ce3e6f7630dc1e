package simulated

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/simulated/shell"
)

// The types of events.
const (
	normal  = "Normal"
	warning = "Warning"
)

// resync is how soon the agent looks again at an image that it could not pull,
// and then says that it backs off.
const resync = time.Second

// imageSize is what every image is said to have, in bytes.
const imageSize = 20_000_000

// container is one container of a group; the group's lock guards it.
type container struct {
	group *group
	spec  *engine.Container
	init  bool
	state engine.ContainerState

	script      script
	scriptError error

	// next is the spec to take over once the current run is over; removed
	// tells that there is none.
	next    *engine.Container
	removed bool

	// launched tells that the container's turn has come since the group began.
	launched bool
	// due is true from the decision to run the container until it runs.
	due bool
	// timer is the next step towards a run.
	timer       clock.Timer
	restarts    backoff
	pulls       backoff
	runs        int
	current     *run
	output      *log
	lastOutput  *log
	unreadiness *bool // a fate's word on readiness
}

// run is one run of a container.
type run struct {
	started     time.Time
	context     context.Context
	end         context.CancelFunc
	timers      []clock.Timer
	machine     *shell.Machine
	interpreted bool
	probers     []*prober
	terminating bool
}

func newContainer(g *group, spec *engine.Container, init bool) *container {
	c := &container{group: g, spec: spec, init: init}
	c.state = engine.ContainerState{Name: spec.Name, Image: spec.Image}
	reason := "ContainerCreating"
	if len(g.spec.InitContainers) > 0 {
		reason = "PodInitializing"
	}
	c.waitFor(reason, "")
	c.script, c.scriptError = parseScript(spec.Env)
	return c
}

// waitFor makes the container wait, and keeps how its last run ended.
func (c *container) waitFor(reason, message string) {
	c.keepPrevious()
	c.state.Current = engine.RunState{Kind: engine.KindWaiting, Reason: reason, Message: message}
	c.group.dirty = true
}

func (c *container) keepPrevious() {
	if c.state.Current.Kind == engine.KindTerminated {
		last := c.state.Current
		c.state.Previous = &last
	}
}

// replacing tells whether the container is about to change its spec.
func (c *container) replacing() bool { return c.next != nil }

// retrying tells whether the container waits because its last attempt failed,
// not because the group has just begun.
func (c *container) retrying() bool {
	switch c.state.Current.Reason {
	case "ContainerCreating", "PodInitializing":
		return false
	default:
		return true
	}
}

// stopTimer cancels the next step towards a run.
func (c *container) stopTimer() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// step does f after d unless something else became due meanwhile.
func (c *container) step(d time.Duration, f func()) {
	c.stopTimer()
	if d <= 0 {
		f()
		return
	}
	var mine clock.Timer
	mine = c.group.after(d, func() {
		if c.timer == mine && !c.group.stopping && !c.removed {
			c.timer = nil
			f()
		}
	})
	c.timer = mine
}

// prepare brings the container to its next run: first its image.
func (c *container) prepare() {
	g := c.group
	c.due = true
	if c.scriptError != nil {
		c.waitFor("CreateContainerConfigError", c.scriptError.Error())
		g.event(c, warning, "Failed", "Error: "+c.scriptError.Error())
		return
	}
	present := g.pulled[c.spec.Image]
	switch {
	case present && c.spec.PullPolicy != "Always":
		g.event(c, normal, "Pulled", fmt.Sprintf("Container image %q already present on machine", c.spec.Image))
		c.create()
	case c.spec.PullPolicy == "Never":
		message := fmt.Sprintf("Container image %q is not present with pull policy of Never", c.spec.Image)
		c.waitFor("ErrImageNeverPull", message)
		g.event(c, warning, "ErrImageNeverPull", message)
		g.event(c, warning, "Failed", "Error: ErrImageNeverPull")
	default:
		g.event(c, normal, "Pulling", fmt.Sprintf("Pulling image %q", c.spec.Image))
		took := g.runtime.latency.Pull
		if c.script.pull != nil {
			took = *c.script.pull
		}
		c.step(took, func() { c.endPull(took) })
	}
}

// endPull goes on after the pull, or waits for the next attempt.
func (c *container) endPull(took time.Duration) {
	g, image := c.group, c.spec.Image
	if text := c.pullError(); text != "" {
		c.failPull(text)
		return
	}
	g.pulled[image] = true
	c.pulls = backoff{}
	took = took.Truncate(time.Millisecond)
	g.event(c, normal, "Pulled", fmt.Sprintf("Successfully pulled image %q in %v (%v including waiting). Image size: %d bytes.",
		image, took, took, imageSize))
	c.create()
}

// pullError is why the image cannot be pulled; "" if it can.
func (c *container) pullError() string {
	if c.script.pullError != "" {
		return c.script.pullError
	}
	if strings.Contains(c.spec.Image, "does-not-exist") || strings.Contains(c.spec.Image, "invalid") {
		return fmt.Sprintf("failed to pull and unpack image %q: failed to resolve reference %q: not found", c.spec.Image, c.spec.Image)
	}
	return ""
}

func (c *container) failPull(text string) {
	g := c.group
	now := g.runtime.clock.Now()
	c.pulls.next(now, now)
	g.event(c, warning, "Failed", fmt.Sprintf("Failed to pull image %q: %s", c.spec.Image, text))
	g.event(c, warning, "Failed", "Error: ErrImagePull")
	c.waitFor("ErrImagePull", text)
	wait := c.pulls.delay
	c.step(resync, func() {
		backingOff := fmt.Sprintf("Back-off pulling image %q", c.spec.Image)
		g.event(c, normal, "BackOff", backingOff)
		g.event(c, warning, "Failed", "Error: ImagePullBackOff")
		c.waitFor("ImagePullBackOff", backingOff+": ErrImagePull: "+text)
		c.step(wait-resync, c.prepare)
	})
}

// create and start are the container runtime's part.
func (c *container) create() {
	c.step(c.group.runtime.latency.Create, func() {
		c.state.ImageID = c.spec.Image + "@sha256:" + digest(c.spec.Image)
		c.state.ContainerID = "containerd://" + digest(c.group.id+"/"+c.spec.Name+"/"+strconv.Itoa(c.runs))
		c.group.event(c, normal, "Created", "Created container "+c.spec.Name)
		c.step(c.group.runtime.latency.Start, c.start)
	})
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
