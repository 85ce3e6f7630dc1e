package parent

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// role makes this binary a child that watches its parent.
const role = "PARENT_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "orderly":
		ctx, stop := Context(context.Background())
		fmt.Println("watching")
		<-ctx.Done()
		stop()
		fmt.Println("ended in order")
		os.Exit(0)
	case "stubborn":
		Context(context.Background())
		fmt.Println("watching")
		select {} // not even the context's end moves it
	case "stopped":
		_, stop := Context(context.Background())
		stop()
		for deadline := time.Now().Add(10 * time.Second); watching(); runtime.Gosched() {
			if time.Now().After(deadline) {
				fmt.Println("the watch goes on after stop")
				os.Exit(1)
			}
		}
		fmt.Println("stopped")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// watching tells whether a goroutine of Context is alive.
func watching() bool {
	stacks := make([]byte, 1<<20)
	return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "parent.Context.func")
}

// child is a process in this role with our end of its pipe.
type child struct {
	*exec.Cmd
	out  *bufio.Reader
	pipe io.Closer
}

func start(t *testing.T, as string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	c := &child{Cmd: exec.CommandContext(t.Context(), self), pipe: write}
	c.Env = append(os.Environ(), role+"="+as, FD+"=3")
	c.ExtraFiles = []*os.File{read}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = write.Close() })
	return c
}

func (c *child) says(t *testing.T, want string) {
	t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil || line != want+"\n" {
		t.Fatalf("the child says %q, %v, want %q", line, err, want)
	}
}

func TestOrderlyEnd(t *testing.T) {
	c := start(t, "orderly")
	c.says(t, "watching")
	if err := c.pipe.Close(); err != nil {
		t.Fatal(err)
	}
	c.says(t, "ended in order")
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

func TestForcedEnd(t *testing.T) {
	c := start(t, "stubborn")
	c.says(t, "watching")
	begun := time.Now()
	if err := c.pipe.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil || c.ProcessState.ExitCode() != 1 {
		t.Errorf("ended with %v, want exit code 1", err)
	}
	if took := time.Since(begun); took < patience {
		t.Errorf("ended after %v, before its patience of %v", took, patience)
	}
}

func TestStop(t *testing.T) {
	c := start(t, "stopped")
	c.says(t, "stopped")
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

func TestWithoutParent(t *testing.T) {
	for name, value := range map[string]string{"not a number": "x", "standard output": "1", "closed": "987654"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(FD, value)
			ctx, stop := Context(t.Context())
			defer stop()
			if ctx != t.Context() {
				t.Error("a variable that makes no sense is watched")
			}
		})
	}
	if err := os.Unsetenv(FD); err != nil {
		t.Fatal(err)
	}
	ctx, stop := Context(t.Context())
	defer stop()
	if ctx != t.Context() {
		t.Error("something is watched without the variable")
	}
}
