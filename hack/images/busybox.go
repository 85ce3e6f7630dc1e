package main

import (
	"bytes"
	"errors"
	"strings"
)

// applets reads out of the program busybox which programs it is: their names
// stand in it in alphabetical order, each ended by a zero byte, and an empty
// one at the end. Asking the program would only work for this machine's
// architecture.
func applets(program []byte) ([]string, error) {
	first := []byte("[\x00[[\x00")
	begin := bytes.Index(program, first)
	if begin < 0 || bytes.LastIndex(program, first) != begin {
		return nil, errors.New("the names of busybox's programs are not in it, or twice")
	}
	names, _, ok := bytes.Cut(program[begin:], []byte("\x00\x00"))
	if !ok {
		return nil, errors.New("the names of busybox's programs have no end")
	}
	return strings.Split(string(names), "\x00"), nil
}
