package provider

import (
	"context"
	"sync"
)

// background owns goroutines that wait for something long, which no worker of a
// queue may. They begin after open and end with its context.
type background struct {
	mu    sync.Mutex
	ctx   context.Context //nolint:containedctx // the goroutines' life, which open bounds
	group sync.WaitGroup
}

// open lets goroutines begin until ctx ends.
func (b *background) open(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ctx = ctx
}

// begin starts a goroutine, and tells false if it is not the time for any.
func (b *background) begin(work func(context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx == nil || b.ctx.Err() != nil {
		return false
	}
	ctx := b.ctx
	b.group.Go(func() { work(ctx) })
	return true
}

// close waits for every goroutine, once the context has ended.
func (b *background) close() {
	b.mu.Lock()
	b.ctx = nil
	b.mu.Unlock()
	b.group.Wait()
}
