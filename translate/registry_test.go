package translate

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cumulet/cumulet/cloudapi"
)

func TestKeyMatches(t *testing.T) {
	cases := map[string]struct {
		key, image string
		want       bool
	}{
		"Host":           {"reg.example.com", "reg.example.com/app:1", true},
		"OtherHost":      {"reg.example.com", "reg.example.org/app:1", false},
		"Path":           {"reg.example.com/team", "reg.example.com/team/app", true},
		"PathPrefix":     {"reg.example.com/te", "reg.example.com/team/app", true},
		"OtherPath":      {"reg.example.com/other", "reg.example.com/team/app", false},
		"Port":           {"reg.example.com:5000", "reg.example.com:5000/app", true},
		"PortMissing":    {"reg.example.com", "reg.example.com:5000/app", false},
		"Wildcard":       {"*.example.com", "reg.example.com/app", true},
		"WildcardPart":   {"r*g.example.com", "reg.example.com/app", true},
		"WildcardLabels": {"*.example.com", "eu.reg.example.com/app", false},
		"BadPattern":     {"[.example.com", "reg.example.com/app", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := keyMatches(c.key, c.image); got != c.want {
				t.Errorf("keyMatches(%q, %q) = %t", c.key, c.image, got)
			}
		})
	}
}

func TestFullImage(t *testing.T) {
	for in, want := range map[string]string{
		"redis":                      "docker.io/library/redis",
		"redis:7":                    "docker.io/library/redis:7",
		"team/app":                   "docker.io/team/app",
		"localhost/app":              "localhost/app",
		"reg:5000/app":               "reg:5000/app",
		"reg.example.com/x@sha256:0": "reg.example.com/x@sha256:0",
	} {
		if got := fullImage(in); got != want {
			t.Errorf("fullImage(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCanonicalKey(t *testing.T) {
	for in, want := range map[string]string{
		"reg.example.com":                 "reg.example.com",
		"https://reg.example.com/":        "reg.example.com",
		"http://reg.example.com:5000":     "reg.example.com:5000",
		"https://index.docker.io/v1/":     "index.docker.io",
		"https://reg.example.com/v2/team": "reg.example.com/team",
		"reg.example.com/team":            "reg.example.com/team",
	} {
		if got, ok := canonicalKey(in); !ok || got != want {
			t.Errorf("canonicalKey(%q) = %q, %t; want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "https://", "http://%zz"} {
		if got, ok := canonicalKey(in); ok {
			t.Errorf("canonicalKey(%q) = %q", in, got)
		}
	}
}

func TestReadPullSecret(t *testing.T) {
	secret := func(kind corev1.SecretType, key, text string) *corev1.Secret {
		s := &corev1.Secret{Type: kind, Data: map[string][]byte{key: []byte(text)}}
		s.Name = "pull"
		return s
	}
	const auth = "YWxpY2U6czNjcjN0OnR3bw" // alice:s3cr3t:two, without padding
	want := []registryKey{{key: "reg.example.com", secret: "pull", cred: cloudapi.PullCredential{Username: "alice", Password: "s3cr3t:two"}}}
	plain := []registryKey{{key: "reg.example.com", secret: "pull", cred: cloudapi.PullCredential{Username: "bob", Password: "pw"}}}
	cases := map[string]struct {
		reason string
		secret *corev1.Secret
		want   []registryKey
		ok     bool
	}{
		"Missing":   {"there is no secret", nil, nil, false},
		"JSON":      {"auth is base64 of user:password", secret(corev1.SecretTypeDockerConfigJson, ".dockerconfigjson", `{"auths":{"https://reg.example.com":{"auth":"`+auth+`"}}}`), want, true},
		"Padded":    {"padding is allowed", secret(corev1.SecretTypeDockerConfigJson, ".dockerconfigjson", `{"auths":{"reg.example.com":{"auth":"`+auth+`=="}}}`), want, true},
		"Old":       {"the older form has no auths", secret(corev1.SecretTypeDockercfg, ".dockercfg", `{"reg.example.com":{"username":"bob","password":"pw"}}`), plain, true},
		"AuthWins":  {"auth beats the plain fields", secret(corev1.SecretTypeDockercfg, ".dockercfg", `{"reg.example.com":{"username":"bob","password":"pw","auth":"`+auth+`"}}`), want, true},
		"OtherType": {"another type holds no credentials", secret(corev1.SecretTypeOpaque, ".dockercfg", `{"reg.example.com":{}}`), nil, true},
		"Empty":     {"an empty key holds none either", secret(corev1.SecretTypeDockercfg, "other", `x`), nil, true},
		"NotJSON":   {"what cannot be read is told", secret(corev1.SecretTypeDockercfg, ".dockercfg", `{`), nil, false},
		"NotBase64": {"auth must be base64", secret(corev1.SecretTypeDockercfg, ".dockercfg", `{"reg.example.com":{"auth":"!"}}`), nil, false},
		"NoColon":   {"auth must hold a colon", secret(corev1.SecretTypeDockercfg, ".dockercfg", `{"reg.example.com":{"auth":"YWxpY2U"}}`), nil, false},
		"Anonymous": {"an entry of nobody, as docker writes one whose password a store of its own keeps, is no credential",
			secret(corev1.SecretTypeDockerConfigJson, ".dockerconfigjson", `{"auths":{"other.example.com":{},"reg.example.com":{"auth":"`+auth+`"}},"credsStore":"desktop"}`), want, true},
		"NoAddress": {"an entry that is no address is passed over", secret(corev1.SecretTypeDockercfg, ".dockercfg", `{"https://":{"auth":"!"},"reg.example.com":{"username":"bob","password":"pw"}}`), plain, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := readPullSecret(c.secret)
			if ok != c.ok {
				t.Errorf("%s: ok = %t", c.reason, ok)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(registryKey{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// TestCredentialsOfNobody: the clouds take a name and a password, so that an entry
// with one of them is told, and one with neither says what is so without it: that
// the image is pulled by nobody.
func TestCredentialsOfNobody(t *testing.T) {
	const half = `the credential of secret "pull", entry "reg.example.com" for reg.example.com/app:1: ` +
		"the cloud takes a user name together with a password"
	for name, c := range map[string]struct {
		reason, entry string
		want          []cloudapi.PullCredential
		notes         []Note
	}{
		"Whole": {"both go to the cloud", `{"username":"u","password":"p"}`,
			[]cloudapi.PullCredential{{Server: "reg.example.com", Username: "u", Password: "p"}}, nil},
		"Empty":      {"nobody needs no credential", `{}`, nil, nil},
		"EmptyAuth":  {"a colon alone is nobody too", `{"auth":"Og=="}`, nil, nil},
		"NoPassword": {"a name alone cannot be told", `{"username":"u"}`, nil, []Note{{Field: "spec.imagePullSecrets", Decision: DecisionIgnored, Reason: half}}},
		"NoName":     {"nor can a password alone", `{"password":"p"}`, nil, []Note{{Field: "spec.imagePullSecrets", Decision: DecisionIgnored, Reason: half}}},
	} {
		t.Run(name, func(t *testing.T) {
			secret := &corev1.Secret{Type: corev1.SecretTypeDockercfg, Data: map[string][]byte{".dockercfg": []byte(`{"reg.example.com":` + c.entry + `}`)}}
			secret.Name = "pull"
			pod := &corev1.Pod{}
			pod.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "pull"}}
			pod.Spec.Containers = []corev1.Container{{Name: "app", Image: "reg.example.com/app:1"}}
			run := &translation{pod: pod, refs: References{Secrets: map[string]*corev1.Secret{"pull": secret}}, limits: &cloudapi.Limits{}}
			if diff := cmp.Diff(c.want, run.pullCredentials()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(c.notes, run.report.Notes); diff != "" {
				t.Errorf("%s: notes (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}
