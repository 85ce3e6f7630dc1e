package machine

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// CheckServices says in plain words why a machine that can run here cannot give
// its pods Services. It lets nft make rules in a network that ends with it.
func CheckServices(binDir string) error {
	return firstError(
		func() error { return checkServicePrograms(binDir, programsIn(binDir)) },
		checkThisKernel,
		func() error { return tryRules(filepath.Join(binDir, "machine")) },
	)
}

func checkThisKernel() error {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return fmt.Errorf("reading the kernel's release: %w", err)
	}
	return checkKernel(unix.ByteSliceToString(name.Release[:]))
}

// tryRules lets the nft of a folder make trialRules.
func tryRules(folder string) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return fmt.Errorf("finding nft: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), trialTimeout)
	defer cancel()
	var output bytes.Buffer
	nft := exec.CommandContext(ctx, filepath.Join(folder, "nft"), "-f", "-")
	nft.Env = []string{"PATH=" + programPath, nftLibraries(folder)}
	nft.Stdin, nft.Stdout, nft.Stderr = strings.NewReader(trialRules), &output, &output
	nft.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: unix.CLONE_NEWNET}
	return explainTrial(nft.Run(), output.String())
}
