package redact

import (
	"slices"
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	cases := map[string]struct {
		reason, text string
		secrets      []string
		want         string
	}{
		"Plain":     {"words pass", "quota exceeded", nil, "quota exceeded"},
		"Secret":    {"a secret is taken out wherever it stands", "password hunter2, again hunter2", []string{"hunter2"}, "password …, again …"},
		"PartFirst": {"the longer one goes first, or its rest would show", "abcdef", []string{"abc", "abcdef"}, "…"},
		"Three":     {"three characters are a secret", "pin 123", []string{"123"}, "pin …"},
		"Two":       {"two would tell where they are", "ab cabin", []string{"ab"}, "ab cabin"},
		"Lines":     {"a log keeps its lines", "one\ntwo\tthree\x00", nil, "one two three "},
		"Bytes":     {"no broken characters", "a\xffb", nil, "a?b"},
		"Long":      {"500 characters are enough", strings.Repeat("é", 501), nil, strings.Repeat("é", 500) + "…"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			given := slices.Clone(tc.secrets)
			if got := Line(tc.text, tc.secrets); got != tc.want {
				t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
			}
			if !slices.Equal(given, tc.secrets) {
				t.Errorf("secrets were changed to %q", tc.secrets)
			}
		})
	}
}
