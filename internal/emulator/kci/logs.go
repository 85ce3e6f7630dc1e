package kci

import (
	"errors"
	"math"
	"strings"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// logAnswer answers DescribeContainerLog.
type logAnswer struct {
	answerHead
	Content string `json:"Content"`
}

// readLog reads DescribeContainerLog.
func readLog(s *Server, r *reader, n *node) func(*call) (answer, *apiError) {
	id, container := r.required(n, "ContainerGroupId"), r.required(n, "ContainerName")
	tail := min(r.integer(n, "Tail", whole{1, math.MaxInt32, defaultTail}), maxTail)
	return func(*call) (answer, *apiError) {
		lines, err := s.options.Groups.Logs(id, container, false)
		if err != nil && !errors.Is(err, engine.ErrNotRunning) {
			return nil, failure(err, id, container)
		}
		return &logAnswer{Content: lastLines(lines, tail)}, nil
	}
}

// lastLines joins the last lines of a log, each with its newline.
func lastLines(lines []engine.LogLine, count int) string {
	var content strings.Builder
	for _, line := range lines[max(0, len(lines)-count):] {
		content.WriteString(strings.ToValidUTF8(line.Text, "\uFFFD"))
		content.WriteByte('\n')
	}
	return content.String()
}
