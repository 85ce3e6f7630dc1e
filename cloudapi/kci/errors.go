package kci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/internal/redact"
)

// repeat tells which calls may be made again after an error.
type repeat int

const (
	// repeatNever: the same call would fail again.
	repeatNever repeat = iota
	// repeatIdempotent: again, unless twice would be more than once.
	repeatIdempotent
	// repeatAlways: the call was refused before anything was done.
	repeatAlways
)

// verdict is what an error answer means.
type verdict struct {
	vendor string // the API's code; empty for any
	status int    // the HTTP status; 0 for any
	code   cloudapi.Code
	repeat repeat
}

// verdicts is the table of errors: (code, status) decide, for ServiceUnavailable
// comes with two. Unless noted, a row stands in the API document's table of
// common errors ("公共错误"), in its order. No source names a code of KCI's own,
// be it for quotas, stock, balance or an unknown group.
var verdicts = []verdict{
	{"MissingAuthenticationToken", 403, cloudapi.CodeUnauthorized, repeatNever},
	{"SignatureDoesNotMatch", 403, cloudapi.CodeUnauthorized, repeatNever}, // "expired": see Client.mend
	{"InvalidClientTokenId", 403, cloudapi.CodeUnauthorized, repeatNever},
	{"AccessDenied", 403, cloudapi.CodeForbidden, repeatNever},
	{"IncompleteSignature", 400, cloudapi.CodeUnauthorized, repeatNever},
	{"ServiceUnavailable", 500, cloudapi.CodeUnavailable, repeatIdempotent},
	{"ServiceUnavailable", 404, cloudapi.CodeUnavailable, repeatNever}, // no service behind the endpoint
	{"DryRunOperation", 412, cloudapi.CodeUnknown, repeatNever},        // never asked for
	// An unknown action, version or region; never an unknown group.
	{"NoSuchEntity", 404, cloudapi.CodeUnavailable, repeatNever},
	{"LimitExceeded", 409, cloudapi.CodeThrottled, repeatAlways},
	{"InvalidParameterValue", 400, cloudapi.CodeInvalid, repeatNever},
	{"InvalidMethod", 400, cloudapi.CodeUnavailable, repeatNever}, // as NoSuchEntity
	{"MissingParameter", 400, cloudapi.CodeInvalid, repeatNever},
	{"InvalidQueryParameter", 400, cloudapi.CodeInvalid, repeatNever},
	{"ServiceTimeout", 500, cloudapi.CodeUnavailable, repeatIdempotent},

	// Kingsoft's vpc-route-controller, pkg/http/kophttp.go: an expired STS token.
	{"SecurityTokenExpired", 400, cloudapi.CodeUnauthorized, repeatNever},
	// Kingsoft's Terraform provider, network/retryer.go, retries these.
	{"RequestTimeout", 0, cloudapi.CodeUnavailable, repeatIdempotent},
	{"RequestTimeoutException", 0, cloudapi.CodeUnavailable, repeatIdempotent},
	{"ErrCodeResponseTimeout", 0, cloudapi.CodeUnavailable, repeatIdempotent},
	// Kingsoft's old Python SDK, kscore/data/_retry.yaml.
	{"RequestLimitExceeded", 503, cloudapi.CodeThrottled, repeatAlways},
	{"Throttling", 0, cloudapi.CodeThrottled, repeatAlways},
	{"", 429, cloudapi.CodeThrottled, repeatAlways},
	{"", 509, cloudapi.CodeThrottled, repeatAlways},
	// Plain HTTP, from a gateway in between.
	{"", 401, cloudapi.CodeUnauthorized, repeatNever},
	{"", 403, cloudapi.CodeForbidden, repeatNever},
	{"", 408, cloudapi.CodeUnavailable, repeatIdempotent},
}

// judge looks an error up. An error inside an answer of status 2xx is known by
// its code alone. What no row lists is Unavailable if the server failed or
// nothing readable came, and Unknown if it refused.
func judge(vendor string, status int) verdict {
	inside := status >= 200 && status < 300
	for _, v := range verdicts {
		if v.covers(vendor, status, inside) {
			return v
		}
	}
	switch {
	case inside && vendor != "":
		return verdict{code: cloudapi.CodeUnknown, repeat: repeatIdempotent}
	case status >= 300 && status < 400: // redirects are not followed
		return verdict{code: cloudapi.CodeUnavailable, status: status, repeat: repeatNever}
	case status >= 400 && status < 500:
		return verdict{code: cloudapi.CodeUnknown, status: status, repeat: repeatNever}
	default:
		return verdict{code: cloudapi.CodeUnavailable, repeat: repeatIdempotent}
	}
}

// covers tells whether a row is about an error; inside that it came with a
// status of success, which says nothing then.
func (v verdict) covers(vendor string, status int, inside bool) bool {
	if v.vendor == "" {
		return v.status == status
	}
	return v.vendor == vendor && (inside || v.status == 0 || v.status == status)
}

// refused tells whether the row says that nothing was done.
func (v verdict) refused() bool {
	return v.repeat == repeatAlways || v.status >= 300 && v.status < 500 && v.status != http.StatusRequestTimeout
}

// mayRepeat decides, for one action, which errors the pacer repeats.
func mayRepeat(action string) func(err error) (bool, time.Duration) {
	return func(err error) (bool, time.Duration) {
		var e *cloudapi.Error
		passing := cloudapi.Is(err, cloudapi.CodeUnavailable, cloudapi.CodeThrottled, cloudapi.CodeUnknown)
		if !errors.As(err, &e) || !passing {
			return false, 0
		}
		switch judge(e.VendorCode, e.HTTPStatus).repeat {
		case repeatAlways:
			return true, e.RetryAfter
		case repeatIdempotent:
			return action != actionCreate && action != actionExec, e.RetryAfter
		default:
			return false, 0
		}
	}
}

// changes tells whether an action changes something, so that an answer that
// was lost leaves its outcome open. For exec no source tells whether the command
// starts with the call or with the socket.
func changes(action string) bool {
	return action == actionCreate || action == actionDelete || action == actionExec
}

// failed makes an error of an answer that states one, or nil. An error is
// stated by the status, by an Error object, or by a code of the old gateway.
func failed(rq request, got reply, head *envelope) *cloudapi.Error {
	vendor, message := string(head.Code), head.Message
	stated := vendor != "" && vendor != "0" && vendor != "200"
	if head.Error != nil && (head.Error.Code != "" || head.Error.Message != "") {
		vendor, message, stated = string(head.Error.Code), head.Error.Message, true
	}
	if got.ok() && !stated {
		return nil
	}
	if message == "" {
		message = head.CodeDesc
	}
	if message == "" && vendor == "" {
		message = "HTTP status " + http.StatusText(got.status)
	}
	v := judge(vendor, got.status)
	e := &cloudapi.Error{
		Op: rq.action, Code: v.code, VendorCode: clean(vendor, rq.secrets), HTTPStatus: got.status,
		RequestID: head.RequestID, Message: clean(message, rq.secrets),
		RetryAfter: retryAfter(got.header), Uncertain: changes(rq.action) && !v.refused(),
	}
	if vendor == "NoSuchEntity" && !inDocument(rq.action) {
		e.Code = cloudapi.CodeUnsupported // an action of the SDKs that this endpoint lacks
	}
	return e
}

// retryAfter reads the standard header, in seconds; no source says that KCI
// sends it. More than a minute is taken for a mistake.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, time.Minute)
}

// unreadable makes an error of an answer that is not what it should be.
func unreadable(rq request, got reply, why string) *cloudapi.Error {
	return &cloudapi.Error{
		Op: rq.action, Code: cloudapi.CodeUnavailable, HTTPStatus: got.status,
		Message: fmt.Sprintf("unreadable answer of %d bytes, type %q: %s",
			len(got.body), clean(got.header.Get("Content-Type"), nil), why),
		Uncertain: changes(rq.action),
	}
}

// broken makes an error of a request that got no answer. Before the first byte
// was written the outcome is sure: nothing was done.
func broken(ctx context.Context, rq request, sent bool, cause error) *cloudapi.Error {
	e := &cloudapi.Error{
		Op: rq.action, Code: cloudapi.CodeUnavailable, Uncertain: sent && changes(rq.action), Err: cause,
	}
	if ctx.Err() != nil {
		e.Code = cloudapi.CodeCanceled
	}
	return e
}

// saysGone tells whether a refusal says that there is no such group. The words
// are those that Kingsoft's Terraform provider looks for (ksyun/errors.go); no
// source names KCI's code. It is a hint only: Delete asks the cloud again.
func saysGone(e *cloudapi.Error) bool {
	if e.HTTPStatus < 400 || e.HTTPStatus >= 500 || e.Code == cloudapi.CodeUnavailable ||
		e.Code == cloudapi.CodeUnsupported {
		return false
	}
	text := strings.ToLower(e.VendorCode + " " + e.Message)
	text = strings.NewReplacer("_", "", "does not", "not", "doesn't", "not").Replace(text)
	for _, hint := range []string{"notfound", "not found", "notexist", "not exist"} {
		if strings.Contains(text, hint) {
			return true
		}
	}
	return false
}

// clean makes the cloud's words fit for logs and events: one line without the
// request's secrets, and without our own Authorization header, which some
// messages quote.
func clean(text string, secrets []string) string {
	if i := strings.Index(text, "Authorization="); i >= 0 {
		text = text[:i] + "Authorization=…"
	}
	return redact.Line(text, secrets)
}
