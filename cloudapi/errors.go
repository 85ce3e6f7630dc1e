package cloudapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Code is the class of a cloud error: a closed set. Callers decide by code,
// never by text.
type Code string

// The codes, each with what a caller does about it.
const (
	// CodeNotFound: the group is not there. For a delete that is success.
	CodeNotFound Code = "NotFound"
	// CodeInvalid: the request can never succeed as it is.
	CodeInvalid Code = "Invalid"
	// CodeThrottled: too many requests; wait and repeat.
	CodeThrottled Code = "Throttled"
	// CodeQuota: the account's quota is used up; repeat slowly.
	CodeQuota Code = "Quota"
	// CodeOutOfStock: the cloud has no machine of this size here and now.
	CodeOutOfStock Code = "OutOfStock"
	// CodeConflict: the group is in a state that forbids this now; repeat.
	CodeConflict Code = "Conflict"
	// CodeMismatch: the idempotency token was used with another request.
	CodeMismatch Code = "Mismatch"
	// CodeUnauthorized: credentials are missing, wrong or expired.
	CodeUnauthorized Code = "Unauthorized"
	// CodeForbidden: the account may not do this; an operator must act.
	CodeForbidden Code = "Forbidden"
	// CodePayment: the account owes money or is locked.
	CodePayment Code = "Payment"
	// CodeUnavailable: the cloud failed, timed out or could not be reached.
	CodeUnavailable Code = "Unavailable"
	// CodeCanceled: our own context ended.
	CodeCanceled Code = "Canceled"
	// CodeUnsupported: this cloud has no way to do this.
	CodeUnsupported Code = "Unsupported"
	// CodeUnknown: an answer that no table lists. Treated as transient.
	CodeUnknown Code = "Unknown"
)

// Error is the one error type of this package and its adapters.
type Error struct {
	Code Code
	// Op is the cloud's action, such as CreateContainerGroup.
	Op string
	// VendorCode, HTTPStatus and RequestID are the cloud's own.
	VendorCode string
	HTTPStatus int
	RequestID  string
	Message    string
	// Uncertain is true when the request may have been carried out all the
	// same: the connection broke, the answer was lost or unreadable.
	Uncertain bool
	// RetryAfter is the cloud's own wish; 0 if it has none.
	RetryAfter time.Duration
	// Err is the cause, if there is one below.
	Err error
}

// Error reads "CreateContainerGroup: Throttled: Throttling.User: … (request …)".
func (e *Error) Error() string {
	parts := []string{e.Op, string(e.Code)}
	if e.VendorCode != "" {
		parts = append(parts, e.VendorCode)
	}
	if e.Message != "" {
		parts = append(parts, e.Message)
	} else if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	text := strings.Join(parts, ": ")
	if e.RequestID != "" {
		text = fmt.Sprintf("%s (request %s)", text, e.RequestID)
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Stable is the error's text without request id, so that equal failures make
// equal events.
func (e *Error) Stable() string {
	c := *e
	c.RequestID = ""
	return c.Error()
}

// CodeOf returns the code of the first *Error in err's chain, or CodeUnknown.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeUnknown
}

// Is tells whether err is an *Error with one of these codes.
func Is(err error, codes ...Code) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	return slices.Contains(codes, e.Code)
}

// Terminal tells whether repeating the same create is pointless: only another
// pod could succeed.
func Terminal(err error) bool {
	return Is(err, CodeInvalid, CodeUnsupported)
}
