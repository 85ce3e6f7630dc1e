package execstream

import (
	"context"
	"io"
	"sync"
)

// stdinLimit bounds what is kept of an input that the command does not read:
// beyond it the connection is no longer read, so the client is slowed down.
const stdinLimit = 1 << 20 // bytes

// stdin buffers a command's input between the connection and the command, so
// that the connection is still read (closes, pongs, resizes) while the command
// does not ask for input.
type stdin struct {
	mu      sync.Mutex
	buffer  []byte
	ended   bool
	changed chan struct{}
}

func newStdin() *stdin { return &stdin{changed: make(chan struct{})} }

// signal wakes all who wait; the lock is held.
func (s *stdin) signal() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Read implements io.Reader for the command.
func (s *stdin) Read(p []byte) (int, error) {
	for {
		s.mu.Lock()
		if len(s.buffer) > 0 {
			n := copy(p, s.buffer)
			s.buffer = s.buffer[n:]
			s.signal()
			s.mu.Unlock()
			return n, nil
		}
		ended, changed := s.ended, s.changed
		s.mu.Unlock()
		if ended {
			return 0, io.EOF
		}
		<-changed
	}
}

// push adds input, waiting for room until ctx ends. Input after the end is
// dropped, as a closed pipe would drop it.
func (s *stdin) push(ctx context.Context, p []byte) {
	for {
		s.mu.Lock()
		if s.ended || len(p) == 0 {
			s.mu.Unlock()
			return
		}
		if len(s.buffer) < stdinLimit {
			s.buffer = append(s.buffer, p...)
			s.signal()
			s.mu.Unlock()
			return
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// end makes Read return io.EOF once the buffer is drained.
func (s *stdin) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended = true
		s.signal()
	}
}
