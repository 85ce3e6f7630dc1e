package demo

import (
	"bytes"
	"io"
	"sync"
)

// relay keeps what is written until it is told where to, and passes it on from
// then.
type relay struct {
	mu   sync.Mutex
	kept bytes.Buffer
	to   io.Writer
}

// Write implements io.Writer.
func (r *relay) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == nil {
		return r.kept.Write(p)
	}
	return r.to.Write(p)
}

// switchTo passes on what was kept and all that follows.
func (r *relay) switchTo(w io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.kept.WriteTo(w) // a terminal that is gone is no failure of the demo
	r.to = w
}
