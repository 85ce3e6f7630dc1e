package kci

import (
	"context"
	"errors"

	"github.com/cumulet/cumulet/cloudapi"
)

// Delete implements cloudapi.Client. opts.Force makes no difference: KCI knows
// one way to delete, without a grace period. No source says how KCI answers
// for a group that is gone, so an error that says so is believed only when a
// description by id shows none either.
func (c *Client) Delete(ctx context.Context, id string, _ cloudapi.DeleteOptions) error {
	if id == "" {
		return invalid(actionDelete, "the group's id is empty")
	}
	f := newForm()
	f.set("ContainerGroupId", id)
	err := c.call(ctx, actionDelete, f, &deleteAnswer{})
	var refusal *cloudapi.Error
	if !errors.As(err, &refusal) || !saysGone(refusal) {
		return err
	}
	groups, lookup := c.describe(ctx, []string{id})
	if lookup != nil {
		unsure := *refusal
		unsure.Err = lookup
		return &unsure
	}
	if len(groups) > 0 {
		return refusal
	}
	return nil
}

func invalid(action, message string) error {
	return &cloudapi.Error{Op: action, Code: cloudapi.CodeInvalid, Message: message}
}
