package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/creack/pty"
	corev1 "k8s.io/api/core/v1"
)

// TestContainersRun runs a container as people do, and follows its log while
// it writes.
func TestContainersRun(t *testing.T) {
	inContainers(t, func(t *testing.T, c *target) {
		c.mustKubectl(t, "", "run", "talk", "--image=busybox", "--restart=Never", "--overrides="+c.overrides(t), "--",
			"sh", "-c", "echo first; until test -e /tmp/go; do sleep 0.1; done; echo second; exit 6")
		c.awaitPod(t, "talk", "running", hasPhase(corev1.PodRunning))
		log := c.start(t, "logs", "-f", "talk")
		if line := log.line(t); line != "first" {
			t.Errorf("first line is %q", line)
		}
		c.mustKubectl(t, "", "exec", "talk", "--", "touch", "/tmp/go")
		if line := log.line(t); line != "second" {
			t.Errorf("second line is %q", line)
		}
		if line := log.line(t); line != "" {
			t.Errorf("after the last line there is %q", line)
		}
		pod := c.awaitPod(t, "talk", "failed", hasPhase(corev1.PodFailed))
		if ended := pod.Status.ContainerStatuses[0].State.Terminated; ended == nil || ended.ExitCode != 6 || ended.Reason != "Error" {
			t.Errorf("container's state is %+v, want ended with 6, Error", pod.Status.ContainerStatuses[0].State)
		}
		if out := c.mustKubectl(t, "", "logs", "talk"); out != "first\nsecond\n" {
			t.Errorf("the log of the ended container is %q", out)
		}
	})
}

// overrides puts a pod of kubectl run on the target's node.
func (c *target) overrides(t *testing.T) string {
	t.Helper()
	spec := c.pod("", "").Spec
	text, err := json.Marshal(map[string]any{"spec": map[string]any{
		"nodeSelector": spec.NodeSelector, "tolerations": spec.Tolerations,
		"terminationGracePeriodSeconds": spec.TerminationGracePeriodSeconds,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// conversation is a kubectl that runs beside the test.
type conversation struct {
	command *exec.Cmd
	output  *bufio.Reader
}

// start starts a kubectl whose output is read line by line.
func (c *target) start(t *testing.T, args ...string) *conversation {
	t.Helper()
	command := c.boundedKubectl(t, args...)
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Wait() }) // the test has seen its end, or ends it here
	return &conversation{command: command, output: bufio.NewReader(output)}
}

// boundedKubectl is a kubectl that does not outlive the test nor its patience.
func (c *target) boundedKubectl(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return c.kubectlCommand(ctx, args...)
}

// line is the next line, "" at the end.
func (v *conversation) line(t *testing.T) string {
	t.Helper()
	line, err := v.output.ReadString('\n')
	if err != nil && line != "" {
		t.Errorf("the output ends with %q, which is no line", line)
	}
	return strings.TrimSuffix(line, "\n")
}

// TestContainersExec runs commands in a container: with streams of their own,
// with exit codes, and on a terminal that changes its size.
func TestContainersExec(t *testing.T) {
	inContainers(t, func(t *testing.T, c *target) {
		c.create(t, c.pod("box", lasting))
		c.awaitPod(t, "box", "ready", isReady)
		out, mistakes, code := c.kubectl(t, "", "exec", "box", "--", "sh", "-c", "echo to stdout; echo to stderr >&2; exit 7")
		if out != "to stdout\n" || !strings.Contains(mistakes, "to stderr\n") || code != 7 {
			t.Errorf("exec gives %q, %q and code %d, want both streams and code 7", out, mistakes, code)
		}
		long := strings.Repeat("0123456789abcdef", 1<<16) // a megabyte
		if out := c.mustKubectl(t, long, "exec", "-i", "box", "--", "wc", "-c"); strings.TrimSpace(out) != "1048576" {
			t.Errorf("the command has read %q bytes of 1048576", out)
		}
		if out := c.mustKubectl(t, "", "exec", "box", "--", "sh", "-c", "head -c 1048576 /dev/zero | tr '\\0' x"); out != strings.Repeat("x", 1<<20) {
			t.Errorf("%d bytes came of 1048576", len(out))
		}
		_, mistakes, code = c.kubectl(t, "", "exec", "box", "--", "/no/such/program")
		if code == 0 || !strings.Contains(mistakes, "no such file or directory") {
			t.Errorf("a program that is not there ends with %d and says %q", code, mistakes)
		}
		c.typeInTerminal(t)
	})
}

// typeInTerminal has a conversation with a command on a terminal.
func (c *target) typeInTerminal(t *testing.T) {
	t.Helper()
	// A terminal gets its size a moment after the command has begun.
	command := c.boundedKubectl(t, "exec", "-it", "box", "--", "sh", "-c", `
		has_size() { until test "$(stty size 2>/dev/null)" = "$1"; do sleep 0.1; done; echo "the size is $1"; }
		tty; has_size "33 99"; read word; echo "the word is $word"; has_size "40 100"; exit 4`)
	terminal, err := pty.StartWithSize(command, &pty.Winsize{Rows: 33, Cols: 99})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	shown := bufio.NewReader(terminal)
	expect(t, shown, "/dev/pts/")
	expect(t, shown, "the size is 33 99\r\n")
	if _, err := terminal.WriteString("please\r"); err != nil {
		t.Fatal(err)
	}
	expect(t, shown, "the word is please\r\n")
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 40, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	expect(t, shown, "the size is 40 100\r\n")
	expect(t, shown, "exit code 4")
	_ = command.Wait() // it tells the exit code
	if code := command.ProcessState.ExitCode(); code != 4 {
		t.Errorf("kubectl ended with %d, want the command's 4", code)
	}
}

// expect reads what is shown up to a text.
func expect(t *testing.T, shown *bufio.Reader, text string) {
	t.Helper()
	var read strings.Builder
	for !strings.HasSuffix(read.String(), text) {
		next, err := shown.ReadByte()
		if err != nil {
			t.Fatalf("waiting for %q: %v; shown was %q", text, err, read.String())
		}
		read.WriteByte(next)
	}
}

// TestContainersAttach has a shell by kubectl run -it, as on any cluster, where
// the cloud can have it; and watches a container by kubectl attach.
func TestContainersAttach(t *testing.T) {
	inContainers(t, func(t *testing.T, c *target) {
		c.create(t, c.pod("talk", "trap exit TERM; while true; do echo talking; sleep 0.1; done"))
		c.awaitPod(t, "talk", "ready", isReady)
		watched := c.start(t, "attach", "talk")
		if line := watched.line(t); line != "talking" {
			t.Errorf("attach shows %q", line)
		}
		args := []string{"run", "-it", "--rm", "shell", "--image=busybox", "--restart=Never", "--overrides=" + c.overrides(t), "--", "sh"}
		if c.cloud == "eci" {
			c.typeInShell(t, args)
			return
		}
		// KCI keeps no container's input open: the pod is refused, and kubectl
		// has nothing to attach to.
		if out, mistakes, code := c.kubectl(t, "", args...); code == 0 {
			t.Errorf("a shell on KCI: %q, %q", out, mistakes)
		}
		c.awaitMessage(t, "shell", "UnsupportedPodSpec", "spec.containers[0].stdin")
	})
}

// typeInShell types into a shell that kubectl run has started, and leaves it.
func (c *target) typeInShell(t *testing.T, args []string) {
	t.Helper()
	command := c.boundedKubectl(t, args...)
	terminal, err := pty.StartWithSize(command, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	shown := bufio.NewReader(terminal)
	expect(t, shown, "# ")
	if _, err := terminal.WriteString("echo $((6 * 7))\rexit 5\r"); err != nil {
		t.Fatal(err)
	}
	expect(t, shown, "\r\n42\r\n")
	expect(t, shown, `pod "shell" deleted`)
	_ = command.Wait() // it tells the exit code
	if code := command.ProcessState.ExitCode(); code != 5 {
		t.Errorf("kubectl run ended with %d, want the shell's 5", code)
	}
}

// TestContainersCopy copies files into a container and out of it.
func TestContainersCopy(t *testing.T) {
	inContainers(t, func(t *testing.T, c *target) {
		c.create(t, c.pod("box", lasting))
		c.awaitPod(t, "box", "ready", isReady)
		dir := t.TempDir()
		content := strings.Repeat("\x00\xff0123456789abc\n", 1<<16)
		writeFile(t, dir+"/blob", content, 0o640)
		writeFile(t, dir+"/tree/below/program", "#!/bin/sh\necho it runs\n", 0o755)

		c.mustKubectl(t, "", "cp", dir+"/blob", "box:/tmp/blob")
		c.mustKubectl(t, "", "cp", dir+"/tree", "box:/tmp/tree")
		out := c.mustKubectl(t, "", "exec", "box", "--", "sh", "-c", "stat -c '%a %s' /tmp/blob; /tmp/tree/below/program")
		if want := "640 1048576\nit runs\n"; out != want {
			t.Errorf("in the container: %q, want %q", out, want)
		}
		c.mustKubectl(t, "", "cp", "box:/tmp/blob", dir+"/back")
		if back, err := os.ReadFile(dir + "/back"); err != nil || string(back) != content {
			t.Errorf("%d bytes came back of %d, or others: %v", len(back), len(content), err)
		}
	})
}

func writeFile(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(path[:strings.LastIndexByte(path, '/')], 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}
