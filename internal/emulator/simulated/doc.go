// Package simulated is the engine's Runtime that runs nothing: it tells what a
// kubelet would tell of containers that behave as their scripts say. Tens of
// thousands of groups fit into one process, because a container that just runs
// is no more than a few timers.
//
// # What a container does
//
// A container without a script runs for ever; an init container without one
// ends with 0 at once. Images mean nothing, except that one whose name contains
// "does-not-exist" or "invalid" cannot be pulled.
//
// If the command is one that package shell knows (echo, sleep, cat, sh -c "…"),
// it is interpreted: it sees its environment, the files of its config file
// volumes, and what other containers of the group wrote into a shared emptyDir
// volume. Exec uses the same interpreter. Arguments without a command count as
// the command if their first word is known, since images like busybox have no
// entry point.
//
// # Scripts
//
// A container is scripted by environment variables. Durations are Go's, such as
// 300ms or 1m30s. A name that starts with SIM_ and is not in this list, or a
// value that cannot be read, keeps the container from being created
// (CreateContainerConfigError), so that a slip of the pen shows.
//
//	SIM_RUN=3s               runs that long, then exits
//	SIM_EXIT=2               exit code; without SIM_RUN at once
//	SIM_EXIT_SEQUENCE=1,1,0  exit codes of the first run, the second, …; the last repeats
//	SIM_CRASH=true           exits with 1 at once, every time
//	SIM_LOG=a\nb             writes these lines at the start (\n or real newlines)
//	SIM_LOG_EVERY=100ms      instead writes one of these lines per period, with a number
//	SIM_LOG_COUNT=20         stops after so many
//	SIM_READY_AFTER=5s       is not ready before
//	SIM_UNHEALTHY_AFTER=1m   fails its probes from then on
//	SIM_OOM_AFTER=10s        is killed for its memory (137, OOMKilled)
//	SIM_TERM_AFTER=5s        takes that long to end after TERM
//	SIM_TERM_EXIT=0          exit code after TERM, 143 by default
//	SIM_PULL=2s              how long its image takes to be pulled
//	SIM_PULL_ERROR=text      its image cannot be pulled, with this message
//	SIM_CPU=0.25             uses so many cores
//	SIM_MEMORY=64            uses so many MiB
//
// A container with SIM_RUN, SIM_EXIT, SIM_EXIT_SEQUENCE or SIM_CRASH does not
// have its command interpreted.
//
// # What the agent does
//
// Restarts, back-off (10 s doubling to 5 min, forgotten after 10 min of running),
// the order of init containers, grace periods, reasons, messages and events are
// those of a kubelet. A probe succeeds once the container has been up for its
// initial delay, unless the script says otherwise; an exec probe or hook of an
// interpreted container is interpreted too.
package simulated
