package preview

import (
	"bufio"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/cumulet/cumulet/translate"
)

// seeParts stands in the place of a decision where a field's parts decide.
const seeParts = "by its parts"

// word is what becomes of a field on a cloud, in one or a few words.
func (c *Cloud) word(f translate.Field) string {
	decision := f.On(c.Options.Limits.Can)
	if f.Parts && decision == translate.DecisionHonoured {
		return seeParts
	}
	return strings.ToLower(string(decision))
}

// why is a field's reason, with the values at which another holds.
func why(f translate.Field) string {
	var parts []string
	if f.Reason != "" {
		parts = append(parts, f.Reason)
	}
	if len(f.Harmless) > 0 {
		parts = append(parts, "passes at "+strings.Join(f.Harmless, ", "))
	}
	if len(f.Hardening) > 0 {
		values := strings.Join(f.Hardening, ", ")
		if values == translate.AnyValue {
			values = "every value"
		}
		parts = append(parts, "left out and told at "+values+" where the node's policy.securityContext is report")
	}
	if f.Lacks != "" {
		parts = append(parts, "refused where "+f.Lacks)
	}
	if f.Unasked {
		parts = append(parts, "those that container runtimes grant unasked pass where the node's policy.securityContext is report")
	}
	if f.Naming {
		parts = append(parts, "emulated where the node's policy.hostname is emulate")
	}
	return strings.Join(parts, "; ")
}

// WriteFields writes the table of all fields, a row for each, to be searched and
// piped.
func WriteFields(w io.Writer, clouds []Cloud) error {
	out := bufio.NewWriter(w)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	cells := []string{"FIELD"}
	for i := range clouds {
		cells = append(cells, strings.ToUpper(clouds[i].Title))
	}
	writeRow(table, append(cells, "WHY"))
	for _, f := range translate.Fields() {
		cells := []string{f.Path}
		for i := range clouds {
			cells = append(cells, clouds[i].word(f))
		}
		writeRow(table, append(cells, why(f)))
	}
	_ = table.Flush() // it writes to out, which tells the first error
	return flush(out)
}

// indent is how far in a field's lines begin under its path.
const indent = 4

// WriteFieldsWithin writes the table for a terminal of so many columns, in which
// rows would break: each field's path, and below it what becomes of it and why.
func WriteFieldsWithin(w io.Writer, clouds []Cloud, columns int) error {
	out := bufio.NewWriter(w)
	for _, f := range translate.Fields() {
		printf(out, "%s\n", f.Path)
		for _, text := range []string{wordsOf(f, clouds), why(f)} {
			for _, line := range wrapped(text, columns-indent) {
				printf(out, "%*s%s\n", indent, "", line)
			}
		}
	}
	return flush(out)
}

// wordsOf is what becomes of a field: one word, or one for each cloud.
func wordsOf(f translate.Field, clouds []Cloud) string {
	var parts []string
	same := true
	for i := range clouds {
		same = same && clouds[i].word(f) == clouds[0].word(f)
		parts = append(parts, clouds[i].Title+": "+clouds[i].word(f))
	}
	if same && len(clouds) > 0 {
		return clouds[0].word(f)
	}
	return strings.Join(parts, "; ")
}

// wrapped breaks a text between words into lines of at most so many characters,
// but for words that are longer.
func wrapped(text string, columns int) (lines []string) {
	for word := range strings.FieldsSeq(text) {
		last := len(lines) - 1
		if last >= 0 && utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) <= columns {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

// writeRow leaves errors to the writer below.
func writeRow(w io.Writer, cells []string) {
	_, _ = io.WriteString(w, strings.TrimRight(strings.Join(cells, "\t"), "\t ")+"\n")
}

// section is a part of the reference: the fields below a prefix, but for those
// of a longer one.
type section struct{ prefix, title, text string }

var sections = []section{
	{"spec", "The pod", "Fields of spec itself."},
	{"spec.securityContext", "The pod's security context", ""},
	{"spec.volumes[*]", "Volumes", ""},
	{"spec.volumes[*].projected", "Projected volumes", ""},
	{"spec.containers[*]", "Containers", ""},
	{"spec.initContainers[*]", "Init containers", "A restartable init container, a sidecar, is read as a container where the table says so."},
}

// sectionOf is the section with the longest prefix of a path.
func sectionOf(path string) int {
	found := 0
	for i, s := range sections {
		if strings.HasPrefix(path, s.prefix+".") && len(s.prefix) >= len(sections[found].prefix) {
			found = i
		}
	}
	return found
}

const fieldsHead = `# Every field of a pod

<!-- Written by: go test ./cmd/cumulet -run TestFieldsReference -update -->

What becomes of each field of a pod's spec, on each cloud. ` + "`cumulet translate --all-fields`" + ` prints the same on a terminal, and
` + "`cumulet translate -f FILE`" + ` tells it of the fields that a manifest sets.

| word | meaning |
|---|---|
| honoured | the cloud does what the field says |
| emulated | the cloud has no word for it; cumulet comes close, and the last column says where it differs |
| ignored | leaving it out does no harm, for the reason given |
| refused | the pod is not run, because it would not be what was asked; all refusals of a pod are told at once |
| by its parts | the fields below it decide |

A test walks Kubernetes' own types: a field that is not here fails it.
`

// WriteFieldsMarkdown writes the table of all fields as a page of the reference.
func WriteFieldsMarkdown(w io.Writer, clouds []Cloud) error {
	out := bufio.NewWriter(w)
	printf(out, "%s", fieldsHead)
	rows := make([][]translate.Field, len(sections))
	for _, f := range translate.Fields() {
		i := sectionOf(f.Path)
		rows[i] = append(rows[i], f)
	}
	for i, s := range sections {
		printf(out, "\n## %s\n\n", s.title)
		if s.text != "" {
			printf(out, "%s\n\n", s.text)
		}
		printf(out, "| field below `%s` |", s.prefix)
		for j := range clouds {
			printf(out, " %s |", clouds[j].Title)
		}
		printf(out, " why |\n|---|%s---|\n", strings.Repeat("---|", len(clouds)))
		for _, f := range rows[i] {
			printf(out, "| `%s` |", strings.TrimPrefix(f.Path, s.prefix+"."))
			for j := range clouds {
				printf(out, " %s |", clouds[j].word(f))
			}
			printf(out, " %s |\n", strings.ReplaceAll(why(f), "|", `\|`))
		}
	}
	return flush(out)
}
