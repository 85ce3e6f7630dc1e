package execstream

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The sub-protocols of Kubernetes' remote command
// (k8s.io/apimachinery/pkg/util/remotecommand), newest first.
const (
	protocolV5          = "v5.channel.k8s.io"
	protocolV4          = "v4.channel.k8s.io"
	protocolUnversioned = "channel.k8s.io"
)

// The channels of a message.
const (
	channelStdin byte = iota
	channelStdout
	channelStderr
	channelError
	channelResize
)

// channelClose is v5's signal that the channel named by the next byte ends.
const channelClose byte = 255

// exitCodeReason and exitCodeCause are the words in which Kubernetes wraps a
// non-zero exit code (k8s.io/apimachinery/pkg/util/remotecommand).
const (
	exitCodeReason metav1.StatusReason = "NonZeroExitCode"
	exitCodeCause  metav1.CauseType    = "ExitCode"
)

// framing is how the messages of one session look.
type framing struct {
	// prefixed is true if each message starts with its channel.
	prefixed bool
	// statusObject is true if the end is told as a metav1.Status.
	statusObject bool
	// closable is true if the client may end stdin.
	closable bool
	// greets is true if an empty stdout message opens the session, by which
	// Kubernetes' clients learn that the stream stands.
	greets bool
}

// framingOf returns the framing of a negotiated sub-protocol; "" is none.
func framingOf(protocol string, raw bool) framing {
	switch protocol {
	case protocolV5:
		return framing{prefixed: true, statusObject: true, closable: true, greets: true}
	case protocolV4:
		return framing{prefixed: true, statusObject: true, greets: true}
	case protocolUnversioned:
		return framing{prefixed: true, greets: true}
	default:
		return framing{prefixed: !raw}
	}
}

// message is the frame that carries payload on a channel.
func (f framing) message(channel byte, payload []byte) []byte {
	if !f.prefixed {
		return append([]byte(nil), payload...)
	}
	return append([]byte{channel}, payload...)
}

// result is the last message before the close, nil if there is nothing to tell.
// err is a failure to run the command at all.
func (f framing) result(exitCode int, err error) ([]byte, error) {
	switch {
	case f.statusObject:
		payload, jsonErr := json.Marshal(statusOf(exitCode, err))
		if jsonErr != nil {
			return nil, fmt.Errorf("encoding the status of a command: %w", jsonErr)
		}
		return f.message(channelError, payload), nil
	case err == nil && (exitCode == 0 || !f.prefixed):
		return nil, nil
	default:
		return f.message(channelError, []byte(endMessage(exitCode, err))), nil
	}
}

// endMessage tells in words that a command failed or could not run.
func endMessage(exitCode int, err error) string {
	if err != nil {
		return err.Error()
	}
	return exitMessage(exitCode)
}

// statusOf tells the end of a command as a kubelet does.
func statusOf(exitCode int, err error) metav1.Status {
	switch {
	case err != nil:
		return metav1.Status{
			Status:  metav1.StatusFailure,
			Reason:  metav1.StatusReasonInternalError,
			Message: err.Error(),
			Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Message: err.Error()}}},
			Code:    http.StatusInternalServerError,
		}
	case exitCode != 0:
		cause := metav1.StatusCause{Type: exitCodeCause, Message: strconv.Itoa(exitCode)}
		return metav1.Status{
			Status:  metav1.StatusFailure,
			Reason:  exitCodeReason,
			Message: exitMessage(exitCode),
			Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{cause}},
		}
	default:
		return metav1.Status{Status: metav1.StatusSuccess}
	}
}

// exitMessage is the kubelet's sentence on a non-zero exit code.
func exitMessage(exitCode int) string {
	return "command terminated with exit code " + strconv.Itoa(exitCode)
}
