package kubeletapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/utils/ptr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/provider"
)

func TestUnauthenticated(t *testing.T) {
	e := serve(t)
	for _, path := range []string{"/healthz", "/pods", "/containerLogs/shop/web/main", "/exec/shop/web/main", "/stats/summary", "/metrics/resource", "/nothing"} {
		for _, token := range []string{"", "mallory"} {
			if code, _ := e.call("GET", path, token); code != http.StatusUnauthorized {
				t.Errorf("GET %s with token %q: %d, want 401", path, token, code)
			}
		}
	}
	if asked := e.gate.questions(); len(asked) > 0 {
		t.Errorf("strangers were held against rules: %q", asked)
	}
}

// TestAttributes holds what is asked of the authorizer for each request.
func TestAttributes(t *testing.T) {
	for name, c := range map[string]struct {
		reason, method, path string
		want                 []string
	}{
		"pods":         {"the fine-grained subresource first", "GET", "/pods", []string{"get nodes/pods virtual-1", "get nodes/proxy virtual-1"}},
		"pods slash":   {"the same", "GET", "/pods/", []string{"get nodes/pods virtual-1", "get nodes/proxy virtual-1"}},
		"healthz":      {"the fine-grained subresource first", "GET", "/healthz", []string{"get nodes/healthz virtual-1", "get nodes/proxy virtual-1"}},
		"ping":         {"below it", "GET", "/healthz/ping", []string{"get nodes/healthz virtual-1", "get nodes/proxy virtual-1"}},
		"stats":        {"a subresource of its own", "GET", "/stats/summary", []string{"get nodes/stats virtual-1"}},
		"metrics":      {"a subresource of its own", "GET", "/metrics/resource", []string{"get nodes/metrics virtual-1"}},
		"logs":         {"as in the kubelet", "GET", "/containerLogs/shop/web/main", []string{"get nodes/proxy virtual-1"}},
		"exec":         {"a command is never a reading", "GET", "/exec/shop/web/main?command=id&output=1", []string{"create nodes/proxy virtual-1"}},
		"exec by POST": {"nor here", "POST", "/exec/shop/web/main?command=id&output=1", []string{"create nodes/proxy virtual-1"}},
		"exec encoded": {"nor in disguise", "GET", "/%65xec/shop/web/main?command=id", []string{"create nodes/proxy virtual-1"}},
		"attach":       {"nor here", "GET", "/attach/shop/web/main", []string{"create nodes/proxy virtual-1"}},
		"port-forward": {"nor a connection", "GET", "/portForward/shop/web", []string{"create nodes/proxy virtual-1"}},
		"other":        {"what does not exist is guarded too", "DELETE", "/pods", []string{"delete nodes/pods virtual-1", "delete nodes/proxy virtual-1"}},
		"prefix":       {"only whole segments count", "GET", "/podsession", []string{"get nodes/proxy virtual-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := serve(t)
			e.gate.allow = func(authorizer.Attributes) bool { return false }
			code, body := e.call(c.method, c.path, "alice")
			if code != http.StatusForbidden || !strings.Contains(body, "user=alice") {
				t.Errorf("%d %s, want 403 that names alice", code, body)
			}
			if diff := cmp.Diff(c.want, e.gate.questions()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// TestReaderRunsNothing: whoever may get nodes/pods and nodes/proxy reaches no
// exec, whatever the path looks like.
func TestReaderRunsNothing(t *testing.T) {
	e := serve(t)
	e.gate.allow = func(a authorizer.Attributes) bool { return a.GetVerb() == "get" }
	for _, path := range []string{
		"/exec/shop/web/main?command=id&output=1", "//exec/shop/web/main?command=id&output=1",
		"/pods/../exec/shop/web/main?command=id&output=1", "/pods/..%2fexec/shop/web/main?command=id&output=1",
		"/Exec/shop/web/main?command=id", "/exec/shop/web/uid/main?command=id&output=1",
	} {
		if code, _ := e.call("GET", path, "alice"); code == http.StatusOK || code == http.StatusSwitchingProtocols {
			t.Errorf("GET %s: %d", path, code)
		}
	}
}

func TestAuthorizerFails(t *testing.T) {
	e := serve(t)
	e.gate.err = errors.New("secret details")
	code, body := e.call("GET", "/pods", "alice")
	if code != http.StatusInternalServerError || strings.Contains(body, "secret") {
		t.Errorf("%d %s", code, body)
	}
}

func TestReads(t *testing.T) {
	e := serve(t)
	e.pods.pods = []*corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "u-1"}}}
	stamp := metav1.NewTime(start.Add(-time.Minute))
	e.pods.usage = []provider.PodUsage{{
		Pod: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "u-1"}, Status: corev1.PodStatus{StartTime: &stamp}},
		Metrics: cloudapi.GroupMetrics{
			Time: start, CPU: cloudapi.CPUUsage{UsageNanoCores: 5, UsageCoreNanoSeconds: 2_500_000_000},
			Memory:  cloudapi.MemoryUsage{UsageBytes: 10, WorkingSetBytes: 7, RSSBytes: 6, AvailableBytes: 90},
			Network: []cloudapi.InterfaceUsage{{Name: "eth0", RxBytes: 1, RxErrors: 2, TxBytes: 3, TxErrors: 4}},
			Containers: []cloudapi.ContainerMetrics{{
				Name: "main", CPU: cloudapi.CPUUsage{UsageNanoCores: 4, UsageCoreNanoSeconds: 1_500_000_000}, Memory: cloudapi.MemoryUsage{WorkingSetBytes: 8},
			}},
		},
	}}
	const cpu = `"time":"2026-01-02T03:04:05Z","usageNanoCores":`
	for path, want := range map[string]string{
		"/healthz":      "ok",
		"/healthz/ping": "ok",
		"/pods": `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"web","namespace":"shop","uid":"u-1"},` +
			`"spec":{"containers":null},"status":{}}]}`,
		"/stats/summary": `{"node":{"nodeName":"virtual-1","startTime":null},"pods":[{"podRef":{"name":"web","namespace":"shop","uid":"u-1"},` +
			`"startTime":"2026-01-02T03:03:05Z","containers":[{"name":"main","startTime":"2026-01-02T03:03:05Z",` +
			`"cpu":{` + cpu + `4,"usageCoreNanoSeconds":1500000000},` +
			`"memory":{"time":"2026-01-02T03:04:05Z","usageBytes":0,"workingSetBytes":8,"rssBytes":0}}],` +
			`"cpu":{` + cpu + `5,"usageCoreNanoSeconds":2500000000},` +
			`"memory":{"time":"2026-01-02T03:04:05Z","availableBytes":90,"usageBytes":10,"workingSetBytes":7,"rssBytes":6},` +
			`"network":{"time":"2026-01-02T03:04:05Z","name":"eth0","rxBytes":1,"rxErrors":2,"txBytes":3,"txErrors":4,` +
			`"interfaces":[{"name":"eth0","rxBytes":1,"rxErrors":2,"txBytes":3,"txErrors":4}]}}]}`,
		"/metrics/resource": `# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="main",namespace="shop",pod="web"} 1.5 1767323045000
# TYPE container_memory_working_set_bytes gauge
container_memory_working_set_bytes{container="main",namespace="shop",pod="web"} 8 1767323045000
# TYPE container_start_time_seconds gauge
container_start_time_seconds{container="main",namespace="shop",pod="web"} 1767322985
# TYPE pod_cpu_usage_seconds_total counter
pod_cpu_usage_seconds_total{namespace="shop",pod="web"} 2.5 1767323045000
# TYPE pod_memory_working_set_bytes gauge
pod_memory_working_set_bytes{namespace="shop",pod="web"} 7 1767323045000
`,
	} {
		code, body := e.call("GET", path, "alice")
		if diff := cmp.Diff(want, body); code != http.StatusOK || diff != "" {
			t.Errorf("GET %s: %d (-want +got):\n%s", path, code, diff)
		}
	}
	e.pods.pods = nil
	if _, body := e.call("GET", "/pods", "alice"); !strings.Contains(body, `"items":[]`) {
		t.Errorf("no pods: %s", body)
	}
	e.pods.err = apierrors.NewBadRequest("usage is not known")
	for _, path := range []string{"/stats/summary", "/metrics/resource", "/pods"} {
		if code, body := e.call("GET", path, "alice"); code != http.StatusBadRequest || body != "usage is not known\n" {
			t.Errorf("GET %s: %d %q", path, code, body)
		}
	}
	if code, _ := e.call("GET", "/runningpods/", "alice"); code != http.StatusNotFound {
		t.Errorf("GET /runningpods/: %d", code)
	}
	if code, _ := e.call("POST", "/exec/shop/web/main?output=1", "alice"); code != http.StatusBadRequest {
		t.Errorf("exec without command: %d", code)
	}
}

func TestLogQuery(t *testing.T) {
	for query, c := range map[string]struct {
		want provider.LogOptions
		err  string
	}{
		"":                                    {},
		"tailLines=0":                         {want: provider.LogOptions{Tail: ptr.To[int64](0)}},
		"tailLines=10&limitBytes=5":           {want: provider.LogOptions{Tail: ptr.To[int64](10), LimitBytes: ptr.To[int64](5)}},
		"follow=true&previous=1&timestamps=t": {want: provider.LogOptions{Follow: true, Previous: true, Timestamps: true}},
		"sinceSeconds=60":                     {want: provider.LogOptions{Since: start.Add(-time.Minute)}},
		"sinceTime=2026-01-01T00:00:00Z":      {want: provider.LogOptions{Since: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}},
		"sinceSeconds=10000000000":            {want: provider.LogOptions{Since: start.Add(-time.Duration(9223372036) * time.Second)}},
		"stream=All":                          {},
		"tailLines=-1":                        {err: `query parameter tailLines is "-1", must be a whole number not below 0`},
		"tailLines=ten":                       {err: `query parameter tailLines is "ten", must be a whole number not below 0`},
		"limitBytes=0":                        {err: `query parameter limitBytes is "0", must be a whole number not below 1`},
		"sinceSeconds=0":                      {err: `query parameter sinceSeconds is "0", must be a whole number not below 1`},
		"sinceTime=today":                     {err: `query parameter sinceTime is "today", must be an RFC 3339 time`},
		"follow=maybe":                        {err: `query parameter follow is "maybe", must be true or false`},
		"sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z": {err: "sinceSeconds and sinceTime exclude each other: give one"},
		"stream=Stdout": {err: `stream "Stdout" cannot be chosen: the clouds keep stdout and stderr as one log`},
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		got, err := logOptions(values, start)
		if c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Errorf("%s: %v, want %s", query, err, c.err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", query, err, diff)
		}
	}
}

func FuzzLogQuery(f *testing.F) {
	f.Add("tailLines=1&sinceSeconds=99999999999999")
	f.Add("sinceTime=2026-01-01T00:00:00Z")
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		o, err := logOptions(values, start)
		if err == nil && (o.Tail != nil && *o.Tail < 0 || o.LimitBytes != nil && *o.LimitBytes < 1) {
			t.Errorf("%q: %+v", query, o)
		}
		if err == nil && values.Get("sinceTime") == "" && o.Since.After(start) {
			t.Errorf("%q: since %v lies ahead", query, o.Since)
		}
	})
}

func TestLogs(t *testing.T) {
	for name, c := range map[string]struct {
		query string
		logs  func(context.Context, provider.LogOptions, io.Writer) error
		code  int
		want  string
	}{
		"text": {"?tailLines=3", func(_ context.Context, o provider.LogOptions, w io.Writer) error {
			_, err := fmt.Fprintf(w, "tail %d\n", *o.Tail)
			return err
		}, 200, "tail 3\n"},
		"empty": {"", func(context.Context, provider.LogOptions, io.Writer) error { return nil }, 200, ""},
		"not ready": {"", func(context.Context, provider.LogOptions, io.Writer) error {
			return apierrors.NewBadRequest("is waiting to start")
		}, 400, "is waiting to start\n"},
		"bad query": {"?tailLines=x", nil, 400, "query parameter tailLines is \"x\", must be a whole number not below 0\n"},
		"breaks off": {"", func(_ context.Context, _ provider.LogOptions, w io.Writer) error {
			if _, err := io.WriteString(w, "begin"); err != nil {
				return err
			}
			return errors.New("the cloud is gone")
		}, 200, "begin\n[cumulet: the log ends here: the cloud is gone]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			e := serve(t)
			e.pods.logs = c.logs
			code, body := e.call("GET", "/containerLogs/shop/web/main"+c.query, "alice")
			if code != c.code || body != c.want {
				t.Errorf("%d %q, want %d %q", code, body, c.code, c.want)
			}
		})
	}
}

func TestFollowedLogEndsWithClient(t *testing.T) {
	e := serve(t)
	ended := make(chan struct{})
	e.pods.logs = func(ctx context.Context, _ provider.LogOptions, w io.Writer) error {
		defer close(ended)
		if _, err := io.WriteString(w, "line\n"); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
	client, err := clientOf(e)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+"/containerLogs/shop/web/main?follow=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	line := make([]byte, 5)
	if _, err := io.ReadFull(answer.Body, line); err != nil || string(line) != "line\n" {
		t.Fatalf("first line %q, %v: it is not sent at once", line, err)
	}
	cancel()
	soon(t, "the log ends when its reader leaves", ended)
}

func TestTLS(t *testing.T) {
	e := serve(t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(e.ca)
	address := strings.TrimPrefix(e.url, "https://")
	for name, c := range map[string]struct {
		config *tls.Config
		ok     bool
	}{
		"1.3":         {&tls.Config{MinVersion: tls.VersionTLS13}, true},
		"1.2 AEAD":    {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}, true},
		"1.2 CBC":     {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}}, false},
		"1.1":         {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		"unknown CA":  {&tls.Config{RootCAs: x509.NewCertPool()}, false},
		"HTTP/2 only": {&tls.Config{NextProtos: []string{"h2"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			config := c.config.Clone()
			if config.RootCAs == nil {
				config.RootCAs = roots
			}
			conn, err := tls.Dial("tcp", address, config)
			if (err == nil) != c.ok {
				t.Errorf("handshake: %v, want success %t", err, c.ok)
			}
			if err == nil {
				_ = conn.Close()
			}
		})
	}
}
