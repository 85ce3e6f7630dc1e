package eci

import (
	"slices"
	"strings"
	"unicode"
)

// maxMessage bounds a message taken over from the cloud, in characters.
const maxMessage = 500

// secretParameters are the endings of the names of parameters whose values may
// be secret.
var secretParameters = []string{".Value", ".Content", ".Password", ".UserName"}

// secrets lists the request's values that no error may show: the cloud quotes
// parameters in some of its messages. The commands of an exec are among them.
func (c call) secrets() []string {
	var out []string
	for name, value := range c.parameters {
		secret := slices.ContainsFunc(secretParameters, func(ending string) bool {
			return strings.HasSuffix(name, ending)
		})
		if value != nil && (secret && !strings.HasPrefix(name, "Tag.") || c.action == opExec && name == "Command") {
			out = append(out, *value)
		}
	}
	return out
}

// clean makes the cloud's words fit for logs and events: one line of at most
// maxMessage characters without the given secrets. Secrets of one or two
// characters stay: taking them out would tell where they are.
func clean(text string, secrets []string) string {
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // parts of others last
	for _, secret := range secrets {
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
	if runes := []rune(text); len(runes) > maxMessage {
		text = string(runes[:maxMessage]) + "…"
	}
	return text
}
