package eci

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

// vendorCodes is the table of error codes. Sources: the error tables of
// CreateContainerGroup, DeleteContainerGroup and ExecContainerCommand in the
// API's metadata; rows marked "platform" are from the common error codes of all
// Alibaba Cloud APIs (help.aliyun.com 51132), those marked "ECS" from its
// idempotency page (25693), to which ECI refers.
var vendorCodes = map[string]cloudapi.Code{
	"EipPurchaseFlowControl":       cloudapi.CodeThrottled,
	"Rejected.Throttling":          cloudapi.CodeThrottled, // platform
	"Throttling.Vcpu.PerDay":       cloudapi.CodeQuota,     // a day's ration: no short wait helps
	"QuotaExceeded":                cloudapi.CodeQuota,
	"InvalidVSwitchId.IpNotEnough": cloudapi.CodeQuota,
	"DiskNumber.LimitExceed":       cloudapi.CodeQuota,
	"HighCpuMemConfigRequired":     cloudapi.CodeQuota,

	"OperationDenied.NoStock":                     cloudapi.CodeOutOfStock,
	"Zone.NotOnSale":                              cloudapi.CodeOutOfStock,
	"Spot.NotMatched":                             cloudapi.CodeOutOfStock,
	"FeatureBasedConstraintConflict":              cloudapi.CodeOutOfStock,
	"RecommendEmpty.InstanceTypeFamilyNotMatched": cloudapi.CodeOutOfStock,

	"OperationConflict":  cloudapi.CodeConflict,
	"IncorrectStatus":    cloudapi.CodeConflict,
	"IncorrectOperation": cloudapi.CodeConflict,

	"IdempotentParameterMismatch": cloudapi.CodeMismatch, // ECS

	"MissingParameter":                  cloudapi.CodeInvalid, // platform
	"RequestEntityTooLarge":             cloudapi.CodeInvalid, // platform
	"InstanceTypeNotMatchCpuArch":       cloudapi.CodeInvalid,
	"LocalDiskAmountNotMatch":           cloudapi.CodeInvalid,
	"DiskVolume.NotSupport":             cloudapi.CodeInvalid,
	"DiskVolume.NotInSameZone":          cloudapi.CodeInvalid,
	"RamRole.NotSupport":                cloudapi.CodeInvalid,
	"ImageSnapshot.NotSupport":          cloudapi.CodeInvalid,
	"ImageSnapshot.IncorrectStatus":     cloudapi.CodeInvalid,
	"Ipv6AddressNotSupport":             cloudapi.CodeInvalid,
	"Ipv6AddressNotSupportVsw":          cloudapi.CodeInvalid,
	"Ipv6AddressNotSupportInstanceType": cloudapi.CodeInvalid,
	"PrivatePoolInstanceSpotNotSupport": cloudapi.CodeInvalid,
	"PrivateIpAddress.Already.InUse":    cloudapi.CodeInvalid,

	"InvalidAccessKeyId":           cloudapi.CodeUnauthorized, // platform
	"InvalidAccessKeyId.NotFound":  cloudapi.CodeUnauthorized, // platform
	"InvalidAccessKeyId.Inactive":  cloudapi.CodeUnauthorized, // platform
	"SignatureDoesNotMatch":        cloudapi.CodeUnauthorized, // platform
	"IncompleteSignature":          cloudapi.CodeUnauthorized, // platform
	"MissingSecurityToken":         cloudapi.CodeUnauthorized, // platform
	"InvalidSecurityToken.Expired": cloudapi.CodeUnauthorized, // platform
	"InvalidTimeStamp.Expired":     cloudapi.CodeUnauthorized, // platform: our clock is wrong
	"InvalidTimeStamp.Format":      cloudapi.CodeUnauthorized, // platform

	// Only an operator can mend these: permissions, and a node configuration
	// that names the wrong region, endpoint, vSwitch or security group.
	"OperationDenied.VswZoneMisMatch":                cloudapi.CodeForbidden,
	"OperationDenied.SecurityGroupMisMatch":          cloudapi.CodeForbidden,
	"InvalidOperation.ResourceManagedByCloudProduct": cloudapi.CodeForbidden,
	"InvalidUser.PassRoleForbidden":                  cloudapi.CodeForbidden,
	"FeatureAccessRestricted":                        cloudapi.CodeForbidden,
	"CreateServiceLinkedRole.Denied":                 cloudapi.CodeForbidden,
	"InvalidParameter.KMS.KeyId.Forbidden":           cloudapi.CodeForbidden,
	"ServiceNotEnabled":                              cloudapi.CodeForbidden,
	"InvalidVSwitchId.NotFound":                      cloudapi.CodeForbidden,
	"InvalidSecurityGroupId.NotFound":                cloudapi.CodeForbidden,
	"InvalidRegionId.NotFound":                       cloudapi.CodeForbidden, // platform
	"InvalidAction.NotFound":                         cloudapi.CodeForbidden, // platform
	"InvalidVersion":                                 cloudapi.CodeForbidden, // platform
	"UnsupportedHTTPMethod":                          cloudapi.CodeForbidden, // platform

	"Account.Arrearage":                        cloudapi.CodePayment,
	"InvalidPaymentMethod.InsufficientBalance": cloudapi.CodePayment,
	"Payfor.CreditPayInsufficientBalance":      cloudapi.CodePayment,
	"EipPayInsufficientBalance":                cloudapi.CodePayment,
	"OperationFailed.RiskControl":              cloudapi.CodePayment,
	"Forbidden.UserBussinessStatus":            cloudapi.CodePayment,
	"Forbidden.UserNotRealNameAuthentication":  cloudapi.CodePayment,
	"Forbidden.RiskControl":                    cloudapi.CodePayment,
	"Forbidden.AccountClosed":                  cloudapi.CodePayment,
	"SecurityRisk.3DVerification":              cloudapi.CodePayment,

	"InternalError":      cloudapi.CodeUnavailable, // platform
	"ServiceUnavailable": cloudapi.CodeUnavailable, // platform
	// A repeated signature: a copy of the request got there first.
	"SignatureNonceUsed": cloudapi.CodeUnavailable, // platform
}

// vendorFamilies hold the codes that the tables list by their beginnings only,
// or of which new ones keep coming. The first that fits counts.
var vendorFamilies = []struct {
	prefix string
	code   cloudapi.Code
}{
	{"Throttling", cloudapi.CodeThrottled}, // gateway: Throttling.User, Throttling.Api, …
	{"QuotaExceeded.", cloudapi.CodeQuota},
	{"InvalidSecurityToken", cloudapi.CodeUnauthorized},
	{"NoPermission", cloudapi.CodeForbidden},
	{"Forbidden", cloudapi.CodeForbidden}, // Forbidden.RAM, Forbidden.SubUser, Forbidden.OnlyForInvitedTest
	{"InvalidParameter", cloudapi.CodeInvalid},
	{"InvalidParam.", cloudapi.CodeInvalid},
	{"InvalidInstanceType", cloudapi.CodeInvalid},
	{"InvalidSpot", cloudapi.CodeInvalid},
	{"InvalidOperation.KMS", cloudapi.CodeInvalid},
	{"JobInstance", cloudapi.CodeInvalid},
	{"InvalidDiskId", cloudapi.CodeInvalid},
	{"ImageSnapshot", cloudapi.CodeInvalid},
}

const notFoundSuffix = ".NotFound"

// codeOf classifies an error answer of an action. For all actions but the
// create, not found means the group; for the create it is something that the
// request names, which no repetition brings into being.
func codeOf(action, vendor string, status int) cloudapi.Code {
	if code, ok := vendorCodes[vendor]; ok {
		return code
	}
	gone := strings.HasSuffix(vendor, notFoundSuffix) || vendor != "" && status == http.StatusNotFound
	if gone && action != opCreate {
		return cloudapi.CodeNotFound
	}
	for _, family := range vendorFamilies {
		if strings.HasPrefix(vendor, family.prefix) {
			return family.code
		}
	}
	switch {
	case status == http.StatusTooManyRequests:
		return cloudapi.CodeThrottled
	case status >= 500:
		return cloudapi.CodeUnavailable
	case status == http.StatusUnauthorized:
		return cloudapi.CodeUnauthorized
	case status == http.StatusForbidden:
		return cloudapi.CodeForbidden
	case gone:
		return cloudapi.CodeInvalid
	}
	return cloudapi.CodeUnknown
}

// mayRepeat decides which failures of a call are repeated. What was throttled
// was not carried out. What failed or was lost may be repeated where twice is
// the same as once; a delete also waits for an earlier request to be done with
// the group.
func (c call) mayRepeat(err error) (again bool, after time.Duration) {
	var e *cloudapi.Error
	if !errors.As(err, &e) {
		return false, 0
	}
	switch e.Code {
	case cloudapi.CodeThrottled:
		again = true
	case cloudapi.CodeUnavailable:
		again = c.repeatable || !e.Uncertain
	case cloudapi.CodeConflict:
		again = c.action == opDelete
	default: // the caller decides
	}
	return again, e.RetryAfter
}

// refused makes an error of an error answer.
func (c call) refused(got reply, told errorAnswer) *cloudapi.Error {
	vendor := redact.Line(string(told.Code), nil)
	code := codeOf(c.action, vendor, got.status)
	return &cloudapi.Error{
		Op: c.action, Code: code, VendorCode: vendor, HTTPStatus: got.status,
		RequestID: redact.Line(string(told.RequestID), nil), Message: c.message(vendor, told),
		Uncertain:  c.writes && code == cloudapi.CodeUnavailable,
		RetryAfter: retryAfter(got.header),
	}
}

// message takes over the cloud's words, except those about a wrong signature:
// they quote what was signed, the security token included.
func (c call) message(vendor string, told errorAnswer) string {
	if strings.HasPrefix(vendor, "Signature") || strings.HasPrefix(vendor, "IncompleteSignature") {
		return "the cloud did not accept the signature"
	}
	return redact.Line(string(told.Message), c.secrets())
}

// unreadable makes an error of an answer that is not what it should be, such
// as a gateway's HTML page. Its status is kept and nothing else of it.
func (c call) unreadable(got reply, why string) *cloudapi.Error {
	code := cloudapi.CodeUnavailable
	if got.status == http.StatusTooManyRequests {
		code = cloudapi.CodeThrottled
	}
	return &cloudapi.Error{
		Op: c.action, Code: code, HTTPStatus: got.status,
		Message: fmt.Sprintf("unreadable answer of HTTP status %d and %d bytes: %s",
			got.status, len(got.body), why),
		Uncertain:  c.writes && code != cloudapi.CodeThrottled,
		RetryAfter: retryAfter(got.header),
	}
}

// broken makes an error of a request that got no answer. Before it had a
// connection nothing was sent, and the outcome is sure.
func (c call) broken(ctx context.Context, sent bool, cause error) *cloudapi.Error {
	e := &cloudapi.Error{Op: c.action, Code: cloudapi.CodeUnavailable, Uncertain: c.writes && sent, Err: cause}
	if ctx.Err() != nil {
		e.Code, e.Err = cloudapi.CodeCanceled, ctx.Err()
	}
	return e
}

// retryAfter reads how long the gateway wants us to wait: TimeLeft in
// milliseconds in its rate limit headers, or the standard header in seconds.
func retryAfter(header http.Header) time.Duration {
	var wait time.Duration
	for _, name := range []string{"x-ratelimit-user-api", "x-ratelimit-user"} {
		for part := range strings.SplitSeq(header.Get(name), ",") {
			key, value, _ := strings.Cut(part, ":")
			if ms, err := strconv.ParseInt(strings.TrimSpace(value), 10, 32); err == nil && strings.TrimSpace(key) == "TimeLeft" {
				wait = max(wait, time.Duration(ms)*time.Millisecond)
			}
		}
	}
	if seconds, err := strconv.ParseInt(header.Get("Retry-After"), 10, 16); err == nil {
		wait = max(wait, time.Duration(seconds)*time.Second)
	}
	return wait
}
