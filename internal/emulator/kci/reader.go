package kci

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// reader reads typed parameters from a tree and keeps the first error. After an
// error its methods return zero values, so a caller may read on and look at err
// once at the end.
type reader struct {
	dialect Dialect
	err     *apiError
}

// extended tells whether what only the SDKs have may be read.
func (r *reader) extended() bool { return r.dialect != Seed }

func (r *reader) fail(err *apiError) {
	if r.err == nil {
		r.err = err
	}
}

// text reads an optional text; ok tells whether it was sent.
func (r *reader) text(n *node, name string) (value string, ok bool) {
	child := n.child(name)
	if child == nil || !child.leaf {
		return "", false
	}
	child.read = true
	return child.text, true
}

// optional reads a text that may be left out.
func (r *reader) optional(n *node, name string) string {
	value, _ := r.text(n, name)
	return value
}

// required reads a text that must be there and not be empty.
func (r *reader) required(n *node, name string) string {
	value, _ := r.text(n, name)
	if value == "" {
		r.fail(missingParameter.with(n.pathOf(name)))
	}
	return value
}

// name reads a required name of at most 63 characters of the pattern.
func (r *reader) name(n *node, name string, pattern *regexp.Regexp) string {
	value := r.required(n, name)
	if value == "" {
		return ""
	}
	if len(value) > maxNameLength || !pattern.MatchString(value) {
		r.fail(refuse(n.pathOf(name), fmt.Sprintf(
			"%s must have at most %d characters and match %s", quote(value), maxNameLength, pattern)))
	}
	return value
}

// oneOf reads one of the words; fallback is what a missing one means.
func (r *reader) oneOf(n *node, name, fallback string, words ...string) string {
	value, ok := r.text(n, name)
	if !ok {
		return fallback
	}
	if !slices.Contains(words, value) {
		r.fail(refuse(n.pathOf(name), fmt.Sprintf("%s must be one of %s", quote(value), strings.Join(words, ", "))))
	}
	return value
}

// whole is a range of integers with the value that a missing one means.
type whole struct{ min, max, fallback int }

// integer reads a decimal integer within limits.
func (r *reader) integer(n *node, name string, limits whole) int {
	text, ok := r.text(n, name)
	if !ok {
		return limits.fallback
	}
	return r.parseInteger(n.pathOf(name), text, limits)
}

func (r *reader) parseInteger(path, text string, limits whole) int {
	value, err := strconv.Atoi(text)
	if err != nil || value < limits.min || value > limits.max {
		r.fail(refuse(path, fmt.Sprintf("%s must be an integer from %d to %d", quote(text), limits.min, limits.max)))
		return 0
	}
	return value
}

// requiredInteger is integer for a parameter that must be there.
func (r *reader) requiredInteger(n *node, name string, limits whole) int {
	r.required(n, name)
	return r.integer(n, name, limits)
}

// decimal reads a number from 0 to limit with at most three decimals; a missing
// one is 0.
func (r *reader) decimal(n *node, name string, limit float64) float64 {
	text, ok := r.text(n, name)
	if !ok {
		return 0
	}
	value, err := strconv.ParseFloat(text, 64)
	_, fraction, _ := strings.Cut(text, ".")
	fits := len(strings.TrimRight(fraction, "0")) <= maxDecimals
	if err != nil || !decimalPattern.MatchString(text) || !fits || value > limit {
		r.fail(refuse(n.pathOf(name), fmt.Sprintf(
			"%s must be a number from 0 to %g with at most %d decimals", quote(text), limit, maxDecimals)))
		return 0
	}
	return value
}

// size is decimal for a parameter that must be there and above 0.
func (r *reader) size(n *node, name string, limit float64) float64 {
	text := r.required(n, name)
	value := r.decimal(n, name, limit)
	if r.err == nil && value == 0 {
		r.fail(refuse(n.pathOf(name), quote(text)+" must be above 0"))
	}
	return value
}

// boolean reads true or false in any case, since the Python SDK sends True and
// False; ok tells whether it was sent.
func (r *reader) boolean(n *node, name string) (value, ok bool) {
	text, ok := r.text(n, name)
	if !ok {
		return false, false
	}
	switch {
	case strings.EqualFold(text, "true"):
		return true, true
	case strings.EqualFold(text, "false"):
		return false, true
	default:
		r.fail(refuse(n.pathOf(name), quote(text)+" must be true or false"))
		return false, true
	}
}

// flag is boolean where a missing one means false.
func (r *reader) flag(n *node, name string) bool {
	value, _ := r.boolean(n, name)
	return value
}

// list returns the elements of a list, in order.
func (r *reader) list(n *node, name string) []*node {
	elements, err := n.child(name).elements()
	if err != nil {
		r.fail(err)
		return nil
	}
	return elements
}

// shortList is list for Filter.N and ID.N, whose indices end at 100.
func (r *reader) shortList(n *node, name string) []*node {
	elements := r.list(n, name)
	if len(elements) == 0 {
		return nil
	}
	last := elements[len(elements)-1].path
	index, err := strconv.Atoi(last[strings.LastIndexByte(last, '.')+1:])
	if err != nil || index > maxFilterIndex {
		r.fail(invalidQuery.with(shorten(last)))
		return nil
	}
	return elements
}

// texts returns the texts of a list of them.
func (r *reader) texts(elements []*node) []string {
	var values []string
	for _, element := range elements {
		if !element.leaf {
			continue // what is below it stays unread and is refused as such
		}
		element.read = true
		values = append(values, element.text)
	}
	return values
}

// nonEmptyTexts is texts for a list whose texts must not be empty.
func (r *reader) nonEmptyTexts(elements []*node) []string {
	for _, element := range elements {
		if element.leaf && element.text == "" {
			r.fail(missingParameter.with(element.path))
		}
	}
	return r.texts(elements)
}
