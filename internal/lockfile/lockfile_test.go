package lockfile

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// holderDir makes this binary a process that holds the lock of that directory
// until it is killed.
const holderDir = "LOCKFILE_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holderDir); dir != "" {
		hold(dir)
	}
	os.Exit(m.Run())
}

func hold(dir string) {
	if _, err := Acquire(dir); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	_, _ = bufio.NewReader(os.Stdin).ReadByte() // the test keeps the pipe open
}

func TestAcquire(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	release, err := Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Acquire(dir)
	want := fmt.Sprintf("directory %s is in use by process %d: stop that one, or name another directory", dir, os.Getpid())
	if err == nil || err.Error() != want {
		t.Errorf("second: %v, want %s", err, want)
	}
	release()
	again, err := Acquire(dir)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	again()
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v", info, err)
	}
}

func TestOtherProcess(t *testing.T) {
	dir := t.TempDir()
	// A longer id than any, to see that nothing of it is left.
	if err := os.WriteFile(filepath.Join(dir, "lock"), []byte("99999999999999\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	holder := exec.CommandContext(t.Context(), self)
	holder.Env = append(os.Environ(), holderDir+"="+dir)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holder.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "held\n" {
		t.Fatalf("holder says %q, %v", line, err)
	}
	if _, err := Acquire(dir); err == nil || !strings.Contains(err.Error(), "in use by process "+strconv.Itoa(holder.Process.Pid)+":") {
		t.Errorf("while another process has it: %v", err)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait() // "signal: killed"
	release, err := Acquire(dir)
	if err != nil {
		t.Fatalf("after it was killed: %v", err)
	}
	release()
}

func TestNoDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Acquire(file); err == nil || !strings.HasPrefix(err.Error(), "making directory: ") {
		t.Errorf("a file in its place: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(filepath.Dir(file), "d", "lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Acquire(filepath.Join(filepath.Dir(file), "d")); err == nil || !strings.HasPrefix(err.Error(), "opening lock file: ") {
		t.Errorf("a directory called lock: %v", err)
	}
}
