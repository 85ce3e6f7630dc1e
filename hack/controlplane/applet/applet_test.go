package applet

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv("APPLET_TEST_CHILD") == "" {
		os.Exit(m.Run())
	}
	// The child of TestEndWithParent: lives until its parent is gone, for a
	// minute at most.
	if err := EndWithParent(); err != nil {
		os.Exit(3)
	}
	if _, leaked := os.LookupEnv(ParentFD); leaked {
		os.Exit(4)
	}
	<-time.After(time.Minute)
	os.Exit(5)
}

func TestChoose(t *testing.T) {
	table := Table{
		"etcd":    func() int { return 1 },
		"kubectl": func() int { return 2 },
	}
	tests := []struct {
		name   string
		args   []string
		status int
		rest   []string
		err    string
	}{
		{name: "by link", args: []string{"/a/bin/kubectl", "get", "pods"}, status: 2, rest: []string{"/a/bin/kubectl", "get", "pods"}},
		{name: "by argument", args: []string{"bin/kubernetes", "etcd", "--help"}, status: 1, rest: []string{"etcd", "--help"}},
		{name: "link wins over argument", args: []string{"kubectl", "etcd"}, status: 2, rest: []string{"kubectl", "etcd"}},
		{name: "nothing named", args: []string{"kubernetes"}, err: "etcd, kubectl"},
		{name: "unknown", args: []string{"kubernetes", "kubeadm"}, err: `"kubeadm"`},
		{name: "no arguments at all", err: "which program"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run, rest, err := Choose(table, tt.args)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error = %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := run(); got != tt.status {
				t.Errorf("ran the program with status %d, want %d", got, tt.status)
			}
			if !slices.Equal(rest, tt.rest) {
				t.Errorf("command line = %q, want %q", rest, tt.rest)
			}
		})
	}
}

func TestEndWithParentWithoutOne(t *testing.T) {
	if err := EndWithParent(); err != nil {
		t.Errorf("without %s: %v", ParentFD, err)
	}
	for _, value := range []string{"", "x", "-1", "987"} {
		t.Setenv(ParentFD, value)
		if err := EndWithParent(); err == nil {
			t.Errorf("%s=%q was accepted", ParentFD, value)
		}
	}
}

func TestEndWithParent(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self)
	child.ExtraFiles = []*os.File{read} // becomes descriptor 3
	child.Env = append(os.Environ(), "APPLET_TEST_CHILD=1", ParentFD+"="+strconv.Itoa(3))
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	read.Close()
	ended := make(chan int, 1)
	go func() {
		_ = child.Wait() // the status tells more than the error
		ended <- child.ProcessState.ExitCode()
	}()

	select {
	case status := <-ended:
		t.Fatalf("ended with status %d while its parent was there", status)
	case <-time.After(200 * time.Millisecond):
	}
	write.Close() // what the kernel does for a parent that was killed
	select {
	case status := <-ended:
		if status != orphanStatus {
			t.Errorf("ended with status %d, want %d", status, orphanStatus)
		}
	case <-time.After(time.Second):
		t.Error("still there a second after its parent went")
	}
}
