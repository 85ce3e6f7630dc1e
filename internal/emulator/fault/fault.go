// Package fault makes an emulated cloud misbehave on purpose: by cloud, action
// and attempt, always from outside, so that no handler knows of it. A Set wraps a
// front's http.Handler and the engine's Groups.
package fault

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// Kind is what goes wrong.
type Kind string

// The kinds that act on requests, by action.
const (
	// Error answers with Status, Code and Message in the cloud's own form, and
	// does nothing else.
	Error Kind = "error"
	// Delay waits for Delay before the request is handled.
	Delay Kind = "delay"
	// Drop closes the connection; the request is not handled.
	Drop Kind = "drop"
	// Lost handles the request and closes the connection without an answer.
	Lost Kind = "lost"
	// Malformed handles the request and answers with Body: truncated (the first
	// half), html (a gateway's error page) or empty; with Status, if given.
	Malformed Kind = "malformed"
)

// The kinds that act on what the API sees of the groups. They take no action:
// every read of every action sees the same.
const (
	// Stale shows the groups as they were when the fault was added.
	Stale Kind = "stale"
	// Young hides groups that are younger than Age.
	Young Kind = "young"
	// Partial leaves a random Share of the groups out of each list.
	Partial Kind = "partial"
	// Unschedulable gives groups no machine: they become ScheduleFailed with
	// Code as the reason and Message.
	Unschedulable Kind = "unschedulable"
)

// The bodies of Malformed.
const (
	Truncated = "truncated"
	HTML      = "html"
	Empty     = "empty"
)

// Fault is one thing that goes wrong.
type Fault struct {
	// ID is given by Add.
	ID   int  `json:"id"`
	Kind Kind `json:"kind"`
	// Action is the API action concerned; empty means any.
	Action string `json:"action,omitempty"`
	// After is how many matching calls pass unharmed first.
	After int `json:"after,omitempty"`
	// Times is how many calls are hit; 0 means until the fault is removed.
	Times int `json:"times,omitempty"`
	// Probability is the chance of each matching call to be hit; 0 means 1.
	Probability float64 `json:"probability,omitempty"`

	// Status, Code and Message belong to Error, Status also to Malformed, Code
	// and Message also to Unschedulable.
	Status  int    `json:"status,omitempty"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	// Delay belongs to Delay.
	Delay metav1.Duration `json:"delay,omitzero"`
	// Body belongs to Malformed.
	Body string `json:"body,omitempty"`
	// Age belongs to Young.
	Age metav1.Duration `json:"age,omitzero"`
	// Share belongs to Partial: from 0 to 1.
	Share float64 `json:"share,omitempty"`
}

// State is a fault with what it did so far.
type State struct {
	Fault
	// Seen counts the matching calls, Hits those that were hit.
	Seen int `json:"seen"`
	Hits int `json:"hits"`
}

// Set holds the faults of one cloud. It is safe for concurrent use.
type Set struct {
	clock clock.Clock

	mu     sync.Mutex
	random *rand.Rand
	groups engine.Groups // set by Groups
	faults []*armed
	last   int // the last id given
}

// armed is a fault in a set.
type armed struct {
	State
	frozen []engine.Group // what Stale shows
}

// NewSet returns a set without faults. The same seed makes the same choices for
// the same calls.
func NewSet(clock clock.Clock, seed uint64) *Set {
	random := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // choices that repeat are wanted; nothing secret hangs on them
	return &Set{clock: clock, random: random}
}

// Add adds a fault and returns it with its id. The error names the field that is
// wrong.
func (s *Set) Add(f Fault) (Fault, error) {
	if err := f.check(); err != nil {
		return Fault{}, err
	}
	a := &armed{State: State{Fault: f}}
	if f.Kind == Stale {
		s.mu.Lock()
		groups := s.groups
		s.mu.Unlock()
		if groups != nil {
			a.frozen = groups.List(nil)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	a.ID = s.last
	s.faults = append(s.faults, a)
	return a.Fault, nil
}

// List returns the faults in the order in which they were added.
func (s *Set) List() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	states := make([]State, 0, len(s.faults))
	for _, a := range s.faults {
		states = append(states, a.State)
	}
	return states
}

// Remove removes a fault; it tells whether there was one of this id.
func (s *Set) Remove(id int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.faults)
	s.faults = slices.DeleteFunc(s.faults, func(a *armed) bool { return a.ID == id })
	return len(s.faults) < before
}

// Clear removes all faults.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// hits counts a call for each fault of these kinds that matches it, and returns
// those that hit.
func (s *Set) hits(action string, kinds ...Kind) []*armed {
	s.mu.Lock()
	defer s.mu.Unlock()
	var hit []*armed
	for _, a := range s.faults {
		if !slices.Contains(kinds, a.Kind) || (a.Action != "" && a.Action != action) {
			continue
		}
		a.Seen++
		spent := a.Times > 0 && a.Hits >= a.Times
		unlucky := a.Probability == 0 || a.Probability == 1 || s.random.Float64() < a.Probability
		if a.Seen > a.After && !spent && unlucky {
			a.Hits++
			hit = append(hit, a)
		}
	}
	return hit
}

// chance tells true in a share of the cases.
func (s *Set) chance(share float64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.Float64() < share
}

// longest bounds a delay: the servers' write timeout must not come first.
const longest = 5 * time.Minute

// check tells what is wrong with a fault.
func (f *Fault) check() error {
	switch {
	case f.After < 0 || f.Times < 0:
		return fmt.Errorf("fault: after %d and times %d: want no negative numbers", f.After, f.Times)
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("fault: probability %v: want a number from 0 to 1", f.Probability)
	}
	switch f.Kind {
	case Drop, Lost:
		return nil
	case Error:
		return f.checkError()
	case Malformed:
		return f.checkMalformed()
	case Delay:
		if f.Delay.Duration <= 0 || f.Delay.Duration > longest {
			return fmt.Errorf("fault: delay %v: want more than zero and at most %v", f.Delay.Duration, longest)
		}
		return nil
	default:
		return f.checkView()
	}
}

func (f *Fault) checkError() error {
	if f.Status < 400 || f.Status > 599 {
		return fmt.Errorf("fault: status %d: want an error status from 400 to 599", f.Status)
	}
	if f.Code == "" {
		return fmt.Errorf("fault: code: want the error code of the cloud, for instance Throttling")
	}
	return nil
}

func (f *Fault) checkMalformed() error {
	if f.Body != Truncated && f.Body != HTML && f.Body != Empty {
		return fmt.Errorf("fault: body %q: want %s, %s or %s", f.Body, Truncated, HTML, Empty)
	}
	if f.Status != 0 && (f.Status < http.StatusOK || f.Status > 599) {
		return fmt.Errorf("fault: status %d: want a status from 200 to 599", f.Status)
	}
	return nil
}

// checkView checks the kinds that act on what the API sees.
func (f *Fault) checkView() error {
	if f.Action != "" {
		return fmt.Errorf("fault: action %q: kind %q acts on every read and takes no action", f.Action, f.Kind)
	}
	switch f.Kind {
	case Stale:
		return nil
	case Young:
		if f.Age.Duration <= 0 {
			return fmt.Errorf("fault: age %v: want more than zero", f.Age.Duration)
		}
		return nil
	case Partial:
		if f.Share <= 0 || f.Share > 1 {
			return fmt.Errorf("fault: share %v: want a number above 0 and at most 1", f.Share)
		}
		return nil
	case Unschedulable:
		if f.Code == "" {
			return fmt.Errorf("fault: code: want the reason why there is no machine, for instance NoStock")
		}
		return nil
	default:
		return fmt.Errorf("fault: kind %q: want one of %s, %s, %s, %s, %s, %s, %s, %s, %s", f.Kind,
			Error, Delay, Drop, Lost, Malformed, Stale, Young, Partial, Unschedulable)
	}
}
