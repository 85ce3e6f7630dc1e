package eci

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"
	"golang.org/x/sync/errgroup"

	"github.com/cumulet/cumulet/cloudapi"
)

const (
	// maxPages bounds a list: a million groups. Only a server that never
	// ends reaches it.
	maxPages = 5000
	// maxParallel bounds the batches of one Get or Metrics under way.
	maxParallel = 4
)

// List implements cloudapi.Client by one sweep of DescribeContainerGroupStatus
// with the owner's tags as filter. Summary.Group is always nil. The sweep tells
// nothing of init containers and events, so Summary.Revision does not change
// with them. How the cloud joins several tags is documented nowhere: the
// identity that Get returns decides whose group it is.
func (c *Client) List(ctx context.Context, owner cloudapi.Owner) ([]cloudapi.Summary, error) {
	tags, err := identityTags(cloudapi.Identity{Cluster: owner.Cluster, Node: owner.Node})
	if err != nil {
		return nil, err
	}
	if owner.Cluster == "" || owner.Node == "" {
		return nil, invalid(opStatus, "Owner: Cluster and Node must both be set")
	}
	var filter []*sdk.DescribeContainerGroupStatusRequestTag
	for _, t := range tags {
		filter = append(filter, &sdk.DescribeContainerGroupStatusRequestTag{Key: &t.key, Value: &t.value})
	}
	found := newOrdered[cloudapi.Summary]()
	err = paged(opStatus, func(token string) (string, error) {
		limit := int32(statusPage)
		request := &sdk.DescribeContainerGroupStatusRequest{
			RegionId: &c.region, Tag: filter, Limit: &limit, NextToken: text1(token),
		}
		page, err := do[statusAnswer](ctx, c, read(opStatus, request))
		if err != nil {
			return "", err
		}
		for _, item := range page.Data {
			summary := toSummary(item)
			found.put(summary.ID, summary)
		}
		return string(page.NextToken), nil
	})
	if err != nil {
		return nil, err
	}
	return found.values, nil
}

// paged walks over pages until one has no next token. A token that comes a
// second time, and a walk without end, are errors: an answer that is not whole
// is none.
func paged(op string, page func(token string) (next string, err error)) error {
	seen := map[string]bool{}
	token := ""
	for range maxPages {
		next, err := page(token)
		if err != nil {
			return err
		}
		if next == "" {
			return nil
		}
		if seen[next] {
			return &cloudapi.Error{Op: op, Code: cloudapi.CodeUnavailable,
				Message: "the cloud's pages go in a circle: a NextToken came twice"}
		}
		seen[next] = true
		token = next
	}
	return &cloudapi.Error{Op: op, Code: cloudapi.CodeUnavailable,
		Message: fmt.Sprintf("the cloud's pages do not end: there are more than %d", maxPages)}
}

// ordered keeps the last value of each key in the order in which the keys
// first came: between two pages a group may move from one to the next.
type ordered[T any] struct {
	index  map[string]int
	values []T
}

func newOrdered[T any]() *ordered[T] {
	return &ordered[T]{index: map[string]int{}, values: []T{}}
}

func (o *ordered[T]) put(key string, value T) {
	if i, ok := o.index[key]; ok {
		o.values[i] = value
		return
	}
	o.index[key] = len(o.values)
	o.values = append(o.values, value)
}

// Get implements cloudapi.Client. The groups come in the order of ids.
func (c *Client) Get(ctx context.Context, ids []string) ([]cloudapi.Group, error) {
	return inBatches(ctx, ids, c.getBatch)
}

func (c *Client) getBatch(ctx context.Context, ids []string) ([]cloudapi.Group, error) {
	list, err := idList(opGroups, ids)
	if err != nil {
		return nil, err
	}
	found := newOrdered[cloudapi.Group]()
	err = paged(opGroups, func(token string) (string, error) {
		limit, events := int32(groupsPage), true
		request := &sdk.DescribeContainerGroupsRequest{
			RegionId: &c.region, ContainerGroupIds: &list, Limit: &limit, WithEvent: &events, NextToken: text1(token),
		}
		page, err := do[groupsAnswer](ctx, c, read(opGroups, request))
		if err != nil {
			return "", err
		}
		for _, w := range page.ContainerGroups {
			if slices.Contains(ids, string(w.ContainerGroupID)) {
				group := toGroup(w)
				found.put(group.ID, group)
			}
		}
		return string(page.NextToken), nil
	})
	if err != nil {
		return nil, err
	}
	return inOrder(ids, found), nil
}

// inOrder sorts what was found as it was asked for.
func inOrder[T any](ids []string, found *ordered[T]) []T {
	out := make([]T, 0, len(found.values))
	for _, id := range ids {
		if i, ok := found.index[id]; ok {
			out = append(out, found.values[i])
		}
	}
	return out
}

// inBatches asks for maxIDs different ids at a time, for some batches at once,
// and puts the answers together in order. The first error ends the rest.
func inBatches[T any](ctx context.Context, ids []string, ask func(context.Context, []string) ([]T, error)) ([]T, error) {
	wanted := distinct(ids)
	answers := make([][]T, (len(wanted)+maxIDs-1)/maxIDs)
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(maxParallel)
	number := 0
	for batch := range slices.Chunk(wanted, maxIDs) {
		n := number
		number++
		workers.Go(func() (err error) {
			answers[n], err = askKnown(ctx, batch, ask)
			return err
		})
	}
	if err := workers.Wait(); err != nil {
		return nil, err
	}
	out := make([]T, 0, len(wanted))
	for _, a := range answers {
		out = append(out, a...)
	}
	return out, nil
}

// askKnown asks for a batch and, where the cloud refuses it for an id that it
// does not know, for its halves, until the unknown ids stand alone. Documented
// is an answer without them; the Terraform provider expects a refusal too
// (service_alicloud_eci.go).
func askKnown[T any](ctx context.Context, ids []string, ask func(context.Context, []string) ([]T, error)) ([]T, error) {
	found, err := ask(ctx, ids)
	if !cloudapi.Is(err, cloudapi.CodeNotFound) {
		return found, err
	}
	if len(ids) == 1 {
		return nil, nil
	}
	first, err := askKnown(ctx, ids[:len(ids)/2], ask)
	if err != nil {
		return nil, err
	}
	second, err := askKnown(ctx, ids[len(ids)/2:], ask)
	return append(first, second...), err
}

// distinct drops repeated and empty ids.
func distinct(ids []string) []string {
	seen := map[string]bool{"": true}
	var out []string
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

// idList writes ids as the JSON array that ContainerGroupIds is.
func idList(op string, ids []string) (string, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return "", invalid(op, "ids: %v", err)
	}
	return string(list), nil
}
