package kci

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// BenchmarkPage reads and digests a page of 100 groups like the document's
// example: the work of a sweep apart from the network.
func BenchmarkPage(b *testing.B) {
	text, err := os.ReadFile("testdata/describe.document.json")
	if err != nil {
		b.Fatal(err)
	}
	body := string(text)
	start, end := strings.Index(body, "[")+1, strings.LastIndex(body, "]")
	hundred := strings.TrimSuffix(strings.Repeat(body[start:end]+",", 100), ",")
	var page bytes.Buffer
	if err := json.Compact(&page, []byte(body[:start]+hundred+body[end:])); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(page.Len()))
	b.ReportAllocs()
	for b.Loop() {
		var answer describeAnswer
		if err := decode(page.Bytes(), &answer); err != nil {
			b.Fatal(err)
		}
		for i := range answer.ContainerGroups {
			if _, err := summarize(convertGroup(&answer.ContainerGroups[i])); err != nil {
				b.Fatal(err)
			}
		}
		if len(answer.ContainerGroups) != 100 {
			b.Fatalf("%d groups", len(answer.ContainerGroups))
		}
	}
}
