package kci

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi/internal/credential"
)

func TestNew(t *testing.T) {
	key, err := credential.Static(credential.AccessKey{ID: "a", Secret: "b"})
	if err != nil {
		t.Fatal(err)
	}
	const notURL = "endpoint must be a URL of scheme and host, such as https://kci.cn-beijing-6.api.ksyun.com"
	cases := map[string]struct {
		options  Options
		endpoint string
		want     string
	}{
		"Defaults":      {Options{Region: "cn-beijing-6", Credentials: key}, "https://kci.cn-beijing-6.api.ksyun.com/", ""},
		"OtherRegion":   {Options{Region: "cn-shanghai-2", Credentials: key}, "https://kci.cn-shanghai-2.api.ksyun.com/", ""},
		"OwnEndpoint":   {Options{Region: "r", Credentials: key, Endpoint: "https://kci.api.ksyun.com"}, "https://kci.api.ksyun.com/", ""},
		"LoopbackIPv4":  {Options{Region: "r", Credentials: key, Endpoint: "http://127.0.0.1:8080"}, "http://127.0.0.1:8080/", ""},
		"LoopbackIPv6":  {Options{Region: "r", Credentials: key, Endpoint: "http://[::1]:8080/"}, "http://[::1]:8080/", ""},
		"LoopbackName":  {Options{Region: "r", Credentials: key, Endpoint: "http://localhost:8080"}, "http://localhost:8080/", ""},
		"PlainHTTP":     {Options{Region: "r", Credentials: key, Endpoint: "http://kci.api.ksyun.com"}, "", "configuring KCI: endpoint http://kci.api.ksyun.com must use https: plain http is allowed to a loopback address only"},
		"NotQuiteLocal": {Options{Region: "r", Credentials: key, Endpoint: "http://localhost.example.com"}, "", "configuring KCI: endpoint http://localhost.example.com must use https: plain http is allowed to a loopback address only"},
		"OtherScheme":   {Options{Region: "r", Credentials: key, Endpoint: "ftp://kci.api.ksyun.com"}, "", `configuring KCI: endpoint has scheme "ftp"; it must be https`},
		"HostOnly":      {Options{Region: "r", Credentials: key, Endpoint: "kci.api.ksyun.com"}, "", "configuring KCI: " + notURL},
		"OddRegion":     {Options{Region: "x.example.com/", Credentials: key}, "", "configuring KCI: " + `region is "x.example.com/"; it must be a region's code, such as cn-beijing-6`},
		"WithUser":      {Options{Region: "r", Credentials: key, Endpoint: "https://user:pass@kci.api.ksyun.com"}, "", "configuring KCI: " + notURL},
		"Everything": {Options{Endpoint: "x", Dialect: "klingon"}, "", "configuring KCI: " + notURL +
			"\nregion is \"\"; it must be a region's code, such as cn-beijing-6\ncredentials are missing\n" +
			`dialect is "klingon"; it must be seed or extended`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			client, err := New(tc.options)
			if diff := cmp.Diff(tc.want, errorText(err)); diff != "" {
				t.Fatalf("error (-want +got):\n%s", diff)
			}
			if err == nil && client.endpoint.String() != tc.endpoint {
				t.Errorf("endpoint = %s, want %s", client.endpoint, tc.endpoint)
			}
		})
	}
}

// TestReadinessLimits: the cloud's readiness probes count where the caller can do
// with what events tell of them, and the dialect has words for them.
func TestReadinessLimits(t *testing.T) {
	for _, test := range []struct {
		options Options
		want    bool
	}{
		{Options{Dialect: Extended}, false},
		{Options{Dialect: Extended, Readiness: true}, true},
		{Options{Dialect: Seed, Readiness: true}, false},
	} {
		client := &Client{options: test.options}
		if got := client.Limits().Can.ReadinessProbe; got != test.want {
			t.Errorf("dialect %s, Readiness %v: ReadinessProbe is %v, want %v", test.options.Dialect, test.options.Readiness, got, test.want)
		}
	}
}

func TestLimits(t *testing.T) {
	seed, extended := Limits(Seed, "cn-beijing-6"), Limits(Extended, "cn-beijing-6")
	if seed.Name.Max != 63 || !seed.Name.Dots || seed.Tags || seed.Can.Exec || seed.Can.LivenessProbe || seed.MaxFileBytes != 24576 {
		t.Errorf("the document's limits are %+v", seed)
	}
	if !extended.Can.Exec || !extended.Can.InitContainers || extended.Can.SubPath || extended.MaxFileBytes != 18432 {
		t.Errorf("the extended limits are %+v", extended)
	}
	for _, limits := range []struct{ MaxLines int }{{seed.Log.MaxLines}, {extended.Log.MaxLines}} {
		if limits.MaxLines != 1000 {
			t.Errorf("MaxLines = %d, want 1000", limits.MaxLines)
		}
	}
}
