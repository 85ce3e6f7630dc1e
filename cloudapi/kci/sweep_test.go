package kci

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

// A sweep holds every group that was there from its beginning to its end,
// whatever came and went meanwhile, or it is an error.
func TestSweepOfAChangingList(t *testing.T) {
	at := func(call int, change func(*listing)) func(*listing, int) {
		return func(l *listing, now int) {
			if now == call {
				change(l)
			}
		}
	}
	cases := map[string]struct {
		groups int
		before func(*listing, int)
		marker func(start, end int) int
		calls  int
		broken bool
	}{
		"Empty":                  {groups: 0, calls: 1},
		"OnePage":                {groups: 100, calls: 1},
		"ThreePages":             {groups: 250, calls: 3},
		"ManyPages":              {groups: 1000, calls: 11}, // pages of 95 new groups each
		"OneDeleted":             {groups: 250, calls: 3, before: at(2, func(l *listing) { l.remove(10, 1) })},
		"FourDeleted":            {groups: 250, calls: 3, before: at(2, func(l *listing) { l.remove(10, 4) })},
		"EdgeDeleted":            {groups: 250, calls: 3, before: at(2, func(l *listing) { l.remove(96, 4) })},
		"FiveDeletedStartsAnew":  {groups: 250, calls: 5, before: at(2, func(l *listing) { l.remove(10, 5) })},
		"ManyDeletedStartsAnew":  {groups: 350, calls: 5, before: at(2, func(l *listing) { l.remove(0, 90) })},
		"NewAtTheFront":          {groups: 250, calls: 3, before: at(2, func(l *listing) { l.insert(0, 20) })},
		"NewAtTheEnd":            {groups: 250, calls: 3, before: at(2, func(l *listing) { l.insert(250, 20) })},
		"NewAtTheEndDeletedHere": {groups: 250, calls: 3, before: at(2, func(l *listing) { l.remove(3, 4); l.insert(246, 4) })},
		"DeletedBeforeEachPage": {groups: 450, calls: 5, before: func(l *listing, call int) {
			if call > 1 {
				l.remove(0, 4)
			}
		}},
		"DeletedFastAtFirst": {groups: 450, calls: 2 + 2 + 4, before: func(l *listing, call int) {
			if call == 2 || call == 4 { // more than either overlap
				l.remove(0, 30)
			}
		}},
		"DeletedFastForEver": {groups: 2000, calls: 6, broken: true, before: func(l *listing, call int) { l.remove(0, 40) }},
		"MarkerStands":       {groups: 250, calls: 3 * 2, broken: true, marker: func(start, _ int) int { return max(start, 1) }},
		"MarkerFallsBack": {groups: 250, calls: 6, broken: true, marker: func(start, end int) int {
			if start > 0 {
				return 50
			}
			return end
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cloud := &listing{names: numbered(tc.groups), before: tc.before, marker: tc.marker}
			client := connect(t, cloud.serve(t))
			got, err := client.List(t.Context(), ours)
			if (err != nil) != tc.broken || err != nil && !cloudapi.Is(err, cloudapi.CodeUnavailable) {
				t.Fatalf("error %v", err)
			}
			if cloud.calls != tc.calls {
				t.Errorf("%d calls, want %d", cloud.calls, tc.calls)
			}
			if err == nil {
				holdsAll(t, got, cloud.names, tc.groups)
			}
		})
	}
}

// holdsAll checks that a sweep has each group that was there before and still
// is, and no group twice.
func holdsAll(t *testing.T, got []cloudapi.Summary, left []string, before int) {
	t.Helper()
	seen := map[string]bool{}
	for _, summary := range got {
		if seen[summary.ID] {
			t.Errorf("%s is there twice", summary.ID)
		}
		seen[summary.ID] = true
	}
	there := map[string]bool{}
	for _, name := range left {
		there[name] = true
	}
	for _, name := range numbered(before) {
		if there[name] && !seen["i"+name] {
			t.Errorf("%s is missing", name)
		}
	}
}

// Under random deletes and creates no sweep ever misses a group in silence.
func TestSweepUnderChurn(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	broken := 0
	for round := range 100 {
		const groups = 400
		cloud := &listing{names: numbered(groups)}
		cloud.before = func(l *listing, call int) {
			for range random.IntN(8) {
				l.remove(random.IntN(len(l.names)), 1)
			}
			l.insert([]int{0, len(l.names)}[round%2], random.IntN(4))
		}
		got, err := connect(t, cloud.serve(t)).List(t.Context(), ours)
		if err != nil {
			broken++
			continue
		}
		holdsAll(t, got, cloud.names, groups)
	}
	if broken > 5 {
		t.Errorf("%d of 100 sweeps were given up", broken)
	}
}

// A cloud whose markers are no offsets is still read whole while it is at rest.
func TestSweepWithOpaqueMarkers(t *testing.T) {
	pages := map[int]describeAnswer{
		0:      aPage(7001, 5, "a", "b"),
		7001:   aPage(912345, 5, "c", "d"),
		912345: aPage(0, 5, "e"),
	}
	collect := func(overlap int) ([]string, error) {
		sheaf := newSheaf(overlap)
		for start := 0; ; {
			page := pages[start]
			next, err := sheaf.add(start, &page)
			if err != nil || next == 0 {
				var ids []string
				for _, group := range sheaf.groups {
					ids = append(ids, group.ContainerGroupID)
				}
				return ids, err
			}
			start = next
		}
	}
	if _, err := collect(5); !errors.Is(err, errShifted) {
		t.Errorf("with overlap: error %v, want errShifted", err)
	}
	got, err := collect(0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, got); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

func aPage(marker, total int, ids ...string) describeAnswer {
	page := describeAnswer{Marker: number{float64(marker), true}, TotalCount: number{float64(total), true}}
	for _, id := range ids {
		page.ContainerGroups = append(page.ContainerGroups, wireGroup{ContainerGroupID: id})
	}
	return page
}

// Without overlap any sign of change voids the pass.
func TestSheafWithoutOverlap(t *testing.T) {
	cases := map[string]struct {
		pages []describeAnswer
		want  string
	}{
		"AtRest":       {[]describeAnswer{aPage(2, 3, "a", "b"), aPage(0, 3, "c")}, ""},
		"CountChanged": {[]describeAnswer{aPage(2, 4, "a", "b"), aPage(0, 3, "c")}, "the list changed while it was read: TotalCount was 4 and is 3"},
		"GroupTwice":   {[]describeAnswer{aPage(2, 3, "a", "b"), aPage(0, 3, "b")}, "the list changed while it was read: a group came twice"},
		"EndsEarly":    {[]describeAnswer{aPage(2, 4, "a", "b"), aPage(0, 4, "c")}, "the list changed while it was read: it ended after 3 of 4 groups"},
		"EmptyPage":    {[]describeAnswer{aPage(2, 3)}, "the list changed while it was read: Marker 2 does not grow after 0"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			sheaf := newSheaf(0)
			start := 0
			var err error
			for i := 0; i < len(tc.pages) && err == nil; i++ {
				start, err = sheaf.add(start, &tc.pages[i])
			}
			if errorText(err) != tc.want {
				t.Errorf("error %q, want %q", errorText(err), tc.want)
			}
		})
	}
}
