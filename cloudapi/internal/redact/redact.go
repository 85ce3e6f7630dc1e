// Package redact makes a cloud's words fit for logs, events and errors. Both
// adapters use it, so that no secret gets out by one and not by the other.
package redact

import (
	"slices"
	"strings"
	"unicode"
)

// maxLine bounds a line in characters.
const maxLine = 500

// Line makes one line of at most 500 characters out of text, without the given
// secrets. Secrets of one or two characters stay: taking them out would tell
// where they are. secrets is not changed.
func Line(text string, secrets []string) string {
	// The longest first: one may be part of another.
	longest := slices.SortedFunc(slices.Values(secrets), func(a, b string) int { return len(b) - len(a) })
	for _, secret := range longest {
		if len(secret) > 2 {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if runes := []rune(text); len(runes) > maxLine {
		text = string(runes[:maxLine]) + "…"
	}
	return text
}
