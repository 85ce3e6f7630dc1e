package admin

import (
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// minutesKept is how far back calls are counted by the minute.
const minutesKept = 24 * 60

// unanswered is the answer of a call whose connection was closed on purpose.
const unanswered = "lost"

// Calls counts the calls of one cloud. It is safe for concurrent use.
type Calls struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	actions map[string]*ActionCalls
	minutes []MinuteCalls
}

// ActionCalls are the calls of one action.
type ActionCalls struct {
	Total int `json:"total"`
	// Answers counts by HTTP status, or "lost".
	Answers map[string]int `json:"answers"`
}

// MinuteCalls are the calls that came in one minute, by action.
type MinuteCalls struct {
	Minute  time.Time      `json:"minute"`
	Actions map[string]int `json:"actions"`
}

// CallsReport is what GET /calls tells of one cloud.
type CallsReport struct {
	Actions map[string]ActionCalls `json:"actions"`
	// Minutes are the newest 1440 in which there were calls, oldest first.
	Minutes []MinuteCalls `json:"minutes"`
}

// NewCalls returns a counter at zero.
func NewCalls(clock clock.PassiveClock) *Calls {
	return &Calls{clock: clock, actions: map[string]*ActionCalls{}}
}

// Wrap counts what comes through next. action names a request's action; a
// request without one counts as "none".
func (c *Calls) Wrap(next http.Handler, action func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := action(r)
		if name == "" {
			name = "none"
		}
		c.arrive(name)
		answer := &countedAnswer{ResponseWriter: w, status: unanswered}
		defer func() { c.leave(name, answer.status) }()
		next.ServeHTTP(answer, r)
		if answer.status == unanswered {
			answer.status = strconv.Itoa(http.StatusOK) // an empty answer is 200
		}
	})
}

// arrive counts a call when it comes.
func (c *Calls) arrive(action string) {
	minute := c.clock.Now().UTC().Truncate(time.Minute)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.actions[action] == nil {
		c.actions[action] = &ActionCalls{Answers: map[string]int{}}
	}
	c.actions[action].Total++
	if n := len(c.minutes); n == 0 || c.minutes[n-1].Minute.Before(minute) {
		c.minutes = append(c.minutes, MinuteCalls{Minute: minute, Actions: map[string]int{}})
	}
	if over := len(c.minutes) - minutesKept; over > 0 {
		c.minutes = c.minutes[over:]
	}
	c.minutes[len(c.minutes)-1].Actions[action]++
}

// leave counts its answer.
func (c *Calls) leave(action, status string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.actions[action]; a != nil { // else counted anew meanwhile
		a.Answers[status]++
	}
}

// Report returns the counts.
func (c *Calls) Report() CallsReport {
	c.mu.Lock()
	defer c.mu.Unlock()
	report := CallsReport{Actions: map[string]ActionCalls{}, Minutes: []MinuteCalls{}}
	for name, a := range c.actions {
		report.Actions[name] = ActionCalls{Total: a.Total, Answers: clone(a.Answers)}
	}
	for _, m := range c.minutes {
		report.Minutes = append(report.Minutes, MinuteCalls{Minute: m.Minute, Actions: clone(m.Actions)})
	}
	return report
}

func clone(counts map[string]int) map[string]int {
	return maps.Clone(counts)
}

// Reset counts anew.
func (c *Calls) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.actions, c.minutes = map[string]*ActionCalls{}, nil
}

// countedAnswer notes the status of an answer.
type countedAnswer struct {
	http.ResponseWriter
	status string
}

// WriteHeader implements http.ResponseWriter.
func (a *countedAnswer) WriteHeader(status int) {
	a.status = strconv.Itoa(status)
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *countedAnswer) Write(p []byte) (int, error) {
	if a.status == unanswered {
		a.status = strconv.Itoa(http.StatusOK)
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection, which exec takes
// over.
func (a *countedAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
