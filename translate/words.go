package translate

import (
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkWords holds a container's command and arguments against the cloud's
// limits of each, and of the two together.
func (t *translation) checkWords(command, args []string, path *field.Path) {
	told := len(t.refusals)
	t.checkCommand(command, t.limits.MaxCommand, path.Child("command"))
	t.checkCommand(args, t.limits.MaxArgs, path.Child("args"))
	limits := &t.limits.Words
	if limits.MaxShort == 0 || told < len(t.refusals) {
		return
	}
	if len(command) == 0 {
		t.atMost(path.Child("args"), limits.MaxRest, len(args), "arguments without a command")
		return
	}
	all := slices.Concat(command, args)
	short := t.shortWords(all)
	if short == 0 {
		t.refusef(path.Child("command").Index(0), "%d characters in the first element; the cloud takes at most %d",
			utf8.RuneCountInString(all[0]), limits.MaxShortCharacters)
		return
	}
	if len(all)-short <= limits.MaxRest {
		return
	}
	at := path.Child("command")
	if len(args) > 0 {
		at = path.Child("args")
	}
	t.refusef(at, "with command %d elements, the first %d of at most %d characters: the cloud takes at most %d such, and %d of any length after them",
		len(all), short, limits.MaxShortCharacters, limits.MaxShort, limits.MaxRest)
}

// shortWords counts how many elements from the start may stand in the first of
// the cloud's two lists.
func (t *translation) shortWords(all []string) int {
	for i, w := range all {
		if i == t.limits.Words.MaxShort || utf8.RuneCountInString(w) > t.limits.Words.MaxShortCharacters {
			return i
		}
	}
	return len(all)
}

// checkCommand holds one command against the cloud's limits.
func (t *translation) checkCommand(words []string, maxWords int, path *field.Path) {
	t.atMost(path, maxWords, len(words), "elements")
	for i, w := range words {
		t.atMost(path.Index(i), t.limits.MaxCommandBytes, len(w), "bytes")
		if !isText(w) {
			t.refusef(path.Index(i), "it is %s", notText)
		}
	}
}

const notText = "not text in UTF-8 without NUL"

// isText tells whether a process can have a text as an argument or a variable,
// and a cloud be told of it.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}
