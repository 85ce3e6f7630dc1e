package provider

import (
	"fmt"
	"strings"

	"github.com/cumulet/cumulet/cloudapi"
)

// answerMark begins the line with which the script tells what came of it.
const answerMark = "cumulet-files: "

// The words of the script. It ends with same or changed, or with what it could
// not do.
var scriptFailures = map[string]string{
	"absent": "it does not have the volume where it could write to it",
	"linked": "the cloud keeps the volume's files behind links of its own",
	"write":  "the volume cannot be written to",
	"remove": "an old file cannot be removed",
	"rename": "a file cannot be put into its place",
}

func scriptFailure(word string) string {
	if text, known := scriptFailures[word]; known {
		return text
	}
	return "its shell gave no answer that is known"
}

// answerIn finds the script's last word in its output.
func answerIn(output string) string {
	_, rest, found := strings.Cut(output, answerMark)
	if !found {
		return ""
	}
	word, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(word)
}

// scriptStart goes to the volume and makes room beside its files. What a kubelet
// keeps behind links is swapped as a whole by whoever made it, never in part.
const scriptStart = `umask 077 2>/dev/null
say() { echo "` + answerMark + `$1"; exit 0; }
fail() { rm -rf "$new"; say "$1"; }
new=.cumulet-$$
state=same
cd %s 2>/dev/null || say absent
[ -L ..data ] && say linked
mkdir "$new" 2>/dev/null || say write
`

// scriptClean removes every file that is not to be there, and the folders that
// are empty then. It runs in a shell of its own, for each folder another one.
const scriptClean = `clean() {
  state=same
  for p in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    [ -e "$p" ] || [ -L "$p" ] || continue
    case "$p" in
    ./.cumulet-*) continue ;;
    %s) [ -d "$p" ] || continue ;;
    esac
    if [ -d "$p" ] && [ ! -L "$p" ]; then
      (clean "$p")
      case $? in
      0) ;;
      1) state=changed ;;
      *) exit 2 ;;
      esac
      rmdir "$p" 2>/dev/null
    else
      rm -f "$p" 2>/dev/null || exit 2
      state=changed
    fi
  done
  [ "$state" = same ] || exit 1
  exit 0
}
(clean .)
case $? in
0) ;;
1) state=changed ;;
*) fail remove ;;
esac
`

// scriptPut puts the n-th new file into its place, unless it is there already.
const scriptPut = `put() {
  if [ ! -L "$2" ] && [ -f "$2" ] && cmp -s "$new/$1" "$2" 2>/dev/null; then return; fi
  mkdir -p "${2%/*}" 2>/dev/null && mv -f "$new/$1" "$2" 2>/dev/null || fail rename
  state=changed
}
`

// writeScript is a POSIX shell script that makes a folder have these files and no
// others. All files are written beside the old ones first; then each takes its
// place by being renamed, so that nobody reads half a file. It needs mkdir, mv,
// rm, rmdir, chmod and, to leave alone what is the same already, cmp.
func writeScript(folder string, files []cloudapi.File) string {
	var b strings.Builder
	fmt.Fprintf(&b, scriptStart, quote(folder))
	keep := make([]string, 0, len(files)+1)
	for i, f := range files {
		writeNew(&b, i, f)
		keep = append(keep, quote("./"+f.Path))
	}
	if len(keep) == 0 {
		keep = append(keep, "''")
	}
	fmt.Fprintf(&b, scriptClean, strings.Join(keep, "|"))
	b.WriteString("umask 022 2>/dev/null\n" + scriptPut)
	for i, f := range files {
		fmt.Fprintf(&b, "put %d %s\n", i, quote("./"+f.Path))
	}
	b.WriteString("rm -rf .cumulet-*\nsay \"$state\"\n")
	return b.String()
}

// chunk is how many bytes one printf writes; printf is a part of the shell, so
// that no limit of the system's holds.
const chunk = 2048

// writeNew writes the n-th file beside the old ones, with its mode.
func writeNew(b *strings.Builder, n int, f cloudapi.File) {
	name := fmt.Sprintf("\"$new/%d\"", n)
	fmt.Fprintf(b, "{ printf '' > %s", name)
	for rest := f.Content; len(rest) > 0; {
		part := rest[:min(chunk, len(rest))]
		rest = rest[len(part):]
		fmt.Fprintf(b, " &&\nprintf '%s' >> %s", printfFormat(part), name)
	}
	fmt.Fprintf(b, " &&\nchmod %o %s; } 2>/dev/null || fail write\n", f.Mode&0o777, name)
}

// printfFormat writes bytes as a format of printf(1) within single quotes.
func printfFormat(content []byte) string {
	var b strings.Builder
	for _, c := range content {
		plain := c >= ' ' && c < 0x7f && !strings.ContainsRune(`%\'-`, rune(c))
		if plain {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, `\%03o`, c)
	}
	return b.String()
}

// quote makes a word of the shell of a text.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
