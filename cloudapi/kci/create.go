package kci

import (
	"context"
	"errors"

	"github.com/cumulet/cumulet/cloudapi"
)

// Create implements cloudapi.Client. KCI has no idempotency tokens, so
// opts.Token plays no part: the group's name is its identity, and with
// opts.MayExist a group of exactly this name, in whatever state, is the one
// asked for. After a create of this client whose outcome is open none is made
// again until Options.Consistency has passed and still none shows; an earlier
// client's are the caller's to wait for.
func (c *Client) Create(ctx context.Context, spec cloudapi.GroupSpec, opts cloudapi.CreateOptions) (string, error) {
	asked, err := Request(spec, c.options.Dialect)
	if err != nil {
		return "", err
	}
	if opts.MayExist {
		id, err := c.find(ctx, spec.Name)
		if err != nil || id != "" {
			return id, stillOpen(err)
		}
	}
	if err := c.open.wait(spec.Name); err != nil {
		return "", err
	}
	var out createAnswer
	rq := request{action: actionCreate, body: asked.Body(), secrets: secretsOf(spec)}
	err = c.callSecret(ctx, rq, &out)
	c.learn(spec.Name, err)
	return out.ContainerGroupID, err
}

// learn remembers whether a create's outcome is open.
func (c *Client) learn(name string, err error) {
	var e *cloudapi.Error
	if errors.As(err, &e) && e.Uncertain {
		c.open.note(name)
		return
	}
	c.open.settle(name)
}

// find returns the id of the group with exactly this name, or "". Of several,
// which should not be, it is the same one each time: a living one before an
// ended one, then the oldest.
func (c *Client) find(ctx context.Context, name string) (string, error) {
	query := newForm()
	query.set("Search", name) // fuzzy
	groups, err := c.sweep(ctx, query)
	if err != nil {
		return "", err
	}
	var best *cloudapi.Group
	found := 0
	for i := range groups {
		group := convertGroup(&groups[i])
		if group.Name != name {
			continue
		}
		found++
		if best == nil || before(&group, best) {
			best = &group
		}
	}
	if best == nil {
		return "", nil
	}
	if found > 1 {
		c.options.Log.Info("several groups have one name; using one of them", "name", name, "groups", found, "id", best.ID)
	}
	return best.ID, nil
}

func before(a, b *cloudapi.Group) bool {
	if a.Status.Final() != b.Status.Final() {
		return b.Status.Final()
	}
	if !a.CreatedAt.Equal(b.CreatedAt) {
		return a.CreatedAt.Before(b.CreatedAt)
	}
	return a.ID < b.ID
}

// stillOpen marks a failed look-up: the earlier create's outcome is as open as
// before.
func stillOpen(err error) error {
	var e *cloudapi.Error
	if !errors.As(err, &e) {
		return err
	}
	open := *e
	open.Uncertain = true
	return &open
}
