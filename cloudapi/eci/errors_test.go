package eci

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

func TestCodeOf(t *testing.T) {
	cases := map[string]struct {
		action, vendor string
		status         int
		want           cloudapi.Code
	}{
		"Throttling":           {opCreate, "Throttling", 400, cloudapi.CodeThrottled},
		"ThrottlingUser":       {opStatus, "Throttling.User", 400, cloudapi.CodeThrottled},
		"ThrottlingNew":        {opStatus, "Throttling.Concurrent", 503, cloudapi.CodeThrottled},
		"RejectedThrottling":   {opCreate, "Rejected.Throttling", 503, cloudapi.CodeThrottled},
		"EipFlow":              {opCreate, "EipPurchaseFlowControl", 400, cloudapi.CodeThrottled},
		"TooManyRequests":      {opStatus, "", 429, cloudapi.CodeThrottled},
		"VcpuPerDay":           {opCreate, "Throttling.Vcpu.PerDay", 403, cloudapi.CodeQuota},
		"Quota":                {opCreate, "QuotaExceeded", 403, cloudapi.CodeQuota},
		"QuotaKind":            {opCreate, "QuotaExceeded.Cpu", 403, cloudapi.CodeQuota},
		"NoAddresses":          {opCreate, "InvalidVSwitchId.IpNotEnough", 403, cloudapi.CodeQuota},
		"NoStock":              {opCreate, "OperationDenied.NoStock", 403, cloudapi.CodeOutOfStock},
		"Zone":                 {opCreate, "Zone.NotOnSale", 403, cloudapi.CodeOutOfStock},
		"TryLater":             {opCreate, "RecommendEmpty.InstanceTypeFamilyNotMatched", 400, cloudapi.CodeOutOfStock},
		"DeleteConflict":       {opDelete, "OperationConflict", 400, cloudapi.CodeConflict},
		"DeleteStatus":         {opDelete, "IncorrectStatus", 400, cloudapi.CodeConflict},
		"Mismatch":             {opCreate, "IdempotentParameterMismatch", 400, cloudapi.CodeMismatch},
		"BadSize":              {opCreate, "InvalidParameter.CPU.Memory", 400, cloudapi.CodeInvalid},
		"BadParameter":         {opLog, "InvalidParameter", 400, cloudapi.CodeInvalid},
		"Missing":              {opExec, "MissingParameter", 400, cloudapi.CodeInvalid},
		"SnapshotGone":         {opCreate, "ImageSnapshot.NotFound", 404, cloudapi.CodeInvalid},
		"DiskGone":             {opCreate, "InvalidDiskId.NotFound", 404, cloudapi.CodeInvalid},
		"UnlistedGoneOnCreate": {opCreate, "Something.NotFound", 404, cloudapi.CodeInvalid},
		"GroupGone":            {opDelete, "InvalidParameter.NotFound", 404, cloudapi.CodeNotFound},
		"GroupGoneByStatus":    {opDelete, "ContainerGroupUnknown", 404, cloudapi.CodeNotFound},
		"GroupGoneOnLog":       {opLog, "InvalidParameter.NotFound", 404, cloudapi.CodeNotFound},
		"NotGoneNoCode":        {opDelete, "", 404, cloudapi.CodeUnknown},
		"NotGoneRegion":        {opDelete, "InvalidRegionId.NotFound", 404, cloudapi.CodeForbidden},
		"NotGoneAction":        {opDelete, "InvalidAction.NotFound", 404, cloudapi.CodeForbidden},
		"NotGoneKey":           {opDelete, "InvalidAccessKeyId.NotFound", 404, cloudapi.CodeUnauthorized},
		"VSwitchGone":          {opCreate, "InvalidVSwitchId.NotFound", 404, cloudapi.CodeForbidden},
		"Signature":            {opCreate, "SignatureDoesNotMatch", 403, cloudapi.CodeUnauthorized},
		"TokenExpired":         {opCreate, "InvalidSecurityToken.Expired", 400, cloudapi.CodeUnauthorized},
		"TokenOdd":             {opCreate, "InvalidSecurityToken.Malformed", 400, cloudapi.CodeUnauthorized},
		"Clock":                {opCreate, "InvalidTimeStamp.Expired", 400, cloudapi.CodeUnauthorized},
		"RAM":                  {opCreate, "Forbidden.RAM", 403, cloudapi.CodeForbidden},
		"NoPermission":         {opCreate, "NoPermission", 400, cloudapi.CodeForbidden},
		"PassRole":             {opCreate, "InvalidUser.PassRoleForbidden", 403, cloudapi.CodeForbidden},
		"Debt":                 {opCreate, "Account.Arrearage", 400, cloudapi.CodePayment},
		"Closed":               {opCreate, "Forbidden.AccountClosed", 403, cloudapi.CodePayment},
		"Internal":             {opCreate, "InternalError", 500, cloudapi.CodeUnavailable},
		"Service":              {opStatus, "ServiceUnavailable", 503, cloudapi.CodeUnavailable},
		"Nonce":                {opCreate, "SignatureNonceUsed", 400, cloudapi.CodeUnavailable},
		"UnlistedServerError":  {opStatus, "SomethingNew", 502, cloudapi.CodeUnavailable},
		"Unlisted":             {opCreate, "SomethingNew", 400, cloudapi.CodeUnknown},
		"UnlistedForbidden":    {opCreate, "SomethingNew", 403, cloudapi.CodeForbidden},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := codeOf(tc.action, tc.vendor, tc.status); got != tc.want {
				t.Errorf("%s [%d] on %s is %s, want %s", tc.vendor, tc.status, tc.action, got, tc.want)
			}
		})
	}
}

func TestMayRepeat(t *testing.T) {
	reading := call{action: opStatus, repeatable: true}
	creating := call{action: opCreate, writes: true, repeatable: true}
	blind := call{action: opCreate, writes: true} // without a token
	deleting := call{action: opDelete, writes: true, repeatable: true}
	cases := map[string]struct {
		reason    string
		cl        call
		code      cloudapi.Code
		uncertain bool
		want      bool
	}{
		"Throttled":       {"nothing was done", blind, cloudapi.CodeThrottled, false, true},
		"ReadFailed":      {"reading twice is reading once", reading, cloudapi.CodeUnavailable, false, true},
		"CreateLost":      {"the token makes it one group", creating, cloudapi.CodeUnavailable, true, true},
		"BlindCreateLost": {"without a token it might be two", blind, cloudapi.CodeUnavailable, true, false},
		"BlindNotSent":    {"what was not sent was not done", blind, cloudapi.CodeUnavailable, false, true},
		"DeleteLost":      {"deleting what is gone is success", deleting, cloudapi.CodeUnavailable, true, true},
		"DeleteConflict":  {"an earlier request is under way", deleting, cloudapi.CodeConflict, false, true},
		"CreateConflict":  {"the caller decides", creating, cloudapi.CodeConflict, false, false},
		"Invalid":         {"it stays invalid", creating, cloudapi.CodeInvalid, false, false},
		"OutOfStock":      {"stock does not come back in seconds", creating, cloudapi.CodeOutOfStock, false, false},
		"Quota":           {"nor quota", creating, cloudapi.CodeQuota, false, false},
		"Unknown":         {"the caller decides", reading, cloudapi.CodeUnknown, false, false},
		"Canceled":        {"nobody waits any more", reading, cloudapi.CodeCanceled, false, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, after := tc.cl.mayRepeat(&cloudapi.Error{Code: tc.code, Uncertain: tc.uncertain, RetryAfter: time.Second})
			if got != tc.want || after != time.Second {
				t.Errorf("%s: again is %v after %v, want %v after the cloud's wish", tc.reason, got, after, tc.want)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for name, tc := range map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"None":     {http.Header{}, 0},
		"API":      {http.Header{"X-Ratelimit-User-Api": {"Limit:100,Remain:0,TimeLeft:1500,Reset:1"}}, 1500 * time.Millisecond},
		"Longer":   {http.Header{"X-Ratelimit-User-Api": {"TimeLeft:10"}, "X-Ratelimit-User": {"TimeLeft: 2000"}}, 2 * time.Second},
		"Standard": {http.Header{"Retry-After": {"3"}}, 3 * time.Second},
		"Nonsense": {http.Header{"Retry-After": {"soon"}, "X-Ratelimit-User": {"TimeLeft:x,,:"}}, 0},
	} {
		if got := retryAfter(tc.header); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestMessagesShowNoSecrets(t *testing.T) {
	value := func(s string) *string { return &s }
	cl := call{action: opCreate, parameters: map[string]*string{
		"Container.1.EnvironmentVar.1.Value":                   value("env-secret"),
		"InitContainer.1.EnvironmentVar.1.Value":               value("env-secret-longer"),
		"Volume.1.ConfigFileVolume.ConfigFileToPath.1.Content": value("ZmlsZS1zZWNyZXQ="),
		"ImageRegistryCredential.1.Password":                   value("pull-secret"),
		"Tag.1.Value":                                          value("tag-value"),
		"ContainerGroupName":                                   value("name"),
	}}
	told := errorAnswer{Code: "InvalidParameter", Message: "name, tag-value: env-secret\nand env-secret-longer and\tZmlsZS1zZWNyZXQ= and pull-secret " + text(strings.Repeat("x", 600))}
	got := cl.refused(reply{status: 400}, told).Message
	want := "name, tag-value: … and … and … and … "
	if !strings.HasPrefix(got, want) || len([]rune(got)) != 501 || !strings.HasSuffix(got, "x…") {
		t.Errorf("message is %q, want %q and 501 characters in all", got, want)
	}
	exec := call{action: opExec, parameters: map[string]*string{"Command": value(`["login","s3cret"]`)}}
	if got := exec.refused(reply{status: 400}, errorAnswer{Message: `Command ["login","s3cret"] is bad`}).Message; got != "Command … is bad" {
		t.Errorf("message is %q, want it without the command", got)
	}
	signed := cl.refused(reply{status: 403}, errorAnswer{Code: "SignatureDoesNotMatch", Message: "server string to sign is:POST\nx-acs-security-token:t0ken"})
	if strings.Contains(signed.Error(), "t0ken") {
		t.Errorf("%v shows the security token", signed)
	}
}

func TestEndpoints(t *testing.T) {
	cases := map[string]struct {
		options Options
		want    string
		wantErr string
	}{
		"Public":          {options: Options{Region: "cn-hangzhou"}, want: "https://eci.cn-hangzhou.aliyuncs.com"},
		"VPC":             {options: Options{Region: "cn-hangzhou", Network: "vpc"}, want: "https://eci-vpc.cn-hangzhou.aliyuncs.com"},
		"FinanceShanghai": {options: Options{Region: "cn-shanghai-finance-1"}, want: "https://eci.cn-shanghai-finance.aliyuncs.com"},
		"FinanceShenzhen": {options: Options{Region: "cn-shenzhen-finance-1"}, want: "https://eci.cn-shenzhen-finance.aliyuncs.com"},
		"FinanceBeijing":  {options: Options{Region: "cn-beijing-finance-1"}, want: "https://eci.cn-beijing-finance-1.aliyuncs.com"},
		"Given":           {options: Options{Region: "x", Endpoint: "https://eci.example.com:8443/"}, want: "https://eci.example.com:8443/"},
		"Loopback":        {options: Options{Region: "x", Endpoint: "http://127.0.0.1:9000"}, want: "http://127.0.0.1:9000"},
		"Loopback6":       {options: Options{Region: "x", Endpoint: "http://[::1]:9000"}, want: "http://[::1]:9000"},
		"Plain":           {options: Options{Endpoint: "http://eci.example.com"}, wantErr: "must use https: plain http is allowed to a loopback address only"},
		"PlainTrick":      {options: Options{Endpoint: "http://127.0.0.1.example.com"}, wantErr: "must use https"},
		"NoScheme":        {options: Options{Endpoint: "eci.example.com"}, wantErr: "must be a URL of scheme and host"},
		"Query":           {options: Options{Endpoint: "https://eci.example.com/?x=1"}, wantErr: "must be a URL of scheme and host"},
		"User":            {options: Options{Endpoint: "https://a:b@eci.example.com"}, wantErr: "must be a URL of scheme and host"},
		"OtherScheme":     {options: Options{Endpoint: "ftp://eci.example.com"}, wantErr: `scheme "ftp"`},
		"Network":         {options: Options{Region: "cn-hangzhou", Network: "lan"}, wantErr: `network is "lan"; it must be public or vpc`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := endpointOf(tc.options)
			switch {
			case tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)):
				t.Errorf("error %v, want one with %q", err, tc.wantErr)
			case tc.wantErr == "" && (err != nil || got.String() != tc.want):
				t.Errorf("got %v (%v), want %s", got, err, tc.want)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	wide, narrow := Limits("cn-hangzhou"), Limits("eu-central-1")
	row := func(l cloudapi.Limits, cpu float64) []float64 {
		for _, s := range l.Sizes {
			if s.CPU == cpu {
				return s.Memory
			}
		}
		return nil
	}
	cases := map[string]struct {
		limits cloudapi.Limits
		cpu    float64
		want   []float64
	}{
		"Everywhere2": {narrow, 2, []float64{1, 2, 4, 8, 16}},
		"Wide2":       {wide, 2, []float64{1, 2, 4, 6, 8, 10, 12, 14, 16}},
		"Everywhere6": {narrow, 6, nil},
		"Wide4":       {wide, 4, []float64{2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32}},
		"Wide64":      {wide, 64, []float64{128, 256, 512}},
		"Small":       {narrow, 0.25, []float64{0.5, 1}},
	}
	for name, tc := range cases {
		if diff := cmp.Diff(tc.want, row(tc.limits, tc.cpu)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if n := len(row(wide, 6)); n != 22 { // even numbers from 6 to 48
		t.Errorf("6 cores come with %d sizes of memory, want 22", n)
	}
	if n := len(row(wide, 8)); n != 30 { // even numbers from 10 to 62, and 4, 8, 64
		t.Errorf("8 cores come with %d sizes of memory, want 30", n)
	}
	if len(wide.Sizes) != 14 || len(narrow.Sizes) != 13 {
		t.Errorf("%d and %d rows, want 14 and 13", len(wide.Sizes), len(narrow.Sizes))
	}
	for _, l := range []cloudapi.Limits{wide, narrow} {
		for i, s := range l.Sizes {
			for j := range s.Memory {
				if i > 0 && l.Sizes[i-1].CPU >= s.CPU || j > 0 && s.Memory[j-1] >= s.Memory[j] {
					t.Errorf("sizes are not ascending at %v cores: %v", s.CPU, s.Memory)
				}
			}
		}
	}
}

// TestRatesKeepToTheQuotas: what a bucket lets pass in any 60 seconds is its
// burst and what flows in meanwhile.
func TestRatesKeepToTheQuotas(t *testing.T) {
	perMinute := map[string]float64{
		"CreateContainerGroup": 100 + 60*20, "DeleteContainerGroup": 100 + 60*20,
		"DescribeContainerGroups": 2000, "DescribeContainerGroupStatus": 10000, "DescribeContainerLog": 500,
		"ExecContainerCommand": 500, "DescribeMultiContainerGroupMetric": 2000,
	}
	for _, scale := range []float64{1, 0.5, 0.1, 100} {
		got := rates(scale)
		for action, quota := range perMinute {
			r := got[action]
			if most := float64(r.Burst) + 60*r.PerSecond; most > scale*quota+0.001 || most < scale*quota*0.95 {
				t.Errorf("%s at scale %v: %v calls in a minute, want %v", action, scale, most, scale*quota)
			}
		}
	}
}
