package provider

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// answer is one look at a log.
type answer struct {
	content  string
	complete bool
}

// told is what a window makes of an answer.
type told struct {
	Fresh  string
	Missed bool
}

func TestSlidingWindow(t *testing.T) {
	for name, c := range map[string]struct {
		reason  string
		answers []answer
		want    []told
	}{
		"grows": {"whole logs go on where they ended",
			[]answer{{"a\n", true}, {"a\n", true}, {"a\nb\nc\n", true}},
			[]told{{"a\n", false}, {"", false}, {"b\nc\n", false}}},
		"slides": {"what both share is the joint",
			[]answer{{"a\nb\nc\n", false}, {"b\nc\nd\n", false}, {"d\ne\nf\n", false}},
			[]told{{"a\nb\nc\n", false}, {"d\n", false}, {"e\nf\n", false}}},
		"gap": {"nothing is shared",
			[]answer{{"a\nb\n", false}, {"x\ny\n", false}},
			[]told{{"a\nb\n", false}, {"x\ny\n", true}}},
		"new log": {"a complete answer has no hole",
			[]answer{{"a\nb\n", true}, {"x\n", true}},
			[]told{{"a\nb\n", false}, {"x\n", false}}},
		"empty": {"an empty answer tells nothing",
			[]answer{{"", true}, {"a\n", true}, {"", true}, {"a\nb\n", true}},
			[]told{{"", false}, {"a\n", false}, {"", false}, {"b\n", false}}},
		"partial line": {"the rest of a line comes later",
			[]answer{{"a\nb", true}, {"a\nb", true}, {"a\nbc", true}, {"a\nbcd\ne", true}},
			[]told{{"a\nb", false}, {"", false}, {"c", false}, {"d\ne", false}}},
		"partial line alone": {"it is all there was",
			[]answer{{"ab", true}, {"abc\nd\n", true}},
			[]told{{"ab", false}, {"c\nd\n", false}}},
		"partial line slides": {"of the old window only the partial line is left",
			[]answer{{"a\nb\nc", false}, {"cd\ne\nf\n", false}},
			[]told{{"a\nb\nc", false}, {"d\ne\nf\n", false}}},
		"partial line lost": {"a line that only begins alike after a gap is another",
			[]answer{{"a\nb\nc", false}, {"x\ncd\n", false}},
			[]told{{"a\nb\nc", false}, {"x\ncd\n", true}}},
		"repeated lines": {"the joint with the partial line wins over a longer one without",
			[]answer{{"a\na\nb", false}, {"a\nbc\na\n", false}},
			[]told{{"a\na\nb", false}, {"c\na\n", false}}},
		"long before short": {"the next answer may be shorter",
			[]answer{{"a\nb\nc\nd\n", false}, {"d\ne\n", false}},
			[]told{{"a\nb\nc\nd\n", false}, {"e\n", false}}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []told
			w := &slidingWindow{}
			for _, a := range c.answers {
				fresh, missed := w.next(a.content, a.complete)
				got = append(got, told{fresh, missed})
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

const (
	second0 = "2026-01-02T03:04:05Z "
	second1 = "2026-01-02T03:04:06.5Z "
	second9 = "2026-01-02T03:04:14Z "
)

func TestTimedWindow(t *testing.T) {
	for name, c := range map[string]struct {
		reason  string
		keep    bool
		from    time.Time
		answers []answer
		want    []told
	}{
		"grows": {"known lines are left out", false, time.Time{},
			[]answer{{second0 + "a\n", true}, {second0 + "a\n" + second1 + "b\n", true}},
			[]told{{"a\n", false}, {"b\n", false}}},
		"keeps times": {"as asked for", true, time.Time{},
			[]answer{{second0 + "a\n", true}}, []told{{second0 + "a\n", false}}},
		"same time": {"several lines may carry one time, and be equal", false, time.Time{},
			[]answer{{second0 + "a\n", true}, {second0 + "a\n" + second0 + "a\n" + second0 + "b\n", true}, {second0 + "a\n" + second0 + "a\n" + second0 + "b\n", true}},
			[]told{{"a\n", false}, {"a\nb\n", false}, {"", false}}},
		"disorder": {"stdout and stderr are stamped apart", false, time.Time{},
			[]answer{
				{second1 + "late\n" + "2026-01-02T03:04:06.4Z early\n", true},
				{second1 + "late\n" + "2026-01-02T03:04:06.4Z early\n" + "2026-01-02T03:04:06.3Z earlier\n", true},
			},
			[]told{{"late\nearly\n", false}, {"earlier\n", false}}},
		"gap": {"the answer begins after all that is known", false, time.Time{},
			[]answer{{second0 + "a\n", true}, {second9 + "z\n", false}},
			[]told{{"a\n", false}, {"z\n", true}}},
		"no gap": {"a complete answer has no hole", false, time.Time{},
			[]answer{{second0 + "a\n", true}, {second9 + "z\n", true}},
			[]told{{"a\n", false}, {"z\n", false}}},
		"since": {"the cloud rounds down, we do not", false, time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC),
			[]answer{{second0 + "a\n" + second1 + "b\n", true}}, []told{{"b\n", false}}},
		"untimed": {"a line without time goes with the one above", false, time.Time{},
			[]answer{{second0 + "a\nmore\n", true}, {second0 + "a\nmore\n" + second1 + "b\n", true}},
			[]told{{"a\nmore\n", false}, {"b\n", false}}},
		"partial line": {"the rest of a line comes later", false, time.Time{},
			[]answer{{second0 + "ab", true}, {second0 + "ab", true}, {second0 + "abc\n", true}, {second0 + "abc\n", true}},
			[]told{{"ab", false}, {"", false}, {"c\n", false}, {"", false}}},
		"empty line": {"its time has no text", false, time.Time{},
			[]answer{{"2026-01-02T03:04:05Z\n" + second1 + "\n", true}}, []told{{"\n\n", false}}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []told
			w := &timedWindow{keep: c.keep, from: c.from}
			for _, a := range c.answers {
				fresh, missed := w.next(a.content, a.complete)
				got = append(got, told{fresh, missed})
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestTimedWindowSince(t *testing.T) {
	from := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w := &timedWindow{from: from}
	if got := w.since(); !got.Equal(from) {
		t.Errorf("at first %v", got)
	}
	w.next(second9+"z\n", true)
	if got, want := w.since(), from.Add(9*time.Second-disorder); !got.Equal(want) {
		t.Errorf("later %v, want %v", got, want)
	}
}

func TestLastLines(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		n    int64
		want string
	}{
		"none":        {"a\nb\n", 0, ""},
		"one":         {"a\nb\n", 1, "b\n"},
		"partial":     {"a\nb", 1, "b"},
		"all":         {"a\nb\n", 2, "a\nb\n"},
		"more":        {"a\nb\n", 9, "a\nb\n"},
		"empty":       {"", 3, ""},
		"empty lines": {"\n\n\n", 2, "\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lastLines(c.text, c.n); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// FuzzSlidingWindow looks at a growing log of lines that all differ through
// windows that share at least one whole line: put together they are the log. Where a
// window shares nothing with the last one, the gap is told.
func FuzzSlidingWindow(f *testing.F) {
	f.Add(uint64(1), []byte("some text"), 5)
	f.Add(uint64(2), []byte{0, 1, 2, 3, 255}, 1)
	f.Fuzz(func(t *testing.T, seed uint64, steps []byte, width int) {
		if width < 2 || width > 100 || len(steps) > 200 {
			return
		}
		random := rand.New(rand.NewPCG(seed, 0))
		log, lines, seenLines, gap := "", 0, 0, false
		w := &slidingWindow{}
		var got strings.Builder
		for _, step := range steps {
			grown := int(step) % (width + 2)
			for range grown {
				lines++
				log += fmt.Sprintf("line %d %s\n", lines, strings.Repeat("x", random.IntN(3)))
			}
			content, complete := tailOf(log, width)
			fresh, missed := w.next(content, complete)
			got.WriteString(fresh)
			lost := lines-seenLines >= width && seenLines > 0 && lines > width
			if missed != lost {
				t.Fatalf("missed is %t after %d new lines through a window of %d", missed, lines-seenLines, width)
			}
			gap = gap || lost || seenLines == 0 && lines > width // the beginning was never seen
			seenLines = lines
		}
		if !gap && got.String() != log {
			t.Fatalf("got %q, want %q", got.String(), log)
		}
	})
}

func tailOf(log string, width int) (string, bool) {
	lines := splitLines(log)
	if len(lines) < width {
		return log, true
	}
	return strings.Join(lines[len(lines)-width:], ""), false
}

// FuzzWindowsOfWholeText cuts any text anywhere: a log that is always seen
// whole, in pieces that end in the middle of lines, comes out as it is.
func FuzzWindowsOfWholeText(f *testing.F) {
	f.Add("a\nb\nc", uint64(3))
	f.Add("\n\na\n\n", uint64(4))
	f.Add("x\nx\nx\nxy\nx", uint64(5))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 1))
		cuts := []int{len(text)}
		for range random.IntN(8) {
			cuts = append(cuts, random.IntN(len(text)+1))
		}
		slices.Sort(cuts)
		w := &slidingWindow{}
		var got strings.Builder
		for _, cut := range cuts {
			fresh, missed := w.next(text[:cut], true)
			if missed {
				t.Fatalf("a hole in a log that was seen whole")
			}
			got.WriteString(fresh)
		}
		if got.String() != text {
			t.Fatalf("cuts %v: got %q, want %q", cuts, got.String(), text)
		}
	})
}

// FuzzTimedWindow looks at a growing log with times through overlapping
// windows.
func FuzzTimedWindow(f *testing.F) {
	f.Add(uint64(1), []byte{3, 1, 4, 1, 5})
	f.Add(uint64(9), []byte{0, 0, 200})
	f.Fuzz(func(t *testing.T, seed uint64, steps []byte) {
		if len(steps) > 100 {
			return
		}
		random := rand.New(rand.NewPCG(seed, 2))
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		var stamped []string
		var want, got strings.Builder
		w := &timedWindow{}
		for _, step := range steps {
			for range int(step) % 20 {
				now = now.Add(time.Duration(random.IntN(3)) * 400 * time.Millisecond)
				at := now.Add(-time.Duration(random.IntN(2)) * 100 * time.Millisecond) // out of order
				text := fmt.Sprintf("word %d\n", random.IntN(3))
				stamped = append(stamped, at.Format(time.RFC3339Nano)+" "+text)
				want.WriteString(text)
			}
			since, content := w.since(), ""
			for _, line := range stamped {
				if at, _, _ := splitTime(line); !at.Before(since) {
					content += line
				}
			}
			fresh, missed := w.next(content, true)
			if missed {
				t.Fatal("a hole in complete answers")
			}
			got.WriteString(fresh)
		}
		if got.String() != want.String() {
			t.Fatalf("got %q, want %q", got.String(), want.String())
		}
	})
}
