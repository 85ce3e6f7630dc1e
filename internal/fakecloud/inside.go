package fakecloud

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cumulet/cumulet/cloudapi"
)

// Logs implements cloudapi.Client.
func (c *Cloud) Logs(ctx context.Context, id, container string, o cloudapi.LogOptions) (cloudapi.LogChunk, error) {
	f, err := c.begin(ctx, Call{Op: OpLogs, IDs: []string{id}, Container: container, Logs: o})
	if err != nil || f.After != nil {
		return cloudapi.LogChunk{}, firstError(err, f.After)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if g, ok := c.groups[id]; !ok || (!g.goesAt.IsZero() && !c.clock.Now().Before(g.goesAt)) {
		return cloudapi.LogChunk{}, &cloudapi.Error{Op: string(OpLogs), Code: cloudapi.CodeNotFound, Message: "no such group"}
	}
	text := c.logs[id+"/"+container]
	lines := strings.SplitAfter(text, "\n")
	if n := len(lines); lines[n-1] == "" {
		lines = lines[:n-1]
	}
	most := c.limits.Log.MaxLines
	if o.TailLines > 0 && o.TailLines < most {
		most = o.TailLines
	}
	complete := len(lines) < c.limits.Log.MaxLines || most < c.limits.Log.MaxLines
	return cloudapi.LogChunk{Content: strings.Join(lines[max(0, len(lines)-most):], ""), Complete: complete}, nil
}

// Exec implements cloudapi.Client: the command's words become its output, and
// it ends as OnExec says.
func (c *Cloud) Exec(ctx context.Context, id, container string, o cloudapi.ExecOptions) (int, error) {
	call := Call{Op: OpExec, IDs: []string{id}, Container: container, Command: slices.Clone(o.Command), Stdout: o.Stdout}
	if known, ok := o.Stdin.(*strings.Reader); ok {
		text, err := io.ReadAll(known)
		if err != nil {
			return 0, fmt.Errorf("reading input: %w", err)
		}
		call.Stdin = string(text)
	}
	f, err := c.begin(ctx, call)
	if err != nil || f.After != nil {
		return 0, firstError(err, f.After)
	}
	if o.Stdout != nil {
		if _, err := fmt.Fprintln(o.Stdout, strings.Join(o.Command, " ")); err != nil {
			return 0, fmt.Errorf("writing output: %w", err)
		}
	}
	c.mu.Lock()
	exec := c.exec
	c.mu.Unlock()
	if exec == nil {
		return 0, nil
	}
	return exec(ctx, call)
}

// Metrics implements cloudapi.Client: every group uses one millicore and one
// MiB.
func (c *Cloud) Metrics(ctx context.Context, ids []string) ([]cloudapi.GroupMetrics, error) {
	f, err := c.begin(ctx, Call{Op: OpMetrics, IDs: slices.Clone(ids)})
	if err != nil || f.After != nil {
		return nil, firstError(err, f.After)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []cloudapi.GroupMetrics
	for _, id := range ids {
		if _, ok := c.groups[id]; ok {
			all = append(all, cloudapi.GroupMetrics{
				GroupID: id, Time: c.clock.Now(),
				CPU: cloudapi.CPUUsage{UsageNanoCores: 1e6}, Memory: cloudapi.MemoryUsage{UsageBytes: 1 << 20},
			})
		}
	}
	return all, nil
}
