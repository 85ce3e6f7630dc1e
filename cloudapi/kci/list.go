package kci

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/cumulet/cumulet/cloudapi"
)

// eventCalls bounds how many groups' events are asked for at once.
const eventCalls = 8

// List implements cloudapi.Client. Summary.Group is always set. Its Events are
// those that the sweep held; in dialect Extended the cloud may tell events by
// an action of their own only, which Get calls and List does not.
func (c *Client) List(ctx context.Context, owner cloudapi.Owner) ([]cloudapi.Summary, error) {
	if owner.NamePrefix == "" {
		return nil, invalid(actionDescribe, "the owner's name prefix is empty; every group of the account would be listed")
	}
	query := newForm()
	query.set("Search", owner.NamePrefix) // fuzzy, hence the check below
	groups, err := c.sweep(ctx, query)
	if err != nil {
		return nil, err
	}
	summaries := make([]cloudapi.Summary, 0, len(groups))
	for i := range groups {
		group := convertGroup(&groups[i])
		if !owned(&group, owner) {
			continue
		}
		summary, err := summarize(group)
		if err != nil {
			return nil, &cloudapi.Error{Op: actionDescribe, Code: cloudapi.CodeUnknown, Err: err}
		}
		summaries = append(summaries, summary)
	}
	return summaries, nil
}

// Get implements cloudapi.Client.
func (c *Client) Get(ctx context.Context, ids []string) ([]cloudapi.Group, error) {
	wire, err := c.describe(ctx, ids)
	if err != nil {
		return nil, err
	}
	groups := make([]cloudapi.Group, len(wire))
	for i := range wire {
		groups[i] = convertGroup(&wire[i])
	}
	if c.options.Dialect == Seed {
		return groups, nil
	}
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.SetLimit(eventCalls)
	for i := range wire {
		if wire[i].Events != nil {
			continue
		}
		tasks.Go(func() (err error) {
			groups[i].Events, err = c.events(ctx, groups[i].ID)
			return err
		})
	}
	if err := tasks.Wait(); err != nil {
		return nil, err
	}
	return groups, nil
}

// describe returns the groups of these ids that exist, each once.
func (c *Client) describe(ctx context.Context, ids []string) ([]wireGroup, error) {
	wanted := slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(wanted) > 0 && wanted[0] == "" {
		return nil, invalid(actionDescribe, "a group's id is empty")
	}
	var found []wireGroup
	for part := range slices.Chunk(wanted, maxPage) {
		query := newForm()
		query.list("ContainerGroupId", part)
		groups, err := c.sweep(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, group := range groups {
			if _, asked := slices.BinarySearch(part, group.ContainerGroupID); asked {
				found = append(found, group)
			}
		}
	}
	return found, nil
}

// events asks for one group's events. A group that has gone meanwhile has none,
// and so has every group where the endpoint lacks the action.
func (c *Client) events(ctx context.Context, id string) ([]cloudapi.Event, error) {
	f := newForm()
	f.set("ContainerGroupId", id)
	var out eventsAnswer
	err := c.call(ctx, actionEvents, f, &out)
	var refusal *cloudapi.Error
	if errors.As(err, &refusal) && (saysGone(refusal) || refusal.Code == cloudapi.CodeUnsupported) {
		return nil, nil
	}
	return convertEvents(out.Events), err
}
