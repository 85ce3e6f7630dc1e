package kci

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cumulet/cumulet/cloudapi"
)

// Every row of the document's table of common errors, and what HTTP itself may
// add. againRead and againCreate tell whether the pacer makes the call again;
// open tells whether a create may have been carried out all the same.
func TestVerdicts(t *testing.T) {
	type want struct {
		code                         cloudapi.Code
		againRead, againCreate, open bool
	}
	refused := func(code cloudapi.Code) want { return want{code: code} }
	broken := want{cloudapi.CodeUnavailable, true, false, true}
	throttled := want{cloudapi.CodeThrottled, true, true, false}
	cases := map[string]struct {
		vendor string
		status int
		want   want
	}{
		"MissingAuthenticationToken": {"MissingAuthenticationToken", 403, refused(cloudapi.CodeUnauthorized)},
		"SignatureDoesNotMatch":      {"SignatureDoesNotMatch", 403, refused(cloudapi.CodeUnauthorized)},
		"InvalidClientTokenId":       {"InvalidClientTokenId", 403, refused(cloudapi.CodeUnauthorized)},
		"AccessDenied":               {"AccessDenied", 403, refused(cloudapi.CodeForbidden)},
		"IncompleteSignature":        {"IncompleteSignature", 400, refused(cloudapi.CodeUnauthorized)},
		"ServiceUnavailable":         {"ServiceUnavailable", 500, broken},
		"ServiceUnavailable404":      {"ServiceUnavailable", 404, refused(cloudapi.CodeUnavailable)},
		"DryRunOperation":            {"DryRunOperation", 412, want{cloudapi.CodeUnknown, false, false, false}},
		"NoSuchEntity":               {"NoSuchEntity", 404, refused(cloudapi.CodeUnavailable)},
		"LimitExceeded":              {"LimitExceeded", 409, throttled},
		"InvalidParameterValue":      {"InvalidParameterValue", 400, refused(cloudapi.CodeInvalid)},
		"InvalidMethod":              {"InvalidMethod", 400, refused(cloudapi.CodeUnavailable)},
		"MissingParameter":           {"MissingParameter", 400, refused(cloudapi.CodeInvalid)},
		"InvalidQueryParameter":      {"InvalidQueryParameter", 400, refused(cloudapi.CodeInvalid)},
		"ServiceTimeout":             {"ServiceTimeout", 500, broken},
		"SecurityTokenExpired":       {"SecurityTokenExpired", 400, refused(cloudapi.CodeUnauthorized)},
		"RequestTimeout":             {"RequestTimeout", 500, broken},
		"RequestLimitExceeded":       {"RequestLimitExceeded", 503, throttled},
		"Throttling":                 {"Throttling", 400, throttled},
		"Plain401":                   {"", 401, refused(cloudapi.CodeUnauthorized)},
		"Plain403":                   {"", 403, refused(cloudapi.CodeForbidden)},
		"Plain404":                   {"", 404, refused(cloudapi.CodeUnknown)},
		"Plain408":                   {"", 408, broken},
		"Plain429":                   {"", 429, throttled},
		"Plain502":                   {"", 502, broken},
		"Plain509":                   {"", 509, throttled},
		"Redirect":                   {"", 302, refused(cloudapi.CodeUnavailable)},
		"UnlistedRefusal":            {"KciQuota", 400, refused(cloudapi.CodeUnknown)},
		"UnlistedFailure":            {"KciBroken", 500, broken},
		"TimeoutInside200":           {"ServiceTimeout", 200, broken},
		"InvalidInside200":           {"InvalidParameterValue", 200, refused(cloudapi.CodeInvalid)},
		"UnlistedInside200":          {"KciOther", 200, want{cloudapi.CodeUnknown, true, false, true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			head := &envelope{Error: &wireError{Code: scalar(tc.vendor), Message: "m"}}
			e := failed(request{action: actionCreate}, reply{status: tc.status}, head)
			var got want
			got.code, got.open = e.Code, e.Uncertain
			got.againRead, _ = mayRepeat(actionDescribe)(e)
			got.againCreate, _ = mayRepeat(actionCreate)(e)
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
			if deleting := failed(request{action: actionDelete}, reply{status: tc.status}, head); deleting.Code == cloudapi.CodeNotFound {
				t.Error("an error alone must not say that a group is gone")
			}
		})
	}
}

func TestFailed(t *testing.T) {
	cases := map[string]struct {
		action, body string
		status       int
		header       http.Header
		secrets      []string
		want         *cloudapi.Error
	}{
		"TheDocumentsExample": {
			action: actionDescribe, status: 400,
			body: `{"RequestId":"68093a99-2f63-4f39-8f70-3047ab8ecb5b","Error":{"Type":"Sender","Code":"InvalidParameterValue",` +
				`"Message":"An invalid or out-of-range value was supplied for the input parameter PathPrefix."}}`,
			want: &cloudapi.Error{
				Op: "DescribeContainerGroup", Code: cloudapi.CodeInvalid, VendorCode: "InvalidParameterValue", HTTPStatus: 400,
				RequestID: "68093a99-2f63-4f39-8f70-3047ab8ecb5b",
				Message:   "An invalid or out-of-range value was supplied for the input parameter PathPrefix.",
			},
		},
		"OldShape": {
			action: actionDescribe, status: 500, body: `{"RequestID":"r","code":500,"message":"it broke","codeDesc":"Inner"}`,
			want: &cloudapi.Error{Op: "DescribeContainerGroup", Code: cloudapi.CodeUnavailable, VendorCode: "500", HTTPStatus: 500, RequestID: "r", Message: "it broke"},
		},
		"OldShapeInside200": {
			action: actionDelete, status: 200, body: `{"code":"Inner","codeDesc":"it broke"}`,
			want: &cloudapi.Error{Op: "DeleteContainerGroup", Code: cloudapi.CodeUnknown, VendorCode: "Inner", HTTPStatus: 200, Message: "it broke", Uncertain: true},
		},
		"ErrorIsAText": {
			action: actionDescribe, status: 200, body: `{"Error":"it broke"}`,
			want: &cloudapi.Error{Op: "DescribeContainerGroup", Code: cloudapi.CodeUnavailable, HTTPStatus: 200, Message: "it broke"},
		},
		"HTML": {
			action: actionCreate, status: 502, body: `<html><body>Bad Gateway</body></html>`,
			want: &cloudapi.Error{Op: "CreateContainerGroup", Code: cloudapi.CodeUnavailable, HTTPStatus: 502, Message: "HTTP status Bad Gateway", Uncertain: true},
		},
		"RetryAfter": {
			action: actionCreate, status: 409, body: `{"Error":{"Code":"LimitExceeded","Message":"slow"}}`, header: http.Header{"Retry-After": {"7"}},
			want: &cloudapi.Error{Op: "CreateContainerGroup", Code: cloudapi.CodeThrottled, VendorCode: "LimitExceeded", HTTPStatus: 409,
				Message: "slow", RetryAfter: 7 * time.Second},
		},
		"RetryAfterTooLong": {
			action: actionCreate, status: 409, body: `{"Error":{"Code":"LimitExceeded","Message":"slow"}}`, header: http.Header{"Retry-After": {"86400"}},
			want: &cloudapi.Error{Op: "CreateContainerGroup", Code: cloudapi.CodeThrottled, VendorCode: "LimitExceeded", HTTPStatus: 409,
				Message: "slow", RetryAfter: time.Minute},
		},
		"ActionOfTheSDKsOnly": {
			action: actionExec, status: 404, body: `{"Error":{"Code":"NoSuchEntity","Message":"no"}}`,
			want: &cloudapi.Error{Op: "ExecContainerCommand", Code: cloudapi.CodeUnsupported, VendorCode: "NoSuchEntity", HTTPStatus: 404, Message: "no"},
		},
		"QuotesSecrets": {
			action: actionCreate, status: 400, secrets: []string{"hunter2", "hunter2-long"},
			body: `{"Error":{"Code":"InvalidParameterValue","Message":"bad value hunter2-long,\nhunter2"}}`,
			want: &cloudapi.Error{Op: "CreateContainerGroup", Code: cloudapi.CodeInvalid, VendorCode: "InvalidParameterValue", HTTPStatus: 400,
				Message: "bad value …, …"},
		},
		"QuotesOurHeader": {
			action: actionDescribe, status: 400,
			body: `{"Error":{"Code":"IncompleteSignature","Message":"Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256 Credential=AK"}}`,
			want: &cloudapi.Error{Op: "DescribeContainerGroup", Code: cloudapi.CodeUnauthorized, VendorCode: "IncompleteSignature", HTTPStatus: 400,
				Message: "Authorization header requires 'Signature' parameter. Authorization=…"},
		},
		"Success":           {action: actionDelete, status: 200, body: `{"RequestId":"r"}`},
		"SuccessNullError":  {action: actionDelete, status: 200, body: `{"RequestId":"r","Error":null,"Code":null}`},
		"SuccessEmptyError": {action: actionDelete, status: 200, body: `{"RequestId":"r","Error":{},"Code":0}`},
		"SuccessCode200":    {action: actionDelete, status: 200, body: `{"RequestId":"r","code":200,"message":"ok"}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var head envelope
			_ = decode([]byte(tc.body), &head)
			got := failed(request{action: tc.action, secrets: tc.secrets}, reply{status: tc.status, header: tc.header}, &head)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBroken(t *testing.T) {
	cause := errors.New("connection reset")
	cases := map[string]struct {
		ended  bool
		action string
		sent   bool
		want   cloudapi.Error
	}{
		"CreateNotSent":  {false, actionCreate, false, cloudapi.Error{Op: actionCreate, Code: cloudapi.CodeUnavailable}},
		"CreateSent":     {false, actionCreate, true, cloudapi.Error{Op: actionCreate, Code: cloudapi.CodeUnavailable, Uncertain: true}},
		"ReadSent":       {false, actionDescribe, true, cloudapi.Error{Op: actionDescribe, Code: cloudapi.CodeUnavailable}},
		"CreateCanceled": {true, actionCreate, true, cloudapi.Error{Op: actionCreate, Code: cloudapi.CodeCanceled, Uncertain: true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tc.ended {
				cancel()
			}
			got := broken(ctx, request{action: tc.action}, tc.sent, cause)
			if diff := cmp.Diff(&tc.want, got, cmpopts.IgnoreFields(cloudapi.Error{}, "Err")); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if !errors.Is(got, cause) {
				t.Error("the cause is lost")
			}
		})
	}
}

func TestSaysGone(t *testing.T) {
	cases := map[string]struct {
		vendor, message string
		status          int
		want            bool
	}{
		"Message":         {"InvalidParameterValue", "ContainerGroup g does not exist", 400, true},
		"NotFoundMessage": {"InvalidParameterValue", "container group not found", 400, true},
		"Code":            {"ContainerGroupNotFound", "", 404, true},
		"CodeInCapitals":  {"RESOURCE_NOT_FOUND", "", 400, true},
		"DoesNotExist":    {"InstanceDoesNotExist", "", 400, true},
		"Other":           {"InvalidParameterValue", "An invalid value was supplied", 400, false},
		"NoSuchEntity":    {"NoSuchEntity", "Request was rejected because it referenced an 'InnerApi' that does not exist.", 404, false},
		"NoService":       {"ServiceUnavailable", "referenced an 'InnerApi' that does not have an internal service; not found", 404, false},
		"Failure":         {"ServiceUnavailable", "Exception: host not found", 500, false},
		"PlainNotFound":   {"", "HTTP status Not Found", 404, true}, // asked again, as all of these
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			head := &envelope{Error: &wireError{Code: scalar(tc.vendor), Message: tc.message}}
			if got := saysGone(failed(request{action: actionDelete}, reply{status: tc.status}, head)); got != tc.want {
				t.Errorf("saysGone = %v, want %v", got, tc.want)
			}
		})
	}
}

func TestCleanBoundsText(t *testing.T) {
	if got := clean(strings.Repeat("é", 600), nil); got != strings.Repeat("é", 500)+"…" {
		t.Errorf("%d bytes: %q", len(got), got)
	}
	if got := clean("a\x00b\xffc\r\nd", nil); got != "a b?c  d" {
		t.Errorf("got %q", got)
	}
}
