package config

import (
	"strings"
	"testing"
)

// TestOneDocument: a second document would be passed over.
func TestOneDocument(t *testing.T) {
	for name, c := range map[string]struct{ reason, text, want string }{
		"Two":      {"which of the two?", minimal + "---\n" + minimal, "parsing configuration: it has 2 documents; cumulet reads one"},
		"Comments": {"an empty one is none", "# cumulet\n---" + minimal + "---\n# end\n", ""},
		"Mark":     {"as some editors write it", "\ufeff" + minimal, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(c.text), keys)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s: got %v, want %q", c.reason, err, c.want)
			}
		})
	}
}
