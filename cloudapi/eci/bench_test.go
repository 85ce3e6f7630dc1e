package eci

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cumulet/cumulet/cloudapi"
)

// statusPageOf is a full page of the sweep.
func statusPageOf(groups int) string {
	const item = `{"ContainerGroupId":"eci-%020d","Name":"default-web-%d","Namespace":"default","Status":"Running","uuid":"x","Annotations":"{}",
		"PodStatus":{"Phase":"Running","PodIp":"10.0.0.1","PodIps":[{"Ip":"10.0.0.1"}],"HostIp":"10.1.0.1","QosClass":"Burstable","StartTime":"2026-01-02T15:00:00Z",
		"Conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-02T15:00:00Z"},{"type":"Initialized","status":"True"},
		{"type":"ContainersReady","status":"True"},{"type":"PodScheduled","status":"True"}],
		"ContainerStatuses":[{"Name":"web","Image":"nginx","Ready":true,"Started":true,"RestartCount":0,
		"State":{"Running":{"StartedAt":"2026-01-02T15:00:00Z","StartedAtstartedAt":"2026-01-02T15:00:00Z"}}}]}}`
	var items []string
	for i := range groups {
		items = append(items, fmt.Sprintf(item, i, i))
	}
	return `{"RequestId":"R","TotalCount":200,"NextToken":"","Data":[` + strings.Join(items, ",") + `]}`
}

func BenchmarkListPage(b *testing.B) {
	page := statusPageOf(statusPage)
	server := httptest.NewServer(http.HandlerFunc(says(http.StatusOK, page)))
	b.Cleanup(server.Close)
	client := benchClient(b, server.URL)
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		list, err := client.List(b.Context(), owner)
		if err != nil || len(list) != statusPage {
			b.Fatalf("%d groups, %v", len(list), err)
		}
	}
}

func BenchmarkCreate(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(says(http.StatusOK, created)))
	b.Cleanup(server.Close)
	client := benchClient(b, server.URL)
	for b.Loop() {
		if _, err := client.Create(b.Context(), smallSpec(), cloudapi.CreateOptions{Token: "t"}); err != nil {
			b.Fatal(err)
		}
	}
}

func benchClient(b *testing.B, url string) *Client {
	b.Helper()
	client, err := New(Options{
		Region: "cn-hangzhou", Endpoint: url, QuotaScale: 1e6,
		Credentials: Credentials{AccessKeyID: "key-1", AccessKeySecret: "s3cret"},
	})
	if err != nil {
		b.Fatal(err)
	}
	return client
}
