package fakecloud

import (
	"context"
	"fmt"
	"slices"

	"github.com/cumulet/cumulet/cloudapi"
)

// Calls returns the calls of one kind so far.
func (c *Cloud) Calls(op Op) []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []Call
	for i := range c.calls {
		if c.calls[i].Op == op {
			found = append(found, c.calls[i])
		}
	}
	return found
}

// Count is the number of calls of one kind so far.
func (c *Cloud) Count(op Op) int { return len(c.Calls(op)) }

// Groups returns every group that exists, hidden ones too, in order of their
// making.
func (c *Cloud) Groups() []cloudapi.Group {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []cloudapi.Group
	for n := 1; n <= c.serial; n++ {
		g, ok := c.groups[fmt.Sprintf("group-%d", n)]
		if ok && (g.goesAt.IsZero() || c.clock.Now().Before(g.goesAt)) {
			all = append(all, clone(g))
		}
	}
	return all
}

// Add makes a group that no Create has asked for, and returns its id.
func (c *Cloud) Add(spec cloudapi.GroupSpec) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.add(spec, "")
}

// Change changes a group as the cloud itself might.
func (c *Cloud) Change(id string, change func(*cloudapi.Group)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g, ok := c.groups[id]; ok {
		g.Containers, g.InitContainers = slices.Clone(g.Containers), slices.Clone(g.InitContainers)
		change(&g.Group)
		g.revision++
	}
}

// Start lets a group run with this address, all its containers running.
func (c *Cloud) Start(id, ip string) {
	now := c.clock.Now()
	c.Change(id, func(g *cloudapi.Group) {
		g.Status, g.RawStatus, g.IPs = cloudapi.StatusRunning, string(cloudapi.StatusRunning), []string{ip}
		for i := range g.InitContainers {
			g.InitContainers[i].Current = cloudapi.RunState{Kind: cloudapi.RunTerminated, StartedAt: now, FinishedAt: now}
		}
		for i := range g.Containers {
			g.Containers[i].Current = cloudapi.RunState{Kind: cloudapi.RunRunning, StartedAt: now}
		}
	})
}

// Finish ends every container of a group with this code.
func (c *Cloud) Finish(id string, code int32) {
	now := c.clock.Now()
	c.Change(id, func(g *cloudapi.Group) {
		g.Status, g.FinishedAt = cloudapi.StatusSucceeded, now
		if code != 0 {
			g.Status = cloudapi.StatusFailed
		}
		g.RawStatus = string(g.Status)
		for i := range g.Containers {
			run := &g.Containers[i].Current
			*run = cloudapi.RunState{Kind: cloudapi.RunTerminated, ExitCode: code, StartedAt: run.StartedAt, FinishedAt: now}
		}
	})
}

// Vanish removes a group without a word.
func (c *Cloud) Vanish(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.groups, id)
}

// Hide keeps a group out of lists and gets although it exists, or ends that.
func (c *Cloud) Hide(id string, hidden bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g, ok := c.groups[id]; ok {
		g.hidden = hidden
	}
}

// OnExec decides how commands end, and when; nil lets them succeed at once.
func (c *Cloud) OnExec(decide func(ctx context.Context, c Call) (exitCode int, err error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.exec = decide
}

// SetLog sets the whole log of a container.
func (c *Cloud) SetLog(id, container, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logs[id+"/"+container] = text
}
