package provider

import (
	"strings"
	"time"
)

// timedWindow follows a log whose lines carry their time.
type timedWindow struct {
	// keep leaves the times in the lines.
	keep bool
	// from is the first time of interest.
	from time.Time
	// last is the time of the newest line written; same counts the lines
	// written that carry it, because several may.
	last time.Time
	same int
}

func (w *timedWindow) since() time.Time {
	if w.last.After(w.from) {
		return w.last
	}
	return w.from
}

func (w *timedWindow) next(content string, complete bool) (string, bool) {
	var fresh strings.Builder
	missed, seen, first := false, 0, true
	for line := range strings.SplitAfterSeq(content, "\n") {
		if line == "" {
			continue
		}
		at, rest, ok := splitTime(line)
		if ok && first {
			missed = !complete && !w.last.IsZero() && at.After(w.last)
			first = false
		}
		if ok && w.known(at, &seen) {
			continue
		}
		if ok && !w.keep {
			line = rest
		}
		fresh.WriteString(line)
	}
	return fresh.String(), missed
}

// known tells whether a line of this time was written before, and remembers
// it if not. seen counts this answer's lines of the newest time.
func (w *timedWindow) known(at time.Time, seen *int) bool {
	switch {
	case at.Before(w.last):
		return true
	case at.Equal(w.last):
		if *seen++; *seen <= w.same {
			return true
		}
		w.same = *seen
	default:
		w.last, w.same, *seen = at, 1, 1
	}
	return false
}

// splitTime splits "2026-01-02T03:04:05.6Z text" in two.
func splitTime(line string) (time.Time, string, bool) {
	stamp, rest, found := strings.Cut(line, " ")
	if !found {
		stamp, rest = strings.TrimSuffix(line, "\n"), "\n"
	}
	at, err := time.Parse(time.RFC3339Nano, stamp)
	return at, rest, err == nil
}

// slidingWindow follows a log of which only the last lines can be had, without
// times: what two answers share is where the second goes on. A log that
// repeats one line for ever, faster than a window, cannot be told from one
// that stands still; no more can be known.
type slidingWindow struct {
	// last are the whole lines of the last answer, partial its last line if
	// that had no end yet; both have been written.
	last    []string
	partial string
}

func (w *slidingWindow) since() time.Time { return time.Time{} }

func (w *slidingWindow) next(content string, complete bool) (string, bool) {
	lines := splitLines(content)
	if len(lines) == 0 {
		return "", false
	}
	shared := overlap(w.last, lines)
	missed := shared == 0 && len(w.last) > 0 && !complete
	fresh := strings.TrimPrefix(strings.Join(lines[shared:], ""), w.partial)
	w.last = wholeLines(lines)
	w.partial = strings.Join(lines[len(w.last):], "")
	return fresh, missed
}

// splitLines cuts text into lines that keep their newline.
func splitLines(text string) []string {
	lines := strings.SplitAfter(text, "\n")
	if n := len(lines); n > 0 && lines[n-1] == "" {
		lines = lines[:n-1]
	}
	return lines
}

// wholeLines leaves out a last line that has no newline yet.
func wholeLines(lines []string) []string {
	if n := len(lines); n > 0 && !strings.HasSuffix(lines[n-1], "\n") {
		return lines[:n-1]
	}
	return lines
}

// overlap returns the greatest n for which the last n lines of before are the
// first n lines of after (the prefix function of Knuth, Morris and Pratt).
func overlap(before, after []string) int {
	if len(before) > len(after) {
		before = before[len(before)-len(after):]
	}
	text := make([]string, 0, len(after)+1+len(before))
	text = append(text, after...)
	text = append(text, "") // no line is empty: each keeps its newline
	text = append(text, before...)
	borders := make([]int, len(text))
	for i := 1; i < len(text); i++ {
		k := borders[i-1]
		for k > 0 && text[i] != text[k] {
			k = borders[k-1]
		}
		if text[i] == text[k] {
			k++
		}
		borders[i] = k
	}
	return borders[len(text)-1]
}
