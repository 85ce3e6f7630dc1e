package local

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/cumulet/cumulet/internal/controlplane/process"
)

// restartPause is how long cumulet stays down after it ended unasked.
const restartPause = time.Second

// supervisedCommand is a program that is started again when it ends.
type supervisedCommand struct {
	path string
	args []string
	log  string
	tell func(string)
}

// supervised keeps one program running, as a Deployment keeps a pod.
type supervised struct {
	command supervisedCommand
	mu      sync.Mutex
	current *process.Process
	stopped chan struct{}
	ended   chan struct{}
}

func supervise(c supervisedCommand) (*supervised, error) {
	s := &supervised{command: c, stopped: make(chan struct{}), ended: make(chan struct{})}
	if err := s.start(); err != nil {
		return nil, err
	}
	go s.watch()
	return s, nil
}

func (s *supervised) start() error {
	p, err := process.Start(process.Command{
		Name: "cumulet", Path: s.command.path, Args: s.command.args, Log: s.command.log,
		Env: []string{"HOME=" + os.TempDir(), "PATH=/usr/bin:/bin"},
	})
	if err != nil {
		return fmt.Errorf("starting cumulet: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = p
	return nil
}

// watch starts the program again whenever it ends, until stop.
func (s *supervised) watch() {
	defer close(s.ended)
	for {
		select {
		case <-s.stopped:
			return
		case <-s.process().Done():
		}
		select {
		case <-s.stopped:
			return
		case <-time.After(restartPause):
		}
		s.command.tell("cumulet ended by itself, starting it again")
		if err := s.start(); err != nil {
			s.command.tell(err.Error())
		}
	}
}

func (s *supervised) process() *process.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

func (s *supervised) pid() int        { return s.process().PID() }
func (s *supervised) running() bool   { return s.process().Running() }
func (s *supervised) logTail() string { return s.process().LogTail(20) }

// stop ends the program for good.
func (s *supervised) stop() error {
	close(s.stopped)
	<-s.ended
	return s.process().Stop(stopGrace)
}
