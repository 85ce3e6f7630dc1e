package kubernetes

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// How much of one run's log is handed out: the newest lines and bytes, far more
// than either cloud shows at once.
const (
	logLines = 20_000
	logBytes = 4 << 20
)

// logTail keeps the newest lines of a log.
type logTail struct {
	lines []engine.LogLine
	bytes int
}

// add appends a line and drops the oldest beyond the bounds.
func (t *logTail) add(line engine.LogLine) {
	t.lines = append(t.lines, line)
	t.bytes += len(line.Text)
	for len(t.lines) > logLines || (t.bytes > logBytes && len(t.lines) > 1) {
		t.bytes -= len(t.lines[0].Text)
		t.lines = t.lines[1:]
	}
}

// errNoLog is how a kubelet's complaint is told that comes instead of a log, which
// it does with the code of a success when the container was removed meanwhile
// (pkg/kubelet/kuberuntime, GetContainerLogs).
var errNoLog = errors.New("the kubelet has no log")

// readLog reads a log as a kubelet writes it with timestamps and passes its lines
// on. A line that the stream breaks off in, because it failed, is not passed on;
// one without a newline at the end of the log is.
func readLog(from io.Reader, add func(engine.LogLine)) error {
	reader := bufio.NewReaderSize(from, 64<<10)
	lines, foreign := 0, 0
	for {
		text, err := readLine(reader)
		if err == nil || (errors.Is(err, io.EOF) && len(text) > 0) {
			if line, ok := parseLine(text); ok {
				add(line)
				lines++
			} else {
				foreign++
			}
		}
		switch {
		case errors.Is(err, io.EOF) && lines == 0 && foreign > 0:
			return errNoLog
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// readLine reads up to a newline, which is cut off. Of a line longer than all that
// is kept, the beginning is kept.
func readLine(reader *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := reader.ReadSlice('\n')
		if room := logBytes - len(line); room > 0 {
			line = append(line, part[:min(len(part), room)]...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return bytes.TrimSuffix(line, []byte{'\n'}), err
	}
}

// parseLine splits a line into its time and its text. What has no time is not of
// the container: a kubelet writes its own complaints into the same stream.
func parseLine(line []byte) (engine.LogLine, bool) {
	stamp, text, _ := strings.Cut(string(line), " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return engine.LogLine{}, false
	}
	return engine.LogLine{Time: at, Text: text}, true
}
