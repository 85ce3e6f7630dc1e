package kci

import (
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi"
)

// openCreates remembers, by name, when creates ended whose outcome is open. A
// group that the cloud made all the same may not show yet, so for a while that
// none is found proves nothing.
type openCreates struct {
	clock clock.PassiveClock
	// visible is how long the cloud may take to show a group.
	visible time.Duration

	mu    sync.Mutex
	ended map[string]time.Time
}

func newOpenCreates(c clock.PassiveClock, visible time.Duration) *openCreates {
	return &openCreates{clock: c, visible: visible, ended: map[string]time.Time{}}
}

// note remembers an open create, and forgets those that are settled by time.
func (o *openCreates) note(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.clock.Now()
	for other, at := range o.ended {
		if now.Sub(at) >= o.visible {
			delete(o.ended, other)
		}
	}
	o.ended[name] = now
}

func (o *openCreates) settle(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.ended, name)
}

// wait is an error while a group of this name may exist without showing; its
// RetryAfter tells how long that lasts.
func (o *openCreates) wait(name string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	at, open := o.ended[name]
	left := o.visible - o.clock.Since(at)
	if !open || left <= 0 {
		return nil
	}
	return &cloudapi.Error{
		Op: actionCreate, Code: cloudapi.CodeUnavailable, Uncertain: true, RetryAfter: left,
		Message: fmt.Sprintf("an earlier create had no known outcome, and a group it made may take %s to show", o.visible),
	}
}
