package kci

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

var update = flag.Bool("update", false, "rewrite the answers in testdata/exchanges")

// TestExchanges sends the raw requests of testdata/exchanges. Each file has
// three parts, parted by lines of "====": what it shows, with settings; the
// request, whose body may be broken into lines; and the answer.
func TestExchanges(t *testing.T) {
	files, err := filepath.Glob("testdata/exchanges/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no exchanges: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(string(text), "====\n")
			for len(parts) < 3 {
				parts = append(parts, "")
			}
			b := exchangeBench(t, parts[0])
			w := httptest.NewRecorder()
			b.ServeHTTP(w, rawRequest(t, b, parts[1]))
			got := normalise(t, w)
			if *update {
				parts[2] = got
				if err := os.WriteFile(file, []byte(strings.Join(parts, "====\n")), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(parts[2], got); diff != "" {
				t.Errorf("%s\nanswer (-want +got):\n%s", parts[0], diff)
			}
		})
	}
}

// exchangeBench makes the server that an exchange's settings ask for.
func exchangeBench(t *testing.T, settings string) *bench {
	b := newBench(t, func(o *Options) {
		if strings.Contains(settings, "dialect: seed\n") {
			o.Dialect = Seed
		}
	})
	example := exampleGroup()
	for name, group := range map[string]engine.Group{"example": example, "full": fullGroup()} {
		if strings.Contains(settings, "group: "+name+"\n") {
			b.groups.groups = append(b.groups.groups, group)
		}
	}
	b.groups.logs = []engine.LogLine{{Text: "first"}, {Text: `<second> & "third"`}}
	return b
}

// rawRequest reads a request as it is on the wire, and signs it.
func rawRequest(t *testing.T, b *bench, text string) *http.Request {
	head, lines, _ := strings.Cut(text, "\n\n")
	body := strings.ReplaceAll(lines, "\n", "")
	raw := fmt.Sprintf("%s\nContent-Length: %d\n\n%s", head, len(body), body)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(raw, "\n", "\r\n"))))
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Host = r.Host
	signV4(r, body, b.clock.Now())
	return r
}

var (
	requestID = regexp.MustCompile(`"RequestId":"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"`)
	execToken = regexp.MustCompile(`token=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
)

// normalise writes an answer so that it reads well and is always the same.
func normalise(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	body := w.Body.Bytes()
	if !requestID.Match(body) {
		t.Errorf("no RequestId in %s", body)
	}
	body = requestID.ReplaceAll(body, []byte(`"RequestId":"REQUEST"`))
	body = execToken.ReplaceAll(body, []byte("token=TOKEN"))
	var indented bytes.Buffer
	if err := json.Indent(&indented, body, "", "  "); err != nil {
		t.Fatalf("answer is not JSON: %v\n%s", err, body)
	}
	return fmt.Sprintf("%d %s\n\n%s", w.Code, w.Header().Get("Content-Type"), indented.String())
}
