package eci

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// The examples of the vendor's pages on signatures, with the values printed there.
func TestPublishedSignatures(t *testing.T) {
	t.Run("ACS3", func(t *testing.T) {
		req := httptest.NewRequest(http.MethodPost, "http://ecs.cn-shanghai.aliyuncs.com/?"+
			"ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai", nil)
		for name, v := range map[string]string{
			"x-acs-action": "RunInstances", "x-acs-content-sha256": emptyHash, "x-acs-date": "2023-10-26T10:22:32Z",
			"x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d", "x-acs-version": "2014-05-26",
		} {
			req.Header.Set(name, v)
		}
		signed := strings.Split("host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version", ";")
		canonical := canonicalRequest(req, signed, emptyHash)
		sum := sha256.Sum256([]byte(canonical))
		if diff := cmp.Diff("7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259", hex.EncodeToString(sum[:])); diff != "" {
			t.Errorf("hash of the canonical request (-want +got):\n%s", diff)
		}
		got := signACS3(canonical, "YourAccessKeySecret")
		if diff := cmp.Diff("06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0", got); diff != "" {
			t.Errorf("signature (-want +got):\n%s", diff)
		}
	})
	t.Run("RPC", func(t *testing.T) {
		text := rpcStringToSign(http.MethodGet, map[string]string{
			"AccessKeyId": "testid", "Action": "DescribeRegions", "Format": "XML", "SignatureMethod": "HMAC-SHA1",
			"SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf", "SignatureVersion": "1.0",
			"Timestamp": "2016-02-23T12:46:24Z", "Version": "2014-05-26",
		})
		if diff := cmp.Diff("OLeaidS1JvxuMvnyHOwuJ+uX5qY=", signRPC(text, "testsecret")); diff != "" {
			t.Errorf("signature (-want +got):\n%s", diff)
		}
	})
}

// A create request with characters that encoders differ on. Both signatures below
// were computed by a program of its own in another language.
const awkwardQuery = "Container.1.Arg.1=a+b%2Ac~d%2F%C3%A9%2B%26%3D&Container.1.Image=nginx%3A1.25&Container.1.Name=app" +
	"&ContainerGroupName=web-1&RegionId=cn-hangzhou&Tag.1.Key=k&Tag.1.Value="

func acs3Request() *http.Request {
	req := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8080/?"+awkwardQuery, nil)
	for name, v := range map[string]string{
		"x-acs-action": "CreateContainerGroup", "x-acs-content-sha256": emptyHash,
		"x-acs-credentials-provider": "static_ak", "x-acs-date": "2026-01-02T03:04:05Z",
		"x-acs-signature-nonce": "0123456789abcdef0123456789abcdef", "x-acs-version": "2018-08-08",
		"authorization": "ACS3-HMAC-SHA256 Credential=key-1,SignedHeaders=host;x-acs-action;x-acs-content-sha256;" +
			"x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version," +
			"Signature=8def13650be8e20cce752b63d6d5231eec4be69611c426a38903c97d8a4bb23c",
	} {
		req.Header.Set(name, v)
	}
	return req
}

func rpcRequest() *http.Request {
	common := url.Values{
		"Action": {"CreateContainerGroup"}, "Version": {"2018-08-08"}, "Format": {"json"}, "AccessKeyId": {"key-1"},
		"SignatureMethod": {"HMAC-SHA1"}, "SignatureVersion": {"1.0"}, "SignatureNonce": {"0123456789abcdef"},
		"Timestamp": {"2026-01-02T03:04:05Z"}, "Signature": {"T3SJqIdL7JjWbRw8uRPzagBLV5M="},
	}
	return httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8080/?"+awkwardQuery+"&"+common.Encode(), nil)
}

// inBody moves a request's query into a form body.
func inBody(req *http.Request) *http.Request {
	moved := httptest.NewRequest(req.Method, "http://127.0.0.1:8080/", strings.NewReader(req.URL.RawQuery))
	moved.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return moved
}

func TestAuthentication(t *testing.T) {
	header := func(name, v string) func() *http.Request {
		return func() *http.Request {
			req := acs3Request()
			req.Header.Set(name, v)
			return req
		}
	}
	authorization := func(old, replacement string) func() *http.Request {
		return func() *http.Request {
			req := acs3Request()
			req.Header.Set("Authorization", strings.ReplaceAll(req.Header.Get("Authorization"), old, replacement))
			return req
		}
	}
	query := func(name, v string) func() *http.Request {
		return func() *http.Request {
			req := rpcRequest()
			q := req.URL.Query()
			q.Set(name, v)
			req.URL.RawQuery = q.Encode()
			return req
		}
	}
	cases := map[string]struct {
		reason     string
		request    func() *http.Request
		now        time.Time
		wantStatus int
		wantCode   string
	}{
		"ACS3":          {"a correct header signature passes", acs3Request, Start, 200, ""},
		"RPC":           {"a correct query signature passes", rpcRequest, Start, 200, ""},
		"RPCInBody":     {"form parameters are signed like those of the query", func() *http.Request { return inBody(rpcRequest()) }, Start, 200, ""},
		"EarlyEdge":     {"15 minutes ahead are allowed", acs3Request, Start.Add(-15 * time.Minute), 200, ""},
		"LateEdge":      {"15 minutes behind are allowed", rpcRequest, Start.Add(15 * time.Minute), 200, ""},
		"TooLate":       {"more than 15 minutes are not", acs3Request, Start.Add(15*time.Minute + time.Second), 400, "InvalidTimeStamp.Expired"},
		"TooEarly":      {"a clock ahead is as wrong as one behind", rpcRequest, Start.Add(-16 * time.Minute), 400, "InvalidTimeStamp.Expired"},
		"TimeFormat":    {"the date has one format", header("x-acs-date", "Fri, 02 Jan 2026"), Start, 400, "InvalidTimeStamp.Format"},
		"HeaderChanged": {"a signed header may not change", header("x-acs-credentials-provider", "env"), Start, 403, "SignatureDoesNotMatch"},
		"HeaderAdded":   {"every x-acs header must be signed", header("x-acs-extra", "1"), Start, 400, "IncompleteSignature"},
		"ActionChanged": {"the action is signed", header("x-acs-action", "DeleteContainerGroup"), Start, 403, "SignatureDoesNotMatch"},
		"BodyHash":      {"the body's hash must be the body's", header("x-acs-content-sha256", "00"), Start, 403, "SignatureDoesNotMatch"},
		"HostUnsigned":  {"the host must be signed", authorization("host;", ""), Start, 400, "IncompleteSignature"},
		"SM3":           {"only HMAC-SHA256 is emulated", authorization("SHA256", "SM3"), Start, 400, "IncompleteSignature"},
		"NoSignature":   {"a signature is needed", authorization(",Signature=", ",Other="), Start, 400, "IncompleteSignature"},
		"UnknownKey":    {"the key must exist", authorization("key-1", "key-9"), Start, 404, "InvalidAccessKeyId.NotFound"},
		"OtherKey":      {"another key signs otherwise", authorization("key-1", "key-4"), Start, 403, "SignatureDoesNotMatch"},
		"RPCChanged":    {"parameters are signed", query("ContainerGroupName", "web-2"), Start, 403, "SignatureDoesNotMatch"},
		"RPCMethod":     {"only HMAC-SHA1 exists", query("SignatureMethod", "HMAC-SHA256"), Start, 400, "IncompleteSignature"},
		"RPCNoNonce":    {"a nonce is needed", query("SignatureNonce", ""), Start, 400, "IncompleteSignature"},
		"RPCUnsigned":   {"a signature is needed", query("Signature", ""), Start, 400, "IncompleteSignature"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.clock.SetTime(c.now)
			status, body := r.send(c.request())
			if status != c.wantStatus || status != 200 && codeOf(t, body) != c.wantCode {
				t.Errorf("%s: got %d %s; want %d %s", c.reason, status, body, c.wantStatus, c.wantCode)
			}
		})
	}
}

func TestReplayIsRefused(t *testing.T) {
	r := newRig(t)
	for i, want := range []string{"", "SignatureNonceUsed"} {
		if _, body := r.send(acs3Request()); i > 0 && codeOf(t, body) != want {
			t.Errorf("request %d answered %s; want %s", i+1, body, want)
		}
	}
	if r.groups.Creates != 1 {
		t.Errorf("%d groups were created; want 1", r.groups.Creates)
	}
}

func TestKeys(t *testing.T) {
	const regions = "GET Action=DescribeRegions"
	bare, other := stsKey, stsKey
	bare.SecurityToken, other.SecurityToken = "", "token-9"
	late := AccessKey{ID: testKey.ID, Secret: testKey.Secret, SecurityToken: "token-9"}
	cases := map[string]struct {
		reason string
		key    AccessKey
		after  time.Duration
		status int
		code   string
	}{
		"STS":          {"a temporary key passes with its token", stsKey, 0, 200, ""},
		"STSNoToken":   {"not without it", bare, 0, 400, "MissingSecurityToken"},
		"STSWrong":     {"not with another one", other, 0, 400, "InvalidSecurityToken.Malformed"},
		"STSExpired":   {"not after its end", stsKey, time.Hour, 400, "InvalidSecurityToken.Expired"},
		"TokenTooMany": {"a lasting key has no token", late, 0, 400, "InvalidSecurityToken.Malformed"},
		"Inactive":     {"a key may end", oldKey, 0, 403, "InvalidAccessKeyId.Inactive"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.clock.Step(c.after)
			status, body := r.send(r.request(regions, c.key))
			if status != c.status || status != 200 && codeOf(t, body) != c.code {
				t.Errorf("%s: got %d %s; want %d %s", c.reason, status, body, c.status, c.code)
			}
		})
	}
}

// A user without permission sees empty lists, not errors, and may change nothing.
func TestUserWithoutPermission(t *testing.T) {
	cases := map[string]struct{ request, want string }{
		"Groups": {"POST Action=DescribeContainerGroups&RegionId=cn-hangzhou", `{"TotalCount":0,"ContainerGroups":[]}`},
		"Status": {"POST Action=DescribeContainerGroupStatus&RegionId=cn-hangzhou", `{"TotalCount":0,"Data":[]}`},
		"Events": {"POST Action=DescribeContainerGroupEvents&RegionId=cn-hangzhou", `{"TotalCount":0,"Data":[]}`},
		"Metric": {"POST Action=DescribeMultiContainerGroupMetric&RegionId=cn-hangzhou", `{"MonitorDatas":[]}`},
		"Create": {simple, `{"Code":"Forbidden.RAM","Message":"The user is not authorized to do eci:CreateContainerGroup."}`},
		"Tags":   {"POST Action=ListTagResources", `{"Code":"Forbidden.RAM","Message":"The user is not authorized to do eci:ListTagResources."}`},
		"Log":    {"POST Action=DescribeContainerLog", `{"Code":"Forbidden.RAM","Message":"The user is not authorized to do eci:DescribeContainerLog."}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.must(simple)
			_, body := r.send(r.request(c.request, readKey))
			if diff := diffJSON(t, c.want, body); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}
