package applet

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
)

// ParentFD is the environment variable that holds the number of a file
// descriptor: the read end of a pipe whose write end the parent keeps open,
// and to which nobody writes.
const ParentFD = "CUMULET_PARENT_FD"

// orphanStatus is the exit status of a process whose parent is gone: that of
// one ended by SIGTERM, as a shell would report it.
const orphanStatus = 128 + int(syscall.SIGTERM)

// EndWithParent ends this process, by os.Exit, as soon as the parent that set
// ParentFD is gone, however it went: the kernel closes the pipe of a parent
// that was killed too. Linux could send a signal instead (PR_SET_PDEATHSIG),
// macOS could not. Without ParentFD in the environment it does nothing.
//
// The descriptor and the variable are kept from the programs which this
// process starts itself.
func EndWithParent() error {
	value, ok := os.LookupEnv(ParentFD)
	if !ok {
		return nil
	}
	if err := os.Unsetenv(ParentFD); err != nil {
		return fmt.Errorf("hiding %s from children: %w", ParentFD, err)
	}
	fd, err := strconv.Atoi(value)
	if err != nil || fd < 0 {
		return fmt.Errorf("%s is %q, not the number of a file descriptor", ParentFD, value)
	}
	syscall.CloseOnExec(fd)
	pipe := os.NewFile(uintptr(fd), "parent")
	if _, err := pipe.Stat(); err != nil {
		return fmt.Errorf("reading %s=%d: %w", ParentFD, fd, err)
	}
	// The goroutine lives as long as the process, which is its purpose.
	go func() {
		// An error here means as much as the end of the file: there is no
		// parent to be seen any more.
		_, _ = io.Copy(io.Discard, pipe)
		os.Exit(orphanStatus) //nolint:revive // it is what this function is for
	}()
	return nil
}
