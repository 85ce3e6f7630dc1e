package shell

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMove(t *testing.T) {
	const files = "mkdir /shared/d /shared/e; echo one > /shared/a; echo two > /shared/d/b; "
	for name, c := range map[string]struct {
		reason, script string
		out, err       string
		code           int
	}{
		"Over":        {"a file replaces another", "mv -f /shared/d/b /shared/a; cat /shared/a; ls /shared/d", "two\n", "", 0},
		"Into":        {"a directory takes files in", "mv /shared/a /shared/d/b /shared/e; ls /shared /shared/e", "/shared:\nd\ne\n/shared/e:\na\nb\n", "", 0},
		"Directory":   {"with all that is in it", "mv /shared/d /shared/f; cat /shared/f/b; ls /shared/d", "two\n", "ls: /shared/d: No such file or directory\n", 1},
		"Itself":      {"", "mv /shared/d /shared/d/f", "", "mv: /shared/d: invalid argument\n", 1},
		"OnDirectory": {"", "mv /shared/e/../a /shared/nowhere/x", "", "mv: /shared/a: No such file or directory\n", 1},
		"Away":        {"", "mv /shared/a /tmp/a", "", "mv: /shared/a: moving between volumes is not simulated\n", 1},
		"ReadOnly":    {"", "mv /config/app.conf /config/b", "", "mv: /config/app.conf: read-only file system\n", 1},
		"OneName":     {"", "mv /shared/a", "", "mv: missing operand\n", 1},
		"Chmod":       {"", "chmod 600 /shared/a; ls -l /shared/a | cut -d' ' -f1; chmod u+x /shared/a", "-rw-------\n", "chmod: mode 'u+x' is not simulated; use an octal number\n", 1},
		"Rmdir":       {"", "rmdir /shared/e; ls /shared; rmdir /shared/d", "a\nd\n", "rmdir: /shared/d: directory not empty\n", 1},
		"Same":        {"", "cmp /shared/a /shared/a && echo same", "same\n", "", 0},
		"Differ":      {"", "cmp /shared/a /shared/d/b; echo $?; cmp -s /shared/a /shared/d/b; echo $?; cmp -s /shared/a /shared/none", "/shared/a /shared/d/b differ\n1\n1\n", "cmp: /shared/none: No such file or directory\n", 2},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, newMachine(), nil, "sh", "-c", files+c.script)
			got.Took = 0
			if diff := cmp.Diff(result{Out: c.out, Err: c.err, Code: c.code}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}
