// Command pause is the first process of a pod: it holds the pod's namespaces
// open, waits for the end of processes that have lost their parents, and ends
// when it is told to.
package main

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// version is the tag of the image.
const version = "3.10.1"

func main() {
	if slices.Contains(os.Args[1:], "-v") {
		say(os.Stdout, "pause "+version)
		return
	}
	// Two channels: a flood of ended children must not push out the order to
	// end.
	end, ended := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	signal.Notify(ended, syscall.SIGCHLD)
	if os.Getpid() != 1 {
		// It works as another process too, but then adopts nobody.
		say(os.Stderr, "pause: I should be the first process")
	}
	reap() // those that ended before
	for {
		select {
		case received := <-end:
			say(os.Stderr, "pause: shutting down, got signal: "+received.String())
			return
		case <-ended:
			reap()
		}
	}
}

// say writes a line. Nobody can be told that this failed.
func say(to *os.File, line string) { _, _ = to.WriteString(line + "\n") }

// reap waits for all children that have ended. One signal may stand for many of
// them.
func reap() {
	for {
		id, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || id <= 0 {
			return
		}
	}
}
