package provider

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

const (
	// writeTimeout bounds one exec that writes a volume's files.
	writeTimeout = 30 * time.Second
	// maxWriteAnswer bounds what is kept of its output in bytes; the answer is a
	// line.
	maxWriteAnswer = 4 << 10
)

// errNotRunning: no container runs through which a volume could be written.
var errNotRunning = errors.New("no container runs that could write the files")

// write writes a volume through exec in the first of its containers that can. A
// reason says why none can; an error that it is worth another try, be it only in
// one of them.
func (s *round) write(ctx context.Context, v *translate.FileVolume) (changed bool, reason string, err error) {
	carriers := translate.Carriers(s.r.pod, v.Name, s.p.limits)
	if len(carriers) == 0 {
		return false, s.noCarrier(), nil
	}
	running := 0
	var failed error
	for _, name := range carriers {
		if c := containerState(s.r.group, name); c == nil || c.Current.Kind != cloudapi.RunRunning {
			continue
		}
		running++
		changed, why, err := s.writeIn(ctx, name, v)
		switch {
		case err != nil:
			failed = cmp.Or(failed, err)
		case why == "":
			return changed, "", nil
		default:
			reason = why
		}
	}
	if running == 0 {
		return false, "", errNotRunning
	}
	return false, reason, failed
}

// noCarrier is why exec cannot write at all.
func (s *round) noCarrier() string {
	if !s.p.limits.Can.Exec {
		return s.p.limits.Cloud + " runs no commands in containers"
	}
	return "no container that runs as root mounts the volume"
}

// writeIn writes a volume in one container: a shell there reads a script from its
// standard input, so that no content stands in a command line.
func (s *round) writeIn(ctx context.Context, container string, v *translate.FileVolume) (changed bool, reason string, err error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	answer := &head{most: maxWriteAnswer}
	code, err := s.p.Cloud.Exec(ctx, s.r.groupID, container, cloudapi.ExecOptions{
		Command: []string{"/bin/sh"},
		Stdin:   strings.NewReader(writeScript(translate.CarrierPath(v.Name), v.Files.Items)),
		Stdout:  answer, Stderr: &head{}, // a shell's complaint may quote the script
	})
	switch word := answerIn(answer.String()); {
	case word == "same" || word == "changed":
		// Whatever became of the exit code: this is the script's last word.
		return word == "changed", "", nil
	case word != "":
		return false, fmt.Sprintf("container %s: %s", container, scriptFailure(word)), nil
	case err == nil:
		return false, fmt.Sprintf("container %s: its shell ended with exit code %d", container, code), nil
	case noShell(err):
		return false, fmt.Sprintf("container %s has no shell", container), nil
	case cloudapi.Terminal(err) || cloudapi.Is(err, cloudapi.CodeForbidden):
		return false, fmt.Sprintf("container %s: %s", container, stableText(err)), nil
	default:
		return false, "", fmt.Errorf("writing volume %q in container %s: %w", v.Name, container, err)
	}
}

// noShell tells, in runc's words, whether a command could not be run because there
// is none such.
func noShell(err error) bool {
	text := err.Error()
	return strings.Contains(text, "executable file not found") || strings.Contains(text, "no such file or directory")
}

// head keeps the first bytes that are written to it.
type head struct {
	bytes.Buffer
	most int
}

// Write implements io.Writer; what is too much is dropped.
func (h *head) Write(p []byte) (int, error) {
	_, _ = h.Buffer.Write(p[:min(len(p), max(0, h.most-h.Len()))]) // a buffer never fails
	return len(p), nil
}
