package fakecloud

import (
	"context"
	"maps"
	"slices"

	"github.com/cumulet/cumulet/cloudapi"
)

// Restart restarts a group that runs: its containers' next run begins at once.
func (c *Cloud) Restart(ctx context.Context, id, token string) error {
	f, err := c.begin(ctx, Call{Op: OpRestart, IDs: []string{id}, Token: token})
	if err != nil {
		return err
	}
	if err := c.rerun(id, func(*cloudapi.ContainerState) bool { return true }); err != nil {
		return err
	}
	return f.After
}

// UpdateImages changes images and restarts the containers that have them.
func (c *Cloud) UpdateImages(ctx context.Context, id string, images map[string]string, token string) error {
	f, err := c.begin(ctx, Call{Op: OpUpdate, IDs: []string{id}, Images: maps.Clone(images), Token: token})
	if err != nil {
		return err
	}
	err = c.rerun(id, func(s *cloudapi.ContainerState) bool {
		image, changed := images[s.Name]
		if changed {
			s.Image = image
		}
		return changed
	})
	if err != nil {
		return err
	}
	return f.After
}

// UpdateFiles changes nothing that shows, and disturbs nothing.
func (c *Cloud) UpdateFiles(ctx context.Context, id string, volumes []cloudapi.Volume, token string) error {
	f, err := c.begin(ctx, Call{Op: OpUpdate, IDs: []string{id}, Volumes: slices.Clone(volumes), Token: token})
	if err != nil {
		return err
	}
	return f.After
}

// rerun ends the run of some containers of a group and begins the next.
func (c *Cloud) rerun(id string, which func(*cloudapi.ContainerState) bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	g, ok := c.groups[id]
	if !ok || g.Status != cloudapi.StatusRunning {
		return &cloudapi.Error{Op: "Restart", Code: cloudapi.CodeConflict, Message: "the group does not run"}
	}
	now := c.clock.Now()
	g.Containers = slices.Clone(g.Containers)
	for i := range g.Containers {
		s := &g.Containers[i]
		if !which(s) {
			continue
		}
		s.Previous = &cloudapi.RunState{Kind: cloudapi.RunTerminated, ExitCode: 137, StartedAt: s.Current.StartedAt, FinishedAt: now}
		s.Current = cloudapi.RunState{Kind: cloudapi.RunRunning, StartedAt: now}
		s.RestartCount++
	}
	g.revision++
	return nil
}

// Rigid is a cloud without the calls that change a running group.
type Rigid struct{ cloudapi.Client }
