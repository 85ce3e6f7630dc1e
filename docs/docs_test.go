// Package docs_test holds the pages that people write to what is there: links
// lead to files and headings, and commands name targets of the Makefile.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = ".."

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	command = regexp.MustCompile("(?m)(?:`|^\\$ )make ([a-z][a-z-]*)")
	target  = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
	fence   = regexp.MustCompile("(?ms)^```.*?^```")
	marks   = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// pages are the repository's Markdown files, by path from its root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, start := range []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "docs", "examples"} {
		err := filepath.WalkDir(filepath.Join(root, start), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".md" {
				return err
			}
			text, err := os.ReadFile(path)
			found[path] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// anchors are the ids that GitHub gives to a page's headings.
func anchors(page string) (ids []string) {
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		ids = append(ids, strings.ReplaceAll(marks.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return ids
}

func TestLinks(t *testing.T) {
	all := pages(t)
	checked := 0
	for path, text := range all {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			checked++
			file, anchor, _ := strings.Cut(m[1], "#")
			to := path
			if file != "" {
				to = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: %s leads nowhere", path, m[1])
			} else if anchor != "" && !slices.Contains(anchors(all[to]), anchor) {
				t.Errorf("%s: %s: the page has no such heading, it has %q", path, m[1], anchors(all[to]))
			}
		}
	}
	if checked == 0 {
		t.Error("no link was found")
	}
}

// TestPermissions: the least permissions of docs/install.md are the actions
// that the adapters call.
func TestPermissions(t *testing.T) {
	page, err := os.ReadFile("install.md")
	if err != nil {
		t.Fatal(err)
	}
	for cloud, constant := range map[string]string{"eci": "op", "kci": "action"} {
		called := regexp.MustCompile(`(?m)^\t` + constant + `[A-Z]\w* += "([A-Z]\w+)"`)
		files, err := filepath.Glob(filepath.Join(root, "cloudapi", cloud, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range called.FindAllStringSubmatch(string(text), -1) {
				want = append(want, m[1])
			}
		}
		var got []string
		for _, m := range regexp.MustCompile(`"`+cloud+`:(\w+)"`).FindAllStringSubmatch(string(page), -1) {
			got = append(got, m[1])
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("%s (-called +told):\n%s", cloud, diff)
		}
	}
}

func TestMakeTargets(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, m := range target.FindAllStringSubmatch(string(makefile), -1) {
		targets = append(targets, m[1])
	}
	checked := 0
	for path, text := range pages(t) {
		for _, m := range command.FindAllStringSubmatch(text, -1) {
			checked++
			if !slices.Contains(targets, m[1]) {
				t.Errorf("%s: make %s: the Makefile has no such target", path, m[1])
			}
		}
	}
	if checked == 0 {
		t.Error("no make command was found")
	}
}
