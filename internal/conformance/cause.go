package conformance

import (
	"iter"
	"regexp"
	"strings"
)

// maxCause is the length of a cause in bytes, beyond which nobody reads it in a
// table.
const maxCause = 400

var (
	// stateTag is how ginkgo begins a failure; whereLine ends its message.
	stateTag  = regexp.MustCompile(`^\[[A-Z ]+\] ?`)
	whereLine = regexp.MustCompile(`^In \[\w+\] at: `)
	// valueType is how gomega introduces a value.
	valueType = regexp.MustCompile(`<[\w.*/\[\]{}]+( \| [^>]*)?>:? ?`)
	// opening are lines that say nothing without the next.
	opening = regexp.MustCompile(`^(.{0,30}:|(Told to stop trying|Timed out) after [\d.]+s\.)$`)
	// expectation is a line after which a value, what it should be, and often
	// another value follow.
	expectation = regexp.MustCompile(`(^|: )Expected$`)
)

// varying is what differs from run to run, and what stands for it.
var varying = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "UID"},
	{regexp.MustCompile(`\b0x[0-9a-f]+\b`), "ADDRESS"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\s"]*`), "TIME"},
	{regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b`), "IP"},
	{regexp.MustCompile(`\b(\d+)\.\d+s\b`), "${1}s"},
	// Where the program and the file are that the suite calls.
	{regexp.MustCompile(`(?:/[\w.@+-]+)+/(kubectl|kubeconfig)\b`), "${1}"},
	// Namespaces and names that the suite numbers: secrets-4593.
	{regexp.MustCompile(`([a-z])-\d{2,5}\b`), "${1}-N"},
}

// firstCause makes one line of a failure's text: its first line, and the next
// ones as far as the first says nothing without them. What differs from run to
// run is replaced, so that the same failure gives the same cause.
func firstCause(text string) string {
	if why := rejection(text); why != "" {
		return shorten(withoutVarying(why))
	}
	var cause []string
	for line, more := range causeLines(text) {
		cause = append(cause, line)
		if !more {
			break
		}
	}
	return shorten(withoutVarying(strings.Join(cause, " ")))
}

// causeLines yields the lines of a failure's message without tags and types, and
// whether the cause goes on after each.
func causeLines(text string) iter.Seq2[string, bool] {
	return func(yield func(string, bool) bool) {
		further := 0 // lines of an expectation
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(stateTag.ReplaceAllString(strings.TrimSpace(line), ""))
			if whereLine.MatchString(line) {
				return
			}
			line = strings.TrimSpace(valueType.ReplaceAllString(line, ""))
			if line == "" {
				continue
			}
			further--
			if expectation.MatchString(line) {
				further = 3
			}
			if !yield(line, further > 0 || opening.MatchString(line)) {
				return
			}
		}
	}
}

// rejected is how cumulet begins to say, in a pod's status, why it does not run
// the pod.
const rejected = "Pod was rejected: "

// rejection finds why a pod was rejected in the YAML by which the suite shows
// the pod: there the message is broken into lines that are further indented
// than its first, and its quotes are doubled.
func rejection(text string) string {
	const key = "message: "
	at := strings.Index(text, key+"'"+rejected)
	if plain := strings.Index(text, key+rejected); at < 0 {
		at = plain
	}
	if at < 0 {
		return ""
	}
	indent := at - (strings.LastIndexByte(text[:at], '\n') + 1)
	var words []string
	for line := range strings.Lines(text[at+len(key):]) {
		if len(words) > 0 && len(line)-len(strings.TrimLeft(line, " ")) <= indent {
			break
		}
		words = append(words, strings.Fields(line)...)
	}
	return strings.ReplaceAll(strings.Trim(strings.Join(words, " "), "'"), "''", "'")
}

// tellingEvent is an event in a test's timeline that says why a pod did not do
// what the test waited for.
var tellingEvent = regexp.MustCompile(`event for \S+: \{[^}]*\} (UnsupportedPodSpec|ContainerGroupRejected|UpdateUnsupported|Failed\w*): (.+)`)

// withEvent adds to a cause the first event that says more.
func withEvent(cause, timeline string) string {
	event := tellingEvent.FindStringSubmatch(timeline)
	if event == nil || strings.HasPrefix(cause, rejected) {
		return cause
	}
	return shorten(cause + " (event " + event[1] + ": " + withoutVarying(event[2]) + ")")
}

func withoutVarying(text string) string {
	for _, v := range varying {
		text = v.pattern.ReplaceAllString(text, v.instead)
	}
	return text
}

// shorten cuts a text between two characters.
func shorten(text string) string {
	if len(text) <= maxCause {
		return text
	}
	return strings.ToValidUTF8(text[:maxCause], "") + "…"
}
