package provider

import (
	"fmt"
	"runtime/debug"
)

// contained makes a panic an error that tells where it was. A pod or an answer that
// nobody thought of would else end the process, again each time it comes back: the
// node would cease to be ready, and all its pods be evicted.
func contained(work func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return work()
}
