package simulated

import (
	"bytes"
	"sync"

	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// How much of one run's output is kept: the newest lines and bytes.
const (
	logLines = 20_000
	logBytes = 1 << 20
)

// log keeps the output of one run of a container. It implements io.Writer for
// stdout and stderr alike, as the clouds do not tell them apart.
type log struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	lines   []engine.LogLine
	bytes   int
	partial []byte
}

// Write implements io.Writer.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := p
	for {
		line, after, found := bytes.Cut(rest, []byte{'\n'})
		if !found {
			break
		}
		l.add(string(append(l.partial, line...)))
		l.partial, rest = l.partial[:0], after
	}
	if len(l.partial)+len(rest) <= logBytes { // a line longer than all that is kept is cut
		l.partial = append(l.partial, rest...)
	}
	return len(p), nil
}

// line adds one line.
func (l *log) line(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(text)
}

// add appends a line and drops the oldest beyond the bounds; the lock is held.
func (l *log) add(text string) {
	l.lines = append(l.lines, engine.LogLine{Time: l.clock.Now(), Text: text})
	l.bytes += len(text)
	for len(l.lines) > logLines || (l.bytes > logBytes && len(l.lines) > 1) {
		l.bytes -= len(l.lines[0].Text)
		l.lines = l.lines[1:]
	}
}

// close ends a line that had no newline.
func (l *log) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.partial) > 0 {
		l.add(string(l.partial))
		l.partial = nil
	}
}

// all returns the lines so far.
func (l *log) all() []engine.LogLine {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]engine.LogLine(nil), l.lines...)
}
