package preview

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"github.com/cumulet/cumulet/internal/manifest"
)

// Output is everything that a run of cumulet translate has found.
type Output struct {
	Results []Result           `json:"pods"`
	Skipped []manifest.Skipped `json:"skipped,omitempty"`
}

// WriteJSON writes an output for programs.
func WriteJSON(w io.Writer, o Output) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(o); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}

// WriteYAML writes what WriteJSON writes, as YAML.
func WriteYAML(w io.Writer, o Output) error {
	data, err := yaml.Marshal(o)
	if err == nil {
		_, err = w.Write(data)
	}
	if err != nil {
		return fmt.Errorf("writing YAML: %w", err)
	}
	return nil
}

// WriteRequests writes every request as it goes over the wire but for what
// signing adds: request line, headers, an empty line, the body. Requests are
// apart by lines that begin with ###, as in files for HTTP clients. Instead of
// the secrets of a request that was made without them their length is told.
func WriteRequests(w io.Writer, o Output) error {
	out := bufio.NewWriter(w)
	for i := range o.Results {
		r := &o.Results[i]
		if r.asked == nil {
			printf(out, "### pod %s/%s on %s: %s\n\n", r.Namespace, r.Pod, r.title, r.Verdict)
			continue
		}
		printf(out, "### pod %s/%s on %s\nPOST %s\ncontent-type: application/x-www-form-urlencoded\n", r.Namespace, r.Pod, r.title, r.endpoint)
		for _, h := range r.asked.Headers {
			printf(out, "%s: %s\n", h.Name, h.Value)
		}
		printf(out, "\n%s\n\n", r.asked.Body())
	}
	return flush(out)
}

// WriteText writes an output for people.
func WriteText(w io.Writer, o Output) error {
	out := bufio.NewWriter(w)
	before := ""
	for i := range o.Results {
		r := &o.Results[i]
		if id := r.Source + "\x00" + r.Namespace + "/" + r.Pod; id != before {
			printf(out, "%s\n", heading(r))
			before = id
		}
		r.write(out)
	}
	for _, s := range o.Skipped {
		printf(out, "skipped %s %s of %s: %s\n", s.Kind, s.Name, s.Source, s.Reason)
	}
	return flush(out)
}

func heading(r *Result) string {
	text := "Pod " + r.Namespace + "/" + r.Pod
	if r.Owner != "" {
		text += " of " + r.Owner
	}
	if r.Count != 1 {
		text += fmt.Sprintf(", %d at a time", r.Count)
	}
	return text + " (" + r.Source + ")\n"
}

func (r *Result) write(out *bufio.Writer) {
	printf(out, "  %s: %s\n", r.title, r.verdictText())
	if r.Size != nil && r.Verdict == VerdictRuns {
		printf(out, "    billed    %s\n", r.Size.text())
	}
	for _, line := range append(r.Refused, r.Report...) {
		printf(out, "    %-9s %s\n", strings.ToLower(string(line.Decision)), line.text())
	}
	for _, m := range r.Missing {
		printf(out, "    missing   %s\n", m)
	}
	for _, e := range r.Events {
		kind := "Normal"
		if e.Warning {
			kind = "Warning"
		}
		printf(out, "    event     %s %s: %s\n", kind, e.Reason, e.Message)
	}
	for _, remark := range r.Remarks {
		printf(out, "    note      %s\n", remark)
	}
	if r.Request != nil {
		printf(out, "    request   %s %s\n", r.Request.Action, r.Request.Version)
		for _, p := range r.Request.Parameters {
			printf(out, "      %s=%s\n", p.Name, plain(p.Value))
		}
	}
	printf(out, "\n")
}

func (r *Result) verdictText() string {
	switch r.Verdict {
	case VerdictRuns:
		return "would run"
	case VerdictRefused:
		return "would be refused"
	default:
		return "would wait for what is missing"
	}
}

func (s *Size) text() string {
	if len(s.Machines) > 0 {
		return "a machine of type " + strings.Join(s.Machines, " or ")
	}
	text := sizeText(s.CPU, s.MemoryGiB)
	if s.Asked == text {
		return text + ", as asked"
	}
	text += "; asked for: " + s.Asked
	if s.MoreCPU > 0 || s.MoreMemoryGiB > 0 {
		text += fmt.Sprintf(" (+%s vCPU, +%s GiB)", number(s.MoreCPU), number(s.MoreMemoryGiB))
	}
	return text
}

func (l Line) text() string {
	text := l.Reason
	if l.Field != "" {
		text = l.Field + ": " + text
	}
	if l.Asked != "" || l.Sold != "" {
		text += fmt.Sprintf(" (%s -> %s)", l.Asked, l.Sold)
	}
	return text
}

// plain is a value as it is, or quoted where it would break the line or hide
// something.
func plain(value string) string {
	odd := func(r rune) bool { return r == utf8.RuneError || unicode.IsControl(r) || !unicode.IsPrint(r) }
	if strings.ContainsFunc(value, odd) || strings.TrimSpace(value) != value {
		return strconv.Quote(value)
	}
	return value
}

// printf leaves errors to flush, which tells the first.
func printf(out *bufio.Writer, format string, args ...any) { _, _ = fmt.Fprintf(out, format, args...) }

func flush(out *bufio.Writer) error {
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}
