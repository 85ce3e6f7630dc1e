package kci

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// document is any answer.
type document struct {
	RequestID        string           `json:"RequestId"`
	ContainerGroupID string           `json:"ContainerGroupId"`
	Content          string           `json:"Content"`
	WebSocketURI     string           `json:"WebSocketUri"`
	Marker           int              `json:"Marker"`
	TotalCount       int              `json:"TotalCount"`
	ContainerGroups  []map[string]any `json:"ContainerGroups"`
	Error            struct{ Type, Code, Message string }
}

func decode(t *testing.T, w *httptest.ResponseRecorder) document {
	t.Helper()
	var d document
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
		t.Fatalf("answer is not JSON: %v\n%s", err, w.Body)
	}
	return d
}

func message(t *testing.T, w *httptest.ResponseRecorder) string   { return decode(t, w).Error.Message }
func errorCode(t *testing.T, w *httptest.ResponseRecorder) string { return decode(t, w).Error.Code }

func errorText(t *testing.T, w *httptest.ResponseRecorder) string {
	e := decode(t, w).Error
	return fmt.Sprintf("%d %s %s %s", w.Code, e.Type, e.Code, e.Message)
}

// TestDocumentExample answers the example of the KCI document byte for byte, but
// for white space and the RequestId.
func TestDocumentExample(t *testing.T) {
	text, err := os.ReadFile("testdata/document_example.json")
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, text); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, seedDialect)
	b.groups.groups = append(b.groups.groups, exampleGroup())
	w := b.post("DescribeContainerGroup", params("ContainerGroupId.1", "9f0c0be6-f6fe-4e29-af1axxxx"))
	got := requestID.ReplaceAll(bytes.TrimSpace(w.Body.Bytes()), []byte(`"RequestId":"709735fe-9e98-42cc-afedxxxx"`))
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("answer (-document +got):\n%s", diff)
	}
}

func TestWriteError(t *testing.T) {
	tests := map[string]struct {
		status        int
		code, message string
		want          string
	}{
		"Given":       {503, "Busy", "come back", "503 Receiver Busy come back"},
		"Standard":    {409, "LimitExceeded", "", "409 Sender LimitExceeded Request was rejected because the request speed of this openAPI is beyond the current flow control limit."},
		"Unavailable": {500, "ServiceUnavailable", "", "500 Receiver ServiceUnavailable OpenAPI or Service is unavailable because of an unknown error, exception or failure."},
		"NoService":   {404, "ServiceUnavailable", "", "404 Sender ServiceUnavailable Request was rejected because it referenced an 'InnerApi' that does not have an internal service"},
		"Timeout":     {500, "ServiceTimeout", "", "500 Receiver ServiceTimeout Internal Service is unavailable because of time out."},
		"Unknown":     {418, "Teapot", "", "418 Sender Teapot "},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			newBench(t, nil).WriteError(w, tc.status, tc.code, tc.message)
			if diff := cmp.Diff(tc.want, errorText(t, w)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
