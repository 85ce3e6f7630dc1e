package provider

import (
	"strings"
	"time"
)

// window finds what is new in an answer, of which the next one repeats a part.
type window interface {
	// next returns the new lines of an answer. missed is true when lines
	// between the last answer and this one may be lost.
	next(content string, complete bool) (fresh string, missed bool)
	// since is the time from which the next answer is needed; zero for all.
	since() time.Time
}

// disorder is how much older than the newest line a line may be that appears
// after it: stdout and stderr are stamped apart and written to one log.
const disorder = time.Second

// timedWindow follows a log whose lines carry their time.
type timedWindow struct {
	// keep leaves the times in the lines.
	keep bool
	// from is the first time of interest.
	from time.Time
	// last is the time of the newest line written. recent are the lines
	// written that are not older than it by more than disorder.
	last   time.Time
	recent map[string]sighting
	// open is a line, with its time, that was written without an end.
	open string
}

// sighting tells how often a line was written with one and the same time.
type sighting struct {
	at    time.Time
	count int
}

func (w *timedWindow) since() time.Time {
	if from := w.last.Add(-disorder); !w.last.IsZero() && from.After(w.from) {
		return from
	}
	return w.from
}

func (w *timedWindow) next(content string, complete bool) (string, bool) {
	before := w.last
	unseen := make(map[string]int, len(w.recent))
	for line, s := range w.recent {
		unseen[line] = s.count
	}
	if w.recent == nil {
		w.recent = map[string]sighting{}
	}
	var fresh strings.Builder
	missed, first, known := false, true, false
	for line := range strings.SplitAfterSeq(content, "\n") {
		at, text, timed := splitTime(line)
		if timed && first {
			first, missed = false, !complete && !before.IsZero() && at.After(before)
		}
		if timed {
			known = w.known(line, at, before, unseen)
		} // else it goes with the line above
		if known {
			continue
		}
		if w.keep || !timed {
			text = line
		}
		fresh.WriteString(w.resume(line, text))
		w.remember(line, at, timed)
	}
	w.forget()
	return fresh.String(), missed
}

// known tells whether a line was written after an earlier answer.
func (w *timedWindow) known(line string, at, before time.Time, unseen map[string]int) bool {
	switch {
	case at.Before(w.from):
		return true
	case before.IsZero():
		return false
	case at.Before(before.Add(-disorder)), line == w.open:
		return true
	case unseen[line] > 0:
		unseen[line]--
		return true
	default:
		return false
	}
}

// resume cuts off what was written of this line when it had no end yet.
func (w *timedWindow) resume(line, text string) string {
	written := w.open
	if written == "" || !strings.HasPrefix(line, written) {
		return text
	}
	w.open = ""
	return line[len(written):]
}

func (w *timedWindow) remember(line string, at time.Time, timed bool) {
	if !timed {
		return
	}
	if !strings.HasSuffix(line, "\n") {
		w.open = line
	} else {
		w.recent[line] = sighting{at: at, count: w.recent[line].count + 1}
	}
	if at.After(w.last) {
		w.last = at
	}
}

func (w *timedWindow) forget() {
	for line, s := range w.recent {
		if s.at.Before(w.last.Add(-disorder)) {
			delete(w.recent, line)
		}
	}
}

// splitTime splits "2026-01-02T03:04:05.6Z text" in two.
func splitTime(line string) (time.Time, string, bool) {
	stamp, rest, found := strings.Cut(line, " ")
	if !found {
		stamp = strings.TrimSuffix(line, "\n")
		rest = line[len(stamp):]
	}
	at, err := time.Parse(time.RFC3339Nano, stamp)
	return at, rest, err == nil
}

// slidingWindow follows a log of which only the last lines can be had, without
// times: what two answers share is where the second goes on. A log that
// repeats itself, by whole windows between two looks, cannot be told from one
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
	began := len(w.last) == 0 && w.partial == ""
	shared, joined := w.join(lines)
	fresh := strings.Join(lines[shared:], "")
	if joined {
		fresh = strings.TrimPrefix(fresh, w.partial)
	}
	w.last = wholeLines(lines)
	w.partial = strings.Join(lines[len(w.last):], "")
	return fresh, !began && !joined && !complete
}

// join finds where an answer goes on: after that many of its lines, which are
// the last ones of the answer before, comes the line that was partial then.
func (w *slidingWindow) join(lines []string) (shared int, joined bool) {
	for _, n := range overlaps(w.last, lines) {
		rest := strings.Join(lines[n:min(n+1, len(lines))], "")
		if strings.HasPrefix(rest, w.partial) {
			return n, n > 0 || w.partial != ""
		}
	}
	return 0, false
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

// overlaps returns every n for which the last n lines of before are the first
// n lines of after, the greatest first and 0 last (the prefix function of
// Knuth, Morris and Pratt).
func overlaps(before, after []string) []int {
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
	var found []int
	for k := borders[len(text)-1]; k > 0; k = borders[k-1] {
		found = append(found, k)
	}
	return append(found, 0)
}
