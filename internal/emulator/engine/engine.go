package engine

import (
	"container/list"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// DefaultHistory is how many groups, shown and vanished, an engine remembers.
const DefaultHistory = 200_000

// Options configure an Engine.
type Options struct {
	// Clock is where all times and waits come from.
	Clock clock.WithDelayedExecution
	// Runtime runs the groups.
	Runtime Runtime
	// NewID makes the id of a group; it must never repeat itself.
	NewID func() string
	// NewInterfaceID makes the id of a group's network interface; nil makes
	// ids like eni-0123456789abcdef0123.
	NewInterfaceID func() string
	// Addresses is where the groups' IP addresses come from. The zero Prefix
	// gives none out: then the runtime's observations must bring them.
	Addresses netip.Prefix
	Latency   Latency
	Retention Retention
	// History is how many groups are remembered for All and Find, vanished
	// ones included; the oldest vanished go first. 0 means DefaultHistory.
	History int
	// Admit is asked when a group is about to get a machine; nil admits all.
	// An *UnschedulableError says why there is none; any other error is told as
	// reason UnknownError, ECI's word for it (its page on custom events).
	Admit func(*Spec) error
}

// Latency is how long the cloud itself takes, apart from the runtime.
type Latency struct {
	// Schedule is the time from the create call until a machine is found.
	Schedule time.Duration
}

// Retention is how long groups that ended by themselves still show in the API.
// The zero value keeps them until they are deleted.
type Retention struct {
	// Keep is how long each of them stays at least; 0 means for ever.
	Keep time.Duration
	// Latest is how many of the newest stay beyond Keep.
	Latest int
	// ScheduleFailed is how long a group that got no machine stays; 0 means
	// for ever.
	ScheduleFailed time.Duration
}

// ECIRetention is what ECI documents: all final groups one hour, then the
// latest hundred per region; those that could not be scheduled a day.
var ECIRetention = Retention{Keep: time.Hour, Latest: 100, ScheduleFailed: 24 * time.Hour}

// UnschedulableError is why a group gets no machine; it becomes the reason and
// message of status ScheduleFailed.
type UnschedulableError struct{ Reason, Message string }

// Error implements error.
func (u *UnschedulableError) Error() string { return u.Reason + ": " + u.Message }

// Engine holds the groups of one cloud; it implements Groups. Use New.
type Engine struct {
	options   Options
	addresses *addressPool

	// work counts the callbacks that run.
	work sync.WaitGroup

	// mu guards all that follows. The runtime is never called under it.
	mu       sync.RWMutex
	closed   bool
	records  map[string]*record
	order    *list.List // of *record that show in the API, oldest first
	ended    *list.List // of *record that are final, first ended first
	vanished history
	made     uint32 // groups created so far
}

// record is one group that shows in the API; Engine.mu guards it.
type record struct {
	// group is the next snapshot. Its slices are replaced, never written to.
	group    Group
	instance Instance
	// place and endedPlace are where the group is in Engine.order and .ended.
	place, endedPlace *list.Element
	// timer fires the next step: scheduling, the deadline, or forgetting.
	timer clock.Timer
	// deleting and force tell that and how the API deleted it.
	deleting, force bool
	// ending is why the engine stops the group by itself.
	ending *ending
	gone   bool
}

// ending is the final state that a group takes once its containers are stopped.
type ending struct {
	status          Status
	reason, message string
}

// New returns an engine without groups. It panics if Clock, Runtime or NewID is
// missing, which is a mistake in the program. Call Close when done.
func New(o Options) *Engine {
	if o.Clock == nil || o.Runtime == nil || o.NewID == nil {
		panic(errors.New("engine.New: Options needs Clock, Runtime and NewID"))
	}
	if o.NewInterfaceID == nil {
		o.NewInterfaceID = newInterfaceID
	}
	if o.History <= 0 {
		o.History = DefaultHistory
	}
	return &Engine{
		options:   o,
		addresses: newAddressPool(o.Addresses),
		records:   map[string]*record{},
		order:     list.New(),
		ended:     list.New(),
		vanished:  newHistory(),
	}
}

// Close ends all groups by force, waits for the engine's own callbacks, and
// starts nothing any more. The runtime is closed by whoever made it.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	var instances []Instance
	for _, r := range e.records {
		r.stopTimer()
		if r.instance != nil {
			instances = append(instances, r.instance)
		}
	}
	e.mu.Unlock()
	for _, i := range instances {
		i.Stop(true)
	}
	e.work.Wait()
}

// after calls f once d has passed, in a goroutine of its own even where the
// clock would call it while holding a lock, as k8s.io/utils/clock/testing does.
func (e *Engine) after(d time.Duration, f func()) clock.Timer {
	return e.options.Clock.AfterFunc(d, func() { go e.perform(f) })
}

// perform runs a callback unless the engine is closed; Close waits for it.
func (e *Engine) perform(f func()) {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return
	}
	e.work.Add(1)
	e.mu.Unlock()
	defer e.work.Done()
	f()
}

func (r *record) stopTimer() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
}

// recordAt is the record in a place of Engine.order or Engine.ended.
func recordAt(at *list.Element) *record {
	return at.Value.(*record) //nolint:forcetypeassert // both lists hold nothing else
}

// snapshot is the record as others may see it.
func (r *record) snapshot() Group { return r.group }

// changed notes that a poller can see something new.
func (e *Engine) changed(r *record) { r.group.ChangedAt = e.options.Clock.Now() }

// newInterfaceID makes an id in ECI's form.
func newInterfaceID() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return "eni-" + hex.EncodeToString(b[:])
}

// hardwareAddress is the MAC of the n-th group, below Alibaba's prefix.
func hardwareAddress(n uint32) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return fmt.Sprintf("00:16:3e:%02x:%02x:%02x", b[1], b[2], b[3])
}
