package kci

import (
	"context"

	"github.com/cumulet/cumulet/cloudapi"
)

// Metrics implements cloudapi.Client: KCI has no action for them.
func (c *Client) Metrics(context.Context, []string) ([]cloudapi.GroupMetrics, error) {
	return nil, &cloudapi.Error{Op: "Metrics", Code: cloudapi.CodeUnsupported, Message: "KCI has no action that tells resource usage"}
}
