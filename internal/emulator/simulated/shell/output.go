package shell

import (
	"bytes"
	"io"
	"sync"
)

// outputLimit is how much is held back at most, in bytes.
const outputLimit = 32 << 10

// output gathers what the shell's own commands write word by word, since a
// reader should see an echo as one write. What ends a line goes on at once, the
// rest before the next command.
type output struct {
	mu     sync.Mutex
	writer io.Writer
	held   []byte
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = append(o.held, p...)
	if len(o.held) > outputLimit || bytes.HasSuffix(p, []byte{'\n'}) {
		return len(p), o.release()
	}
	return len(p), nil
}

// flush writes what is held back.
func (o *output) flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.release()
}

// release writes what is held back; the lock is held, which keeps the order.
func (o *output) release() error {
	if len(o.held) == 0 {
		return nil
	}
	_, err := o.writer.Write(o.held)
	o.held = o.held[:0]
	return err
}

// direct is where a program writes: to the writer itself, after what the shell
// has written before.
func direct(w io.Writer) io.Writer {
	o, ok := w.(*output)
	if !ok {
		return w
	}
	_ = o.flush() // the program's own writes meet the same error
	return o.writer
}
