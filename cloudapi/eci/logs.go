package eci

import (
	"context"
	"strings"
	"time"

	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"

	"github.com/cumulet/cumulet/cloudapi"
)

// Logs implements cloudapi.Client. Since is rounded down to a whole second,
// the parameter's resolution. More lines or bytes than the cloud gives at once
// count as the cloud's maximum.
//
// The window is complete if the cloud's own bounds cut nothing off. A bound
// that the caller set is part of the question: ten lines are a complete answer
// to TailLines 10.
func (c *Client) Logs(ctx context.Context, id, container string, opts cloudapi.LogOptions) (cloudapi.LogChunk, error) {
	if err := checkLog(id, container, opts); err != nil {
		return cloudapi.LogChunk{}, err
	}
	tail, bytes := int32(maxTail), int64(maxLogBytes)
	ownTail := opts.TailLines > 0 && opts.TailLines <= maxTail
	ownBytes := opts.LimitBytes > 0 && opts.LimitBytes <= maxLogBytes
	if ownTail {
		tail = int32(opts.TailLines) //nolint:gosec // at most maxTail
	}
	if ownBytes {
		bytes = opts.LimitBytes
	}
	request := &sdk.DescribeContainerLogRequest{
		RegionId: &c.region, ContainerGroupId: &id, ContainerName: &container,
		Tail: &tail, LimitBytes: &bytes, Timestamps: yes(opts.Timestamps), LastTime: yes(opts.Previous),
	}
	if !opts.Since.IsZero() {
		request.StartTime = text1(opts.Since.UTC().Format(time.RFC3339))
	}
	answer, err := do[logAnswer](ctx, c, read(opLog, request))
	if err != nil {
		return cloudapi.LogChunk{}, err
	}
	content := string(answer.Content)
	return cloudapi.LogChunk{
		Content: content,
		Complete: (ownTail || countLines(content) < maxTail) &&
			(ownBytes || len(content) < maxLogBytes),
	}, nil
}

func checkLog(id, container string, opts cloudapi.LogOptions) error {
	switch {
	case id == "":
		return invalid(opLog, "id: is empty")
	case container == "":
		return invalid(opLog, "container: is empty")
	case opts.TailLines < 0:
		return invalid(opLog, "TailLines: is %d; must not be negative", opts.TailLines)
	case opts.LimitBytes < 0:
		return invalid(opLog, "LimitBytes: is %d; must not be negative", opts.LimitBytes)
	}
	return nil
}

// countLines counts lines, the last one also without a newline.
func countLines(content string) int {
	n := strings.Count(content, "\n")
	if content != "" && !strings.HasSuffix(content, "\n") {
		n++
	}
	return n
}
