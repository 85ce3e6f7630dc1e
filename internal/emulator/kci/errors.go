package kci

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// errorRow is a row of the table of common errors.
type errorRow struct {
	status       int
	code, format string
}

// apiError is an error as the API answers it.
type apiError struct {
	status        int
	code, message string
}

// with fills in the row's parameters.
func (r errorRow) with(args ...any) *apiError {
	return &apiError{r.status, r.code, fmt.Sprintf(r.format, args...)}
}

// The common errors (KCI document, "common errors"), word for word, odd quotes
// and grammar included.
var (
	missingHost     = errorRow{403, "MissingAuthenticationToken", "Request is missing 'Host' header."}
	missingToken    = errorRow{403, "MissingAuthenticationToken", "Request is missing Authentication Token."}
	missingHeader   = errorRow{403, "MissingAuthenticationToken", "%s not in Http Header."}
	hostNotSigned   = errorRow{403, "SignatureDoesNotMatch", "Host' must be a 'SignedHeader' in the Authorization."}
	wrongTerminator = errorRow{403, "SignatureDoesNotMatch",
		"Credential should be scoped with a valid terminator: 'aws4_request', not: %s."}
	wrongRegion    = errorRow{403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region, not:%s."}
	wrongService   = errorRow{403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: %s."}
	wrongSignature = errorRow{403, "SignatureDoesNotMatch",
		"The request signature we calculated does not match the signature you provided."}
	signatureExpired = errorRow{403, "SignatureDoesNotMatch", "Signature expired:%s."}
	wrongDate        = errorRow{403, "SignatureDoesNotMatch",
		"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."}
	invalidToken = errorRow{403, "InvalidClientTokenId", "The security token included in the request is invalid."}
	accessDenied = errorRow{403, "AccessDenied", "User: %s is not authorized to perform: %s."}
	badDate      = errorRow{400, "IncompleteSignature",
		"Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601."}
	missingQuery = errorRow{400, "IncompleteSignature",
		"KSC query-string parameters must include %s. Re-examine the query-string parameters."}
	unknownAlgorithm  = errorRow{400, "IncompleteSignature", "Unsupported ksc 'algorithm': %s."}
	missingCredential = errorRow{400, "IncompleteSignature", "Authorization header requires 'Credential' parameter. Authorization=%s."}
	badCredential     = errorRow{400, "IncompleteSignature",
		"Credential must have exactly 5 slash-delimited elements, e.g. accesskeyid/date/region/service/aws4_request, got: %s."}
	badAuthorization = errorRow{400, "IncompleteSignature", "Authorization header format error."}
	missingDate      = errorRow{400, "IncompleteSignature",
		"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header, Authorization=%s"}
	missingSignature = errorRow{400, "IncompleteSignature", "Authorization header requires 'Signature' parameter. Authorization=%s"}
	missingSigned    = errorRow{400, "IncompleteSignature", "Authorization header requires 'SignedHeaders' parameter. Authorization=%s"}
	exception        = errorRow{500, "ServiceUnavailable", "Exception %s"}
	authUnavailable  = errorRow{500, "ServiceUnavailable",
		"Auth Service is unavailable because of an unknown error, exception or failure"}
	noInternalService = errorRow{404, "ServiceUnavailable",
		"Request was rejected because it referenced an 'InnerApi' that does not have an internal service"}
	unavailable = errorRow{500, "ServiceUnavailable",
		"OpenAPI or Service is unavailable because of an unknown error, exception or failure."}
	dryRun        = errorRow{412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set"}
	noSuchEntity  = errorRow{404, "NoSuchEntity", "Request was rejected because it referenced an 'InnerApi' that does not exist."}
	limitExceeded = errorRow{409, "LimitExceeded",
		"Request was rejected because the request speed of this openAPI is beyond the current flow control limit."}
	invalidValue = errorRow{400, "InvalidParameterValue",
		"An invalid or out-of-range value was supplied for the input parameter %s."}
	invalidMethod    = errorRow{400, "InvalidMethod", "The method %s for is not valid for this web service."}
	missingParameter = errorRow{400, "MissingParameter", "An value must be supplied for the input parameter %s."}
	invalidQuery     = errorRow{400, "InvalidQueryParameter", "The query parameter %s is malformed or does not adhere to KSC standards."}
	serviceTimeout   = errorRow{500, "ServiceTimeout", "Internal Service is unavailable because of time out."}

	// tokenExpired is not in the table: Kingsoft's vpc-route-controller expects
	// this code with 400 when a temporary key has run out. The text is ours.
	tokenExpired = errorRow{400, "SecurityTokenExpired", "The security token included in the request is expired."}
)

// commonErrors is the whole table, in the document's order.
var commonErrors = []errorRow{
	missingHost, missingToken, missingHeader,
	hostNotSigned, wrongTerminator, wrongRegion, wrongService, wrongSignature, signatureExpired, wrongDate,
	invalidToken, accessDenied,
	badDate, missingQuery, unknownAlgorithm, missingCredential, badCredential, badAuthorization,
	missingDate, missingSignature, missingSigned,
	exception, authUnavailable, noInternalService, unavailable,
	dryRun, noSuchEntity, limitExceeded,
	invalidValue, invalidMethod, missingParameter, invalidQuery, serviceTimeout,
}

// standardMessage is the document's text for a code under a status, the most
// general one if there are several: the last that names nothing.
func standardMessage(status int, code string) string {
	message := ""
	for _, row := range commonErrors {
		if row.status == status && row.code == code && !strings.Contains(row.format, "%s") {
			message = row.format
		}
	}
	return message
}

// refuse is InvalidParameterValue for the parameter at path: why tells what
// would be right, and must not hold a secret.
func refuse(path, why string) *apiError {
	return invalidValue.with(shorten(path) + ": " + why)
}

// quote prepares a value for an error message.
func quote(value string) string { return strconv.Quote(shorten(value)) }

// shorten keeps what a caller sent from flooding an error message.
func shorten(s string) string {
	const limit = 200
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "..."
}

// errorAnswer is the body of an error (KCI document, "failed calls").
type errorAnswer struct {
	RequestID string      `json:"RequestId"`
	Error     errorDetail `json:"Error"`
}

type errorDetail struct {
	Type    string `json:"Type"`
	Code    string `json:"Code"`
	Message string `json:"Message"`
}

// WriteError answers a request with an error of the API's shape; it is what an
// injected fault uses. An empty message becomes the document's text for that
// status and code. Error.Type is Sender for 4xx; for 5xx it is Receiver, by
// analogy with AWS, since the document shows Sender only.
func (s *Server) WriteError(w http.ResponseWriter, status int, code, message string) {
	if message == "" {
		message = standardMessage(status, code)
	}
	kind := "Sender"
	if status >= http.StatusInternalServerError {
		kind = "Receiver"
	}
	s.write(w, status, &errorAnswer{uuid.NewString(), errorDetail{kind, code, message}})
}

// write sends an answer. The Date header follows the server's own clock, by
// which it also judges signatures, so that a client can correct its clock.
func (s *Server) write(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Date", s.options.Clock.Now().UTC().Format(http.TimeFormat))
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		return // the client is gone: no answer holds what JSON cannot say
	}
}
