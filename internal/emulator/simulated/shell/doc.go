// Package shell interprets the small commands that people put into containers
// to try things out, without running a process: a POSIX shell
// (mvdan.cc/sh/v3/interp) over files in memory, with a few built-in programs.
//
// Known programs are cat, chmod, cmp, cut, date, env, expr, false, grep, head,
// hostname, id, ls, mkdir, mktemp, mv, printenv, rm, rmdir, seq, sleep, sort, tail,
// tee, touch, true, uname, wc, whoami, yes and the shells sh, ash, bash and dash,
// besides the shell's own commands such as echo, printf and test. They know the options that
// matter in examples, and refuse others aloud. Any other name is "not found",
// exit code 127; nothing outside the emulator is ever executed or opened.
//
// A command takes time only by sleeping, on the injected clock; a loop that never
// sleeps is slowed down. On a terminal only an interactive shell edits and echoes
// what is typed, and Ctrl-C ends the command that it runs.
package shell
