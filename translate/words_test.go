package translate_test

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/translate"
)

// TestWords: ECI has a list of 20 elements of 256 characters each and one of 10
// elements of any length, and a container runs one after the other. Without a
// command there is the second alone.
func TestWords(t *testing.T) {
	long := strings.Repeat("x", 257)
	some := func(n int) []string { return slices.Repeat([]string{"x"}, n) }
	for name, c := range map[string]struct {
		reason        string
		command, args []string
		want          string
	}{
		"ArgsAlone":         {"10 arguments are taken", nil, some(10), ""},
		"TooManyArgsAlone":  {"an 11th is not", nil, some(11), "spec.containers[0].args: 11 arguments without a command; the cloud takes at most 10"},
		"LongArgAlone":      {"arguments may be long", nil, []string{long}, ""},
		"Both":              {"with a command there is room for 30 in all", some(1), some(29), ""},
		"CommandAlone":      {"of a command alone too", some(30), nil, ""},
		"TooManyOfBoth":     {"the 31st has no room", some(10), some(21), "spec.containers[0].args: with command 31 elements, the first 20 of at most 256 characters: the cloud takes at most 20 such, and 10 of any length after them"},
		"TooManyOfCommand":  {"the command's own is told at the command", some(31), nil, "spec.containers[0].command: 31 elements; the cloud takes at most 30"},
		"LongScript":        {"what is long may come last", append(some(2), long), some(9), ""},
		"LongScriptAndMore": {"but ends the list of short ones", append(some(2), long), some(10), "spec.containers[0].args: with command 13 elements, the first 2 of at most 256 characters: the cloud takes at most 20 such, and 10 of any length after them"},
		"LongProgram":       {"a program has a short name", []string{long}, nil, "spec.containers[0].command[0]: 257 characters in the first element; the cloud takes at most 256"},
	} {
		t.Run(name, func(t *testing.T) {
			pod := simplePod()
			pod.Spec.Containers[0].Command, pod.Spec.Containers[0].Args = c.command, c.args
			_, _, err := translate.Group(pod, translate.References{}, options(eciLimits()))
			if got := text(err); got != c.want {
				t.Errorf("%s:\n%s\nwant:\n%s", c.reason, got, c.want)
			}
		})
	}
}

// TestWordsOfProbes: the command of a probe that ECI runs has 20 elements.
func TestWordsOfProbes(t *testing.T) {
	pod := simplePod()
	exec := &corev1.ExecAction{Command: slices.Repeat([]string{"x"}, 20)}
	pod.Spec.Containers[0].LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: exec}}
	if _, _, err := translate.Group(pod, translate.References{}, options(eciLimits())); err != nil {
		t.Error(err)
	}
	exec.Command = append(exec.Command, "x")
	_, _, err := translate.Group(pod, translate.References{}, options(eciLimits()))
	if want := "spec.containers[0].livenessProbe.exec.command: 21 elements; the cloud takes at most 20"; text(err) != want {
		t.Errorf("%q, want %q", text(err), want)
	}
}
