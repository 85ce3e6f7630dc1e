package eci

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// FuzzServeHTTP: a correctly signed request is answered with JSON and no server
// error, whatever its parameters are.
func FuzzServeHTTP(f *testing.F) {
	seeds := []string{simple, full, execLS,
		updateFull + "&UpdateType=IncrementalUpdate&Container.1.Name=app&Container.1.Image=x",
		"GET Action=DescribeContainerGroups&RegionId=cn-hangzhou&Tag.1.Key=a&NextToken=e30",
		"POST Action=DescribeContainerGroupStatus&RegionId=cn-hangzhou&SinceSecond=60&ContainerGroupIds=[\"eci-0001\",1]",
		"POST Action=DescribeContainerGroupEvents RegionId=cn-hangzhou&Limit=1",
		"POST Action=DescribeContainerLog&ContainerGroupId=eci-0001&ContainerName=app&StartTime=0000-01-01T00:00:00Z",
		"POST Action=ListTagResources&RegionId=cn-hangzhou&ResourceType=ContainerGroup&NextToken=eyJ0IjotOTIyMzM3MjAzNjg1NDc3NTgwOCwiaSI6IngifQ",
		"POST Action=TagResources&RegionId=cn-hangzhou&ResourceType=ContainerGroup&ResourceId.1=eci-0001&Tag.1.Key=a",
	}
	for _, seed := range seeds {
		parts := append(strings.SplitN(seed, " ", 3), "", "")
		f.Add(parts[0] == "GET", parts[1], parts[2])
	}
	f.Fuzz(func(t *testing.T, get bool, query, body string) {
		r := newRig(t)
		r.must(full)
		r.groups.Run("eci-0001")
		req := signedAsIs(r, get, query, body)
		w := httptest.NewRecorder()
		r.server.ServeHTTP(w, req)
		if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
	})
}

// signedAsIs signs whatever parameters there are, in RPC style.
func signedAsIs(r *rig, get bool, query, body string) *http.Request {
	params := url.Values{}
	if parsed, err := url.ParseQuery(query); err == nil {
		params = parsed
	}
	form, err := url.ParseQuery(body)
	if err != nil {
		form = url.Values{}
	}
	for name, v := range map[string]string{
		"Version": version, "AccessKeyId": testKey.ID, "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0",
		"SignatureNonce": "n-1", "Timestamp": timestamp(r.clock.Now()),
	} {
		params.Set(name, v)
		form.Del(name)
	}
	params.Del("Signature")
	form.Del("Signature")
	all := map[string]string{}
	for _, source := range []url.Values{params, form} {
		for name := range source {
			all[name] = source.Get(name)
		}
	}
	method := map[bool]string{true: http.MethodGet, false: http.MethodPost}[get]
	params.Set("Signature", signRPC(rpcStringToSign(method, all), testKey.Secret))
	req := httptest.NewRequest(method, "http://eci.test/?"+params.Encode(), strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

// FuzzUnsigned: a request that nobody signed never passes and never crashes.
func FuzzUnsigned(f *testing.F) {
	f.Add("POST", "Action=DescribeRegions&Version=2018-08-08", "Authorization", "ACS3-HMAC-SHA256 Credential=key-1,SignedHeaders=host;x-acs-date,Signature=0")
	f.Add("GET", "%zz&a=b;c", "Content-Type", "application/x-www-form-urlencoded; charset=\"")
	f.Fuzz(func(t *testing.T, method, query, header, v string) {
		if !slices.Contains([]string{"GET", "POST", "PUT", "OPTIONS"}, method) {
			return
		}
		r := newRig(t)
		req := httptest.NewRequest(method, "http://eci.test/", strings.NewReader(v))
		req.URL.RawQuery = query
		req.Header[header] = []string{v}
		w := httptest.NewRecorder()
		r.server.ServeHTTP(w, req)
		if w.Code < 400 || w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
	})
}
