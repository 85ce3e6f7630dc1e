package kci

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const vectorBody = "Action=DescribeContainerGroup&ContainerGroupId.1=9f0c0be6-f6fe-4e29-af1a-000000000001&Version=2020-07-02"

// vectorRequest is the request that the SigV4 vectors sign.
func vectorRequest(signed, signature string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "https://kci.cn-beijing-6.api.ksyun.com/", strings.NewReader(vectorBody))
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Amz-Date", "20201010T035504Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKTEST/20201010/cn-beijing-6/kci/aws4_request, SignedHeaders="+
		signed+", Signature="+signature)
	return r
}

// TestVectors checks signatures that the AWS signers named made.
func TestVectors(t *testing.T) {
	tests := map[string]struct{ reason, signed, signature, token string }{
		"AWSv2": {
			reason: "aws-sdk-go-v2 v1.47.7", signed: "accept;content-length;content-type;host;x-amz-date",
			signature: "51052c0fd4e59b16e82a9c4661d10a3788feb99cdd7ab397f90e7f8c5901f161",
		},
		"AWSv1": {
			reason: "aws-sdk-go v1.44.320", signed: "accept;content-type;host;x-amz-date",
			signature: "e38227446fbe5ffc2787a7700bd828385a8da9028b02cfb1529c7a20972ead53",
		},
		"HostTwice": {
			reason: "aws-sdk-go v1.44.320, as Kingsoft's Go SDK calls it", signed: "accept;content-type;host;host;x-amz-date",
			signature: "d4ba40bc513ae28230d0a017a75c54afc47c412caa4428793e0cfdbbecd7b7cd",
		},
		"SignedToken": {
			reason: "aws-sdk-go-v2 with a security token", token: "TOKEN",
			signed:    "accept;content-length;content-type;host;x-amz-date;x-ksc-security-token",
			signature: "74db6d800ee2fc17636b44d26a27b0d64b23935970d8b984318bc5e0358c7ba7",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(o *Options) { o.Keys[0].SecurityToken = tc.token })
			for _, signature := range []string{tc.signature, strings.Repeat("0", 64)} {
				r := vectorRequest(tc.signed, signature)
				if tc.token != "" {
					r.Header.Set("X-Ksc-Security-Token", tc.token)
				}
				w := httptest.NewRecorder()
				b.ServeHTTP(w, r)
				if good := signature == tc.signature; good != (w.Code == http.StatusOK) {
					t.Errorf("%s: signature %s: got %d %s", tc.reason, signature, w.Code, w.Body)
				}
			}
		})
	}
}

// TestSimplifiedVectors checks the simplified signature against the vector of
// Kingsoft's Node SDK and one for KCI.
func TestSimplifiedVectors(t *testing.T) {
	tests := map[string]struct {
		secret string
		params []param
		want   string
	}{
		"NodeSDK": {
			secret: "SKKKKK==",
			params: []param{
				{"Boolean", "true"}, {"Accesskey", "AKKKKKK"}, {"Service", "iam"}, {"Action", "CreateUser"},
				{"Version", "2015-11-01"}, {"Timestamp", "2021-08-12T02:47:36Z"}, {"SignatureVersion", "1"},
				{"SignatureMethod", "HMAC-SHA256"}, {"UserName", "Ttest"}, {"RealName", "周四测试"},
				{"Email", "zsce@aa.com"}, {"Remark", "~ce shi*%#|+"}, {"Array[0]", "1"}, {"Array[1]", "2"},
				{"Array[2]", "3"}, {"SimpleFilter.1", "1"}, {"SimpleFilter.2", "2"}, {"DeepFilter.1.a", "1"},
				{"DeepFilter.1.b", "2"}, {"DeepFilter.2.a", "2"}, {"DeepFilter.2.b", "3"}, {"Signature", "not signed"},
			},
			want: "f99dc36bc6cd84dbb3148a402df6fc1ad9891a26dca42315b831551f5ae92620",
		},
		"KCI": {
			secret: testSecret,
			params: []param{
				{"Version", "2020-07-02"}, {"Accesskey", "AKTEST"}, {"Action", "DescribeContainerGroup"},
				{"ContainerGroupId.1", "9f0c0be6-f6fe-4e29-af1a-000000000001"}, {"Region", "cn-beijing-6"},
				{"Service", "kci"}, {"SignatureMethod", "HMAC-SHA256"}, {"SignatureVersion", "1.0"},
				{"Timestamp", "2020-10-10T03:55:04Z"},
			},
			want: "b1a3198968772e0b134c4c65f8a1cf309fc557ac5703d3f2865d2ffa0ea1cb28",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := signSimplified(tc.params, tc.secret); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// kciVector is the simplified KCI vector as a query.
func kciVector() url.Values {
	return params(
		"Accesskey", "AKTEST", "Action", "DescribeContainerGroup",
		"ContainerGroupId.1", "9f0c0be6-f6fe-4e29-af1a-000000000001", "Region", "cn-beijing-6", "Service", "kci",
		"SignatureMethod", "HMAC-SHA256", "SignatureVersion", "1.0", "Timestamp", "2020-10-10T03:55:04Z",
		"Version", "2020-07-02", "Signature", "b1a3198968772e0b134c4c65f8a1cf309fc557ac5703d3f2865d2ffa0ea1cb28",
	)
}

func TestSimplifiedRequests(t *testing.T) {
	tests := map[string]struct {
		change func(url.Values)
		status int
		want   string
	}{
		"Good":             {func(url.Values) {}, 200, ""},
		"ParameterChanged": {func(v url.Values) { v.Set("Region", "cn-shanghai-2") }, 403, "The request signature we calculated does not match the signature you provided."},
		"NoTimestamp":      {func(v url.Values) { v.Del("Timestamp") }, 400, "KSC query-string parameters must include Timestamp. Re-examine the query-string parameters."},
		"NoSignature":      {func(v url.Values) { v.Del("Signature") }, 400, "KSC query-string parameters must include Signature. Re-examine the query-string parameters."},
		"NoKey":            {func(v url.Values) { v.Del("Accesskey") }, 400, "KSC query-string parameters must include Accesskey. Re-examine the query-string parameters."},
		"BadMethod":        {func(v url.Values) { v.Set("SignatureMethod", "HMAC-SHA1") }, 400, "Unsupported ksc 'algorithm': HMAC-SHA1."},
		"BadVersion":       {func(v url.Values) { v.Set("SignatureVersion", "2.0") }, 400, `An invalid or out-of-range value was supplied for the input parameter SignatureVersion: "2.0" must be 1.0.`},
		"BadTimestamp":     {func(v url.Values) { v.Set("Timestamp", "20201010T035504Z") }, 400, "Date must be in ISO-8601 'basic format'. Got '20201010T035504Z'. See http://en.wikipedia.org/wiki/ISO_8601."},
		"OldTimestamp":     {func(v url.Values) { v.Set("Timestamp", "2020-10-10T03:40:03Z") }, 403, "Signature expired:2020-10-10T03:40:03Z."},
		"OtherKey":         {func(v url.Values) { v.Set("Accesskey", "AKOTHER") }, 403, "The security token included in the request is invalid."},
		"Token":            {func(v url.Values) { v.Set("SecurityToken", "T") }, 403, "The security token included in the request is invalid."},
	}
	for name, tc := range tests {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(name+method, func(t *testing.T) {
				b := newBench(t, nil)
				values := kciVector()
				tc.change(values)
				r := httptest.NewRequest(method, "http://kci.api.ksyun.com/?"+values.Encode(), nil)
				if method == http.MethodPost {
					r = httptest.NewRequest(method, "http://kci.api.ksyun.com/", strings.NewReader(values.Encode()))
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				}
				w := httptest.NewRecorder()
				b.ServeHTTP(w, r)
				if got := message(t, w); w.Code != tc.status || got != tc.want {
					t.Errorf("got %d %q, want %d %q", w.Code, got, tc.status, tc.want)
				}
			})
		}
	}
}

// TestHeaderErrors walks the table of common errors for the header form.
func TestHeaderErrors(t *testing.T) {
	const scope = "AKTEST/20201010/cn-beijing-6/kci/aws4_request"
	auth := func(credential, signed, signature string) string {
		return fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=%s, Signature=%s", credential, signed, signature)
	}
	tests := map[string]struct {
		authorization string
		change        func(*http.Request)
		status        int
		code, want    string
	}{
		"NoHost":      {auth(scope, "host", "s"), func(r *http.Request) { r.Host = "" }, 403, "MissingAuthenticationToken", "Request is missing 'Host' header."},
		"NoSignature": {"", nil, 403, "MissingAuthenticationToken", "Request is missing Authentication Token."},
		"HeaderGone":  {auth(scope, "host;x-other", "s"), nil, 403, "MissingAuthenticationToken", "x-other not in Http Header."},
		"HostUnsigned": {auth(scope, "x-amz-date", "s"), nil, 403, "SignatureDoesNotMatch",
			"Host' must be a 'SignedHeader' in the Authorization."},
		"Terminator": {auth("AKTEST/20201010/cn-beijing-6/kci/aws5_request", "host", "s"), nil, 403, "SignatureDoesNotMatch",
			"Credential should be scoped with a valid terminator: 'aws4_request', not: aws5_request."},
		"Region": {auth("AKTEST/20201010/cn-shanghai-2/kci/aws4_request", "host", "s"), nil, 403, "SignatureDoesNotMatch",
			"Credential should be scoped to a valid region, not:cn-shanghai-2."},
		"Service": {auth("AKTEST/20201010/cn-beijing-6/kec/aws4_request", "host", "s"), nil, 403, "SignatureDoesNotMatch",
			"Credential should be scoped to correct service: kci."},
		"ScopeDate": {auth("AKTEST/20201011/cn-beijing-6/kci/aws4_request", "host", "s"), nil, 403, "SignatureDoesNotMatch",
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."},
		"Signature": {auth(scope, "host", "s"), nil, 403, "SignatureDoesNotMatch",
			"The request signature we calculated does not match the signature you provided."},
		"Key": {auth("AKOTHER/20201010/cn-beijing-6/kci/aws4_request", "host", "s"), nil, 403, "InvalidClientTokenId",
			"The security token included in the request is invalid."},
		"Date": {auth(scope, "host", "s"), func(r *http.Request) { r.Header.Set("X-Amz-Date", "2020-10-10T03:55:04Z") }, 400, "IncompleteSignature",
			"Date must be in ISO-8601 'basic format'. Got '2020-10-10T03:55:04Z'. See http://en.wikipedia.org/wiki/ISO_8601."},
		"Algorithm": {"HMAC-SHA1 Credential=a", nil, 400, "IncompleteSignature", "Unsupported ksc 'algorithm': HMAC-SHA1."},
		"NoCredential": {"AWS4-HMAC-SHA256 SignedHeaders=host, Signature=s", nil, 400, "IncompleteSignature",
			"Authorization header requires 'Credential' parameter. Authorization=AWS4-HMAC-SHA256 SignedHeaders=host, Signature=s."},
		"ShortCredential": {auth("AKTEST/20201010/kci/aws4_request", "host", "s"), nil, 400, "IncompleteSignature",
			"Credential must have exactly 5 slash-delimited elements, e.g. accesskeyid/date/region/service/aws4_request, got: AKTEST/20201010/kci/aws4_request."},
		"Format":      {"AWS4-HMAC-SHA256 Credential", nil, 400, "IncompleteSignature", "Authorization header format error."},
		"FormatTwice": {auth(scope, "host", "s") + ", Signature=t", nil, 400, "IncompleteSignature", "Authorization header format error."},
		"FormatBare":  {"AWS4-HMAC-SHA256", nil, 400, "IncompleteSignature", "Authorization header format error."},
		"NoDate": {auth("c", "h", "s"), func(r *http.Request) { r.Header.Del("X-Amz-Date") }, 400, "IncompleteSignature",
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header, Authorization=AWS4-HMAC-SHA256 Credential=c, SignedHeaders=h, Signature=s"},
		"NoSignatureField": {"AWS4-HMAC-SHA256 Credential=c, SignedHeaders=h", nil, 400, "IncompleteSignature",
			"Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256 Credential=c, SignedHeaders=h"},
		"NoSignedHeaders": {"AWS4-HMAC-SHA256 Credential=c, Signature=s", nil, 400, "IncompleteSignature",
			"Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256 Credential=c, Signature=s"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := vectorRequest("", "")
			r.Header.Set("Authorization", tc.authorization)
			if tc.change != nil {
				tc.change(r)
			}
			checkError(t, newBench(t, nil), r, tc.status, tc.code, tc.want)
		})
	}
}

// checkError sends a request and checks the whole error.
func checkError(t *testing.T, b *bench, r *http.Request, status int, code, text string) {
	t.Helper()
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	want := fmt.Sprintf("%d Sender %s %s", status, code, text)
	if diff := cmp.Diff(want, errorText(t, w)); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

// queryForm is the KCI action in SigV4's query form, not yet signed.
func queryForm() url.Values {
	return params(
		"Action", "DescribeContainerGroup", "Version", "2020-07-02", "Search", "a b*~/周",
		"X-Amz-Algorithm", "AWS4-HMAC-SHA256", "X-Amz-Credential", "AKTEST/20201010/cn-beijing-6/kci/aws4_request",
		"X-Amz-Date", "20201010T035504Z", "X-Amz-SignedHeaders", "host",
	)
}

func TestQueryForm(t *testing.T) {
	tests := map[string]struct {
		change func(url.Values)
		status int
		want   string
	}{
		"Good":         {func(url.Values) {}, 200, ""},
		"Changed":      {func(v url.Values) { v.Set("Search", "b") }, 403, "The request signature we calculated does not match the signature you provided."},
		"NoAlgorithm":  {func(v url.Values) { v.Del("X-Amz-Algorithm") }, 400, "KSC query-string parameters must include X-Amz-Algorithm. Re-examine the query-string parameters."},
		"NoCredential": {func(v url.Values) { v.Del("X-Amz-Credential") }, 400, "KSC query-string parameters must include X-Amz-Credential. Re-examine the query-string parameters."},
		"NoSigned":     {func(v url.Values) { v.Del("X-Amz-SignedHeaders") }, 400, "KSC query-string parameters must include X-Amz-SignedHeaders. Re-examine the query-string parameters."},
		"NoSignature":  {func(v url.Values) { v.Del("X-Amz-Signature") }, 400, "KSC query-string parameters must include X-Amz-Signature. Re-examine the query-string parameters."},
		"NoDate":       {func(v url.Values) { v.Del("X-Amz-Date") }, 400, "KSC query-string parameters must include X-Amz-Date. Re-examine the query-string parameters."},
		"Algorithm":    {func(v url.Values) { v.Set("X-Amz-Algorithm", "AWS4-HMAC-SHA512") }, 400, "Unsupported ksc 'algorithm': AWS4-HMAC-SHA512."},
		"HostUnsigned": {func(v url.Values) { v.Set("X-Amz-SignedHeaders", "accept") }, 403, "Host' must be a 'SignedHeader' in the Authorization."},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			values := queryForm()
			// Made with aws-sdk-go-v2's PresignHTTP for this very request.
			values.Set("X-Amz-Signature", "b8d50c6b219067b33e482cfe3443b8f9e49724b5054a762f255be9cfeabbf13d")
			tc.change(values)
			r := httptest.NewRequest(http.MethodGet, "http://kci.api.ksyun.com/?"+values.Encode(), nil)
			w := httptest.NewRecorder()
			newBench(t, nil).ServeHTTP(w, r)
			if got := message(t, w); w.Code != tc.status || got != tc.want {
				t.Errorf("got %d %q, want %d %q", w.Code, got, tc.status, tc.want)
			}
		})
	}
}

// TestWindow moves the clock around a signature made at 03:55:04.
func TestWindow(t *testing.T) {
	tests := map[string]struct {
		now    time.Time
		status int
	}{
		"Now":      {testTime, 200},
		"Late":     {testTime.Add(15 * time.Minute), 200},
		"TooLate":  {testTime.Add(15*time.Minute + time.Second), 403},
		"Early":    {testTime.Add(-15 * time.Minute), 200},
		"TooEarly": {testTime.Add(-15*time.Minute - time.Second), 403},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.clock.SetTime(tc.now)
			w := httptest.NewRecorder()
			b.ServeHTTP(w, vectorRequest("accept;content-type;host;x-amz-date", "e38227446fbe5ffc2787a7700bd828385a8da9028b02cfb1529c7a20972ead53"))
			if w.Code != tc.status {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tc.status)
			}
			if got, want := w.Header().Get("Date"), tc.now.Format(http.TimeFormat); got != want {
				t.Errorf("Date header: got %q, want %q", got, want)
			}
			if tc.status == 403 && message(t, w) != "Signature expired:20201010T035504Z." {
				t.Errorf("got %q", message(t, w))
			}
		})
	}
}

// TestTokens checks temporary keys: the token must be there, be the key's own,
// and may be signed or not.
func TestTokens(t *testing.T) {
	const signed, signature = "accept;content-type;host;x-amz-date", "e38227446fbe5ffc2787a7700bd828385a8da9028b02cfb1529c7a20972ead53"
	tests := map[string]struct {
		key    AccessKey
		header map[string]string
		want   string
	}{
		"KscHeader":  {AccessKey{SecurityToken: "T"}, map[string]string{"X-Ksc-Security-Token": "T"}, ""},
		"AmzHeader":  {AccessKey{SecurityToken: "T"}, map[string]string{"X-Amz-Security-Token": "T"}, ""},
		"Wrong":      {AccessKey{SecurityToken: "T"}, map[string]string{"X-Amz-Security-Token": "U"}, "InvalidClientTokenId"},
		"Missing":    {AccessKey{SecurityToken: "T"}, nil, "InvalidClientTokenId"},
		"NotNeeded":  {AccessKey{}, map[string]string{"X-Amz-Security-Token": "T"}, "InvalidClientTokenId"},
		"StillValid": {AccessKey{Expires: testTime.Add(time.Second)}, nil, ""},
		"Expired":    {AccessKey{Expires: testTime}, nil, "SecurityTokenExpired"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.key.ID, tc.key.Secret = testKey, testSecret
			b := newBench(t, func(o *Options) { o.Keys = []AccessKey{tc.key} })
			r := vectorRequest(signed, signature)
			for header, value := range tc.header {
				r.Header.Set(header, value)
			}
			w := httptest.NewRecorder()
			b.ServeHTTP(w, r)
			if got := errorCode(t, w); got != tc.want {
				t.Errorf("got %d %q, want %q", w.Code, got, tc.want)
			}
		})
	}
}

// TestDates checks the ways to write the date of a SigV4 signature.
func TestDates(t *testing.T) {
	tests := map[string]struct {
		reason, amz, date string
		signed            string
		ok                bool
	}{
		"Basic":     {"the usual", "20201010T035504Z", "", "20201010T035504Z", true},
		"Offset":    {"the Node SDK", "20201010T035504+00:00", "", "20201010T035504+00:00", true},
		"DateBasic": {"Date instead", "", "20201010T035504Z", "20201010T035504Z", true},
		"DateHTTP":  {"a usual Date header", "", "Sat, 10 Oct 2020 03:55:04 GMT", "20201010T035504Z", true},
		"AmzFirst":  {"X-Amz-Date wins", "20201010T035504Z", "nonsense", "20201010T035504Z", true},
		"AmzHTTP":   {"X-Amz-Date has one form", "Sat, 10 Oct 2020 03:55:04 GMT", "", "", false},
		"Nonsense":  {"no date", "", "today", "", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var sig v4Signature
			err := sig.readDate(tc.amz, tc.date)
			if (err == nil) != tc.ok || sig.date != tc.signed || (tc.ok && !sig.at.Equal(testTime)) {
				t.Errorf("%s: got %q at %v, error %v", tc.reason, sig.date, sig.at, err)
			}
		})
	}
}
