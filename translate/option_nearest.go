package translate

import (
	"fmt"
	"strings"
)

// maxTypos is how many letters may differ between a name and what was meant.
const maxTypos = 3

// nearest is the advice to write the name that looks most like a text, whatever
// the case; empty if none does.
func nearest(text string, names []string) string {
	best, least := "", min(maxTypos, len(text)/2)+1
	for _, n := range names {
		if d := distance(strings.ToLower(text), strings.ToLower(n)); d < least {
			best, least = n, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// distance is Levenshtein's: how many letters must be added, dropped or
// replaced.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}
