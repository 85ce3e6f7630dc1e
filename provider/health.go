package provider

import (
	"errors"
	"sync"
	"time"

	"github.com/cumulet/cumulet/cloudapi"
)

// health remembers how the cloud answered. An outage of the cloud is not a
// failure of the node: it shows as a condition, not as silence.
type health struct {
	mu      sync.Mutex
	err     error
	since   time.Time
	changed func()
}

// note takes the outcome of a sweep.
func (h *health) note(err error, now time.Time) {
	h.mu.Lock()
	flipped := h.since.IsZero() || (err == nil) != (h.err == nil)
	if flipped {
		h.since = now
	}
	h.err = err
	changed := h.changed
	h.mu.Unlock()
	if flipped && changed != nil {
		changed()
	}
}

// CloudHealth is the cloud's state as the sweeps see it.
type CloudHealth struct {
	// Known is false before the first sweep ended.
	Known bool
	// Err is the last sweep's error; nil while the cloud answers.
	Err error
	// Since is when it last changed between answering and not.
	Since time.Time
}

// CloudHealth tells how the cloud answers.
func (p *Provider) CloudHealth() CloudHealth {
	p.health.mu.Lock()
	defer p.health.mu.Unlock()
	return CloudHealth{Known: !p.health.since.IsZero(), Err: p.health.err, Since: p.health.since}
}

// cloudAnswers tells whether the cloud answers, as far as one can know now: no
// sweep has failed, and none is overdue.
func (p *Provider) cloudAnswers() bool {
	last := p.sweeps.Load()
	overdue := 2*max(p.SweepInterval, last.took) + endPause
	return p.CloudHealth().Err == nil && p.Clock.Since(last.begun) < overdue
}

// OnCloudHealth calls changed whenever the cloud begins or ceases to answer,
// from now on. changed must not block.
func (p *Provider) OnCloudHealth(changed func()) {
	p.health.mu.Lock()
	defer p.health.mu.Unlock()
	p.health.changed = changed
}

// reason is a condition's reason for this error.
func reason(err error) string {
	if err == nil {
		return "CloudAnswers"
	}
	return "Cloud" + string(cloudapi.CodeOf(err))
}

// stableText is an error's text without what differs each time.
func stableText(err error) string {
	if e, ok := errors.AsType[*cloudapi.Error](err); ok {
		return e.Stable()
	}
	return err.Error()
}
