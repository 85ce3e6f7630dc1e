package translate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/translate"
)

func TestUnknownHostIP(t *testing.T) {
	pod, refs := readCase(t, "testdata/pod/env-fields.pod.yaml")
	o := options(eciLimits())
	o.HostIP = ""
	_, _, err := translate.Group(pod, refs, o)
	var got *translate.MissingReference
	if !errors.As(err, &got) || got.Kind != translate.KindNode || got.Reason() != "CreateContainerConfigError" {
		t.Errorf("want a missing node address, got %v", err)
	}
}

func TestNoClusterDNS(t *testing.T) {
	o := options(eciLimits())
	o.ClusterDNS = nil
	spec, report, err := translate.Group(simplePod(), translate.References{}, o)
	if err != nil || spec.DNS != nil {
		t.Fatalf("want the cloud's own resolver, got %v, %v", spec.DNS, err)
	}
	wantEvents := []translate.Event{{Warning: true, Reason: "MissingClusterDNS", Message: `pod: "web_shop(0b6f3c1e-5a52-4c0f-9d8e-3f6a1b2c3d4e)". kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.`}}
	if diff := cmp.Diff(wantEvents, report.Events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	wantNote := translate.Note{Field: "spec.dnsPolicy", Decision: translate.DecisionChanged, Reason: "the node has no addresses of the cluster's DNS", Asked: "ClusterFirst", Sold: "Default"}
	if diff := cmp.Diff(wantNote, report.Notes[len(report.Notes)-1]); diff != "" {
		t.Errorf("note (-want +got):\n%s", diff)
	}
}

func TestNoClusterDomain(t *testing.T) {
	o := options(eciLimits())
	o.ClusterDomain = ""
	spec, _, err := translate.Group(simplePod(), translate.References{}, o)
	want := &cloudapi.DNS{NameServers: []string{"172.21.0.10"}, Searches: []string{}, Options: []cloudapi.DNSOption{{Name: "ndots", Value: "5"}}}
	if diff := cmp.Diff(want, spec.DNS); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestSearchListIsCut(t *testing.T) {
	pod := simplePod()
	searches := []string{strings.Repeat("x", 254)}
	for range 40 {
		searches = append(searches, strings.Repeat("y", len(searches)))
	}
	pod.Spec.DNSConfig = &corev1.PodDNSConfig{Searches: searches}
	o := options(eciLimits())
	o.Limits.MaxSearches = 0
	spec, report, err := translate.Group(pod, translate.References{}, o)
	if err != nil {
		t.Fatal(err)
	}
	// The cluster's three, then y, yy … up to 32 entries, of which the one
	// with 254 characters is left out.
	if n := len(spec.DNS.Searches); n != 31 || spec.DNS.Searches[3] != "y" || len(spec.DNS.Searches[30]) != 28 {
		t.Errorf("%d searches: %q", n, spec.DNS.Searches)
	}
	if len(report.Events) != 1 || report.Events[0].Reason != "DNSConfigForming" {
		t.Errorf("events: %v", report.Events)
	}
}

// TestLongHostAlias: names that are too many for one line of the cloud's go on in
// the next, which is the same to a hosts file.
func TestLongHostAlias(t *testing.T) {
	limits := eciLimits()
	limits.MaxHostnames, limits.MaxHostAliases = 2, 3
	pod := simplePod()
	pod.Annotations = map[string]string{"cumulet.dev/host-aliases": `[{"hostnames":["x","y","z"],"ip":"192.0.2.2"}]`}
	pod.Spec.HostAliases = []corev1.HostAlias{{IP: "192.0.2.1", Hostnames: []string{"a", "b"}}}
	spec, _, err := translate.Group(pod, translate.References{}, options(limits))
	if err != nil {
		t.Fatal(err)
	}
	want := []cloudapi.HostAlias{
		{IP: "192.0.2.1", Hostnames: []string{"a", "b"}},
		{IP: "192.0.2.2", Hostnames: []string{"x", "y"}}, {IP: "192.0.2.2", Hostnames: []string{"z"}},
	}
	if diff := cmp.Diff(want, spec.HostAliases); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	pod.Annotations = nil
	pod.Spec.HostAliases[0].Hostnames = []string{"1", "2", "3", "4", "5", "6", "7"}
	_, _, err = translate.Group(pod, translate.References{}, options(limits))
	if err == nil || !strings.Contains(err.Error(), "spec.hostAliases: 4 host aliases of at most 2 names; the cloud takes at most 3") {
		t.Errorf("got %v", err)
	}
}
