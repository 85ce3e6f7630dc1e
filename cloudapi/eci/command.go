package eci

import "unicode/utf8"

// Bounds of Container.N (parameter table of CreateContainerGroup). The
// gateway's schema has wider ones (101 of each), but the prose is what is
// promised.
const (
	maxCommand        = 20  // elements of Command and of a probe's command
	maxCommandElement = 256 // characters of an element of Command
	maxArgs           = 10  // elements of Arg, each of any length
)

// arrange spreads a container's command and arguments over Command and Arg so
// that both keep their bounds. A container runs the two one after the other, so
// where the border lies between them changes nothing, as long as there is a
// command: without one, the arguments go to the image's entry point. ok is
// false if no border fits.
func arrange(command, args []string) (outCommand, outArgs []string, ok bool) {
	if len(command) == 0 {
		return nil, args, len(args) <= maxArgs
	}
	if fits(command) == len(command) && len(args) <= maxArgs {
		return command, args, true
	}
	all := append(append([]string(nil), command...), args...)
	border := fits(all)
	if border == 0 || len(all)-border > maxArgs {
		return command, args, false
	}
	return all[:border], all[border:], true
}

// fits counts how many elements from the start may stand in Command.
func fits(elements []string) int {
	for i, e := range elements {
		if i == maxCommand || utf8.RuneCountInString(e) > maxCommandElement {
			return i
		}
	}
	return len(elements)
}

// commandBounds words the refusal of what arrange cannot place.
const commandBounds = "Command, Args: the cloud takes at most 20 elements of at most 256 characters, " +
	"then at most 10 of any length; without a command at most 10 in all"
