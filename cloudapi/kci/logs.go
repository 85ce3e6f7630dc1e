package kci

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cumulet/cumulet/cloudapi"
)

// Logs implements cloudapi.Client. KCI knows the last lines of the current run
// only, at most 1000; asked for more, it gives those and Complete is false. A
// chunk is Complete when fewer lines came than were asked for.
func (c *Client) Logs(ctx context.Context, id, container string, opts cloudapi.LogOptions) (cloudapi.LogChunk, error) {
	if err := checkLogOptions(id, container, opts); err != nil {
		return cloudapi.LogChunk{}, err
	}
	tail := opts.TailLines
	if tail == 0 || tail > maxTail {
		tail = maxTail
	}
	f := newForm()
	f.set("ContainerGroupId", id)
	f.set("ContainerName", container)
	f.int("Tail", tail) // always: the defaults differ between document and SDKs
	var out logAnswer
	if err := c.call(ctx, actionLog, f, &out); err != nil {
		return cloudapi.LogChunk{}, goneOr(err)
	}
	text := out.Content.text
	return cloudapi.LogChunk{Content: text, Complete: lines(text) < tail}, nil
}

// goneOr is the error with code NotFound if it is none that the table lists and its
// words say that there is no such group: no source names KCI's code for that.
func goneOr(err error) error {
	var refusal *cloudapi.Error
	if !errors.As(err, &refusal) || refusal.Code != cloudapi.CodeUnknown || !saysGone(refusal) {
		return err
	}
	gone := *refusal
	gone.Code = cloudapi.CodeNotFound
	return &gone
}

func checkLogOptions(id, container string, opts cloudapi.LogOptions) error {
	switch {
	case id == "":
		return invalid(actionLog, "the group's id is empty")
	case container == "":
		return invalid(actionLog, "the container's name is empty")
	case opts.TailLines < 0:
		return invalid(actionLog, fmt.Sprintf("tailLines is %d; it must not be negative", opts.TailLines))
	}
	var asked []string
	for option, set := range map[string]bool{
		"limitBytes": opts.LimitBytes != 0, "since": !opts.Since.IsZero(),
		"previous": opts.Previous, "timestamps": opts.Timestamps,
	} {
		if set {
			asked = append(asked, option)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	slices.Sort(asked)
	return &cloudapi.Error{Op: actionLog, Code: cloudapi.CodeUnsupported,
		Message: "KCI tells the last lines of a log only; it has no " + strings.Join(asked, ", ")}
}

// lines counts lines; the last one may lack its newline.
func lines(text string) int {
	n := strings.Count(text, "\n")
	if text != "" && !strings.HasSuffix(text, "\n") {
		n++
	}
	return n
}
