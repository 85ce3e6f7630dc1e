package eci

import (
	"errors"
	"fmt"
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// code is an error code with the HTTP status it is published with.
type code struct {
	name   string
	status int
}

// The codes this front answers with. The names come from the error tables of the
// ECI API reference (CreateContainerGroup, UpdateContainerGroup, Delete, Restart,
// Exec, TagResources) and from the gateway's common error codes; those marked
// "gateway" are not in ECI's own tables.
var (
	codeMissingParameter = code{"MissingParameter", 400}
	codeInvalidParameter = code{"InvalidParameter", 400}
	codeLengthExceeded   = code{"InvalidParameter.LengthExceeded", 400}
	codeValueExceeded    = code{"InvalidParameter.ValueExceeded", 400}
	codeDuplicatedName   = code{"InvalidParameter.DuplicatedName", 400}
	codeDuplicatedVolume = code{"InvalidParameter.DuplicatedVolumeName", 400}
	codeCPUMemory        = code{"InvalidParameter.CPU.Memory", 400}
	codeUpdateSize       = code{"InvalidParam.CpuOrMemorySpec", 400}
	codeInstanceType     = code{"InvalidInstanceTypeForEciBuy", 400}
	codeNotFound         = code{"InvalidParameter.NotFound", 404}
	codeIncorrectStatus  = code{"IncorrectStatus", 400}
	codeNoNeedUpdate     = code{"NoNeedUpdate", 400}
	codeTagCount         = code{"NumberExceed.Tags", 400}
	codeDryRun           = code{"DryRunOperation", 400}
	codeZone             = code{"Zone.NotOnSale", 403}
	codeDiskNotFound     = code{"InvalidDiskId.NotFound", 404}
	codeDiskNumber       = code{"DiskNumber.LimitExceed", 400}
	codeDiskNotSupport   = code{"DiskVolume.NotSupport", 400}
	codeKMSIllegal       = code{"InvalidParameter.KMS.EncryptedIllegal", 400}
	codeSnapshotNotFound = code{"ImageSnapshot.NotFound", 404}
	codeRestricted       = code{"FeatureAccessRestricted", 403}
	codeInvitedOnly      = code{"Forbidden.OnlyForInvitedTest", 403}
	codeForbidden        = code{"Forbidden.RAM", 403}
	codeRegion           = code{"InvalidRegionId.NotFound", 404}       // gateway
	codeAction           = code{"InvalidAction.NotFound", 404}         // gateway
	codeVersion          = code{"InvalidVersion", 400}                 // gateway
	codeMethod           = code{"UnsupportedHTTPMethod", 403}          // gateway
	codeTooLarge         = code{"RequestEntityTooLarge", 413}          // gateway
	codeMismatch         = code{"IdempotentParameterMismatch", 400}    // ECS, idempotency page
	codeIncompleteSign   = code{"IncompleteSignature", 400}            // gateway
	codeSignature        = code{"SignatureDoesNotMatch", 403}          // gateway
	codeTimestampExpired = code{"InvalidTimeStamp.Expired", 400}       // gateway
	codeTimestampFormat  = code{"InvalidTimeStamp.Format", 400}        // gateway
	codeNonceUsed        = code{"SignatureNonceUsed", 400}             // gateway
	codeKeyNotFound      = code{"InvalidAccessKeyId.NotFound", 404}    // gateway
	codeKeyInactive      = code{"InvalidAccessKeyId.Inactive", 403}    // gateway
	codeTokenMissing     = code{"MissingSecurityToken", 400}           // gateway
	codeTokenMalformed   = code{"InvalidSecurityToken.Malformed", 400} // gateway
	codeTokenExpired     = code{"InvalidSecurityToken.Expired", 400}   // gateway
	codeThrottled        = code{"Throttling.User", 400}                // gateway
	codeInternal         = code{"InternalError", 500}                  // gateway
)

// apiError is a refusal as it goes over the wire.
type apiError struct {
	code
	message string
	// retryAfter is when a throttled request may come again; 0 otherwise.
	retryAfter time.Duration
}

// Error implements error.
func (e *apiError) Error() string { return e.name + ": " + e.message }

// fail makes a refusal. The message names the parameter and what would be right,
// never a value that may be a secret.
func fail(c code, format string, args ...any) error {
	return &apiError{code: c, message: fmt.Sprintf(format, args...)}
}

// asAPIError turns any error into a refusal: the engine's errors by the table
// below, everything else into InternalError.
func asAPIError(err error) *apiError {
	var refusal *apiError
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.Is(err, engine.ErrNotFound):
		return &apiError{code: codeNotFound, message: "The specified container group does not exist."}
	case errors.Is(err, engine.ErrNoContainer):
		return &apiError{code: codeNotFound, message: "The specified container does not exist."}
	case errors.Is(err, engine.ErrState), errors.Is(err, engine.ErrNotRunning):
		return &apiError{code: codeIncorrectStatus,
			message: "The current status of the resource does not support this operation."}
	default:
		return &apiError{code: codeInternal, message: "The request processing has failed: " + err.Error()}
	}
}
