package eci

import (
	"bytes"
	"time"
	"unicode/utf8"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

type logRequest struct {
	RegionID         string `wire:"RegionId"`
	ContainerGroupID string `wire:"ContainerGroupId" req:"all"`
	ContainerName    string `wire:"ContainerName" req:"all"`
	Tail             *int32 `wire:"Tail" range:"1-2000"`
	LimitBytes       *int64 `wire:"LimitBytes" range:"1-1048576"`
	SinceSeconds     *int32 `wire:"SinceSeconds" range:"1-"`
	StartTime        string `wire:"StartTime"`
	Timestamps       *bool  `wire:"Timestamps"`
	LastTime         *bool  `wire:"LastTime"`
}

type logAnswer struct {
	RequestID     string `json:"RequestId"`
	ContainerName string
	Content       string
}

// describeContainerLog answers the end of a container's log.
func (s *Server) describeContainerLog(c *call, r *logRequest) (any, error) {
	since := s.since(r.SinceSeconds)
	if r.StartTime != "" {
		start, err := time.Parse(time.RFC3339, r.StartTime)
		if err != nil {
			return nil, wrong("StartTime", r.StartTime, "a time of RFC 3339, such as 2018-08-02T15:00:00Z")
		}
		if start.After(since) { // of two bounds the later one counts
			since = start
		}
	}
	lines, err := s.groups.Logs(r.ContainerGroupID, r.ContainerName, value(r.LastTime))
	if err != nil {
		return nil, err
	}
	lines = lastLines(lines, since, int(numberOr(r.Tail, defaultTail)))
	content := cutFront(printLines(lines, value(r.Timestamps)))
	if r.LimitBytes != nil {
		content = cutEnd(content, int(*r.LimitBytes))
	}
	return logAnswer{RequestID: c.id, ContainerName: r.ContainerName, Content: string(content)}, nil
}

// lastLines are the last count lines that are not older than since.
func lastLines(lines []engine.LogLine, since time.Time, count int) []engine.LogLine {
	var kept []engine.LogLine
	for _, line := range lines {
		if !line.Time.Before(since) {
			kept = append(kept, line)
		}
	}
	return kept[max(0, len(kept)-min(count, maxTail)):]
}

// printLines writes lines as a kubelet does, with the time in front if wanted.
func printLines(lines []engine.LogLine, timestamps bool) []byte {
	var out bytes.Buffer
	for _, line := range lines {
		if timestamps {
			out.WriteString(line.Time.UTC().Format("2006-01-02T15:04:05.000000000Z") + " ")
		}
		out.WriteString(line.Text + "\n")
	}
	return out.Bytes()
}

// cutFront drops the oldest lines of an answer that is too long; a single line
// that is too long by itself loses its beginning.
func cutFront(content []byte) []byte {
	if len(content) <= maxLogBytes {
		return content
	}
	content = content[len(content)-maxLogBytes-1:]
	if end := bytes.IndexByte(content, '\n'); end >= 0 && end+1 < len(content) {
		return content[end+1:]
	}
	content = content[1:]
	for len(content) > 0 && !utf8.RuneStart(content[0]) {
		content = content[1:]
	}
	return content
}

// cutEnd keeps at most limit bytes, and whole characters.
func cutEnd(content []byte, limit int) []byte {
	if len(content) <= limit {
		return content
	}
	for limit > 0 && !utf8.RuneStart(content[limit]) {
		limit--
	}
	return content[:limit]
}
