package wsexec

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"

	"github.com/cumulet/cumulet/cloudapi"
)

// outcome is how the command ended, or why it did not run.
type outcome struct {
	exitCode int
	err      error
}

// exitText finds the exit code in the sentence that the unversioned protocol
// has instead of a status.
var exitText = regexp.MustCompile(`exit code:? (-?\d+)`)

func oneByte(b byte) *bytes.Reader { return bytes.NewReader([]byte{b}) }

// parseOutcome reads the text of the error channel: a metav1.Status in JSON
// or a sentence. Empty text says nothing: servers open the channel with it.
func parseOutcome(text []byte) *outcome {
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 {
		return nil
	}
	var status metav1.Status
	if trimmed[0] == '{' && json.Unmarshal(trimmed, &status) == nil && status.Status != "" {
		return fromStatus(status)
	}
	if found := exitText.FindAllSubmatch(trimmed, -1); found != nil {
		if code, err := strconv.Atoi(string(found[len(found)-1][1])); err == nil {
			return &outcome{exitCode: code}
		}
	}
	return failed(cloudapi.CodeUnavailable, strings.ToValidUTF8(string(trimmed), "?"))
}

func fromStatus(status metav1.Status) *outcome {
	if status.Status == metav1.StatusSuccess {
		return &outcome{}
	}
	if status.Reason == remotecommand.NonZeroExitCodeReason && status.Details != nil {
		for _, cause := range status.Details.Causes {
			if cause.Type != remotecommand.ExitCodeCauseType {
				continue
			}
			if code, err := strconv.Atoi(cause.Message); err == nil {
				return &outcome{exitCode: code}
			}
		}
	}
	return failed(statusCode(status.Code), status.Message)
}

func statusCode(status int32) cloudapi.Code {
	switch status {
	case http.StatusNotFound:
		return cloudapi.CodeNotFound
	case http.StatusBadRequest:
		return cloudapi.CodeInvalid
	default:
		return cloudapi.CodeUnavailable
	}
}

func failed(code cloudapi.Code, message string) *outcome {
	return &outcome{err: &cloudapi.Error{Op: Op, Code: code,
		Message: "the command could not be run: " + message, Uncertain: true}}
}
