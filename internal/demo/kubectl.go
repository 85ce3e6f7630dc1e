package demo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// kubectl runs the real program and shows what it is asked and answers.
type kubectl struct {
	path, config string
	out          io.Writer
}

func (k kubectl) command(ctx context.Context, args ...string) *exec.Cmd {
	k.printf("   $ kubectl %s\n", strings.Join(quoted(args), " "))
	c := exec.CommandContext(ctx, k.path, args...)
	c.Env = append(os.Environ(), "KUBECONFIG="+k.config)
	return c
}

func (k kubectl) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(k.out, format, args...) // a terminal that is gone is no failure of the demo
}

// quoted puts words with blanks into quotes, as a person would type them.
func quoted(args []string) []string {
	words := make([]string, len(args))
	for i, a := range args {
		if words[i] = a; strings.ContainsAny(a, " ;'\"{}\n") {
			words[i] = "'" + a + "'"
		}
	}
	return words
}

// run runs kubectl and returns its output.
func (k kubectl) run(ctx context.Context, args ...string) (string, error) {
	return k.finish(k.command(ctx, args...))
}

// apply runs kubectl apply on a manifest.
func (k kubectl) apply(ctx context.Context, manifest string) (string, error) {
	c := k.command(ctx, "apply", "-f", "-")
	c.Stdin = strings.NewReader(manifest)
	return k.finish(c)
}

func (k kubectl) finish(c *exec.Cmd) (string, error) {
	var out, mistakes bytes.Buffer
	c.Stdout, c.Stderr = &out, &mistakes
	err := c.Run()
	k.show(out.String() + mistakes.String())
	if err != nil {
		return out.String(), fmt.Errorf("running kubectl %s: %w", c.Args[1], err)
	}
	return out.String(), nil
}

func (k kubectl) show(text string) {
	for line := range strings.Lines(text) {
		k.printf("   %s\n", strings.TrimRight(line, "\n"))
	}
}

// exitCode runs kubectl and returns the code it ends with.
func (k kubectl) exitCode(ctx context.Context, args ...string) (int, error) {
	_, err := k.finish(k.command(ctx, args...))
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		return exit.ExitCode(), nil
	default:
		return 0, err
	}
}

// head runs a kubectl that does not end by itself, and ends it after n lines.
func (k kubectl) head(ctx context.Context, n int, args ...string) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := k.command(ctx, args...)
	pipe, err := c.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("connecting to kubectl: %w", err)
	}
	var mistakes bytes.Buffer
	c.Stderr = &mistakes
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("running kubectl: %w", err)
	}
	var lines []string
	for scanner := bufio.NewScanner(pipe); len(lines) < n && scanner.Scan(); {
		lines = append(lines, scanner.Text())
		k.printf("   %s\n", scanner.Text())
	}
	cancel()
	_ = c.Wait() // it was killed, on purpose
	if len(lines) < n {
		return lines, fmt.Errorf("kubectl %s ended after %d lines: %s", args[0], len(lines), mistakes.String())
	}
	return lines, nil
}
