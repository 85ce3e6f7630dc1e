package eci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aliyun/credentials-go/credentials"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cumulet/cumulet/cloudapi"
)

const logged = `{"RequestId":"R","Content":""}`

func readLog(t *testing.T, client *Client) error {
	t.Helper()
	_, err := client.Logs(t.Context(), "eci-1", "c", cloudapi.LogOptions{})
	return err
}

// keyOf returns the key id of an Authorization header.
func keyOf(authorization string) string {
	_, rest, _ := strings.Cut(authorization, "Credential=")
	id, _, _ := strings.Cut(rest, ",")
	return id
}

// TestKeyIsReplacedMidFlight: the key's file is replaced after the request was
// signed; the refused request is signed anew once.
func TestKeyIsReplacedMidFlight(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.yaml")
	write := func(id, token string) {
		content := fmt.Sprintf("accessKeyId: %s\naccessKeySecret: s3cret\nsecurityToken: %s\n", id, token)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Error(err)
		}
	}
	write("key-1", "token-1")
	_, s := play(t,
		step{action: opLog, answer: func(w http.ResponseWriter, r *http.Request) {
			write("key-two", "token-2")
			refuses(400, "InvalidSecurityToken.Expired")(w, r)
		}},
		step{action: opLog, answer: says(200, logged)},
		step{action: opLog, answer: refuses(404, "InvalidAccessKeyId.NotFound")},
	)
	client := quickClient(t, Options{Endpoint: s.url, Credentials: Credentials{File: path}})
	if err := readLog(t, client); err != nil {
		t.Fatalf("the request was not signed anew: %v", err)
	}
	if err := readLog(t, client); !cloudapi.Is(err, cloudapi.CodeUnauthorized) {
		t.Errorf("got %v with a key that stays wrong, want code Unauthorized after one request", err)
	}
	for i, want := range []string{"key-1", "key-two", "key-two"} {
		if got := keyOf(s.header("Authorization")[i]); got != want {
			t.Errorf("request %d is signed by %s, want %s", i+1, got, want)
		}
	}
	if got := s.header("X-Acs-Security-Token")[1]; got != "token-2" {
		t.Errorf("security token %q, want token-2", got)
	}
}

// TestClockSkew: a cloud that is ten minutes ahead refuses once.
func TestClockSkew(t *testing.T) {
	ahead := func(answer func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(20*time.Minute).UTC().Format(http.TimeFormat))
			answer(w, r)
		}
	}
	client, s := play(t,
		step{action: opLog, answer: ahead(refuses(400, "InvalidTimeStamp.Expired"))},
		step{action: opLog, answer: ahead(says(200, logged))},
		step{action: opLog, answer: ahead(says(200, logged))},
	)
	for range 2 {
		if err := readLog(t, client); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []time.Duration{0, 20 * time.Minute, 20 * time.Minute} {
		date, err := time.Parse(time.RFC3339, s.header("X-Acs-Date")[i])
		if err != nil {
			t.Fatal(err)
		}
		if off := time.Until(date) - want; off.Abs() > time.Minute {
			t.Errorf("request %d is signed for %v, want %v from now", i+1, date, want)
		}
	}
}

// fakeRole is a provider without a lock of its own, as the library's are; the
// race detector watches it.
type fakeRole struct {
	calls int
	next  func(call int) (*credentials.CredentialModel, error)
}

func (f *fakeRole) GetCredential() (*credentials.CredentialModel, error) {
	f.calls++
	return f.next(f.calls)
}

func model(id string) *credentials.CredentialModel {
	secret, token := "s3cret", "t0ken"
	return &credentials.CredentialModel{AccessKeyId: &id, AccessKeySecret: &secret, SecurityToken: &token}
}

func roleWith(clock *clocktesting.FakePassiveClock, providers ...provider) *roleSource {
	return &roleSource{clock: clock, build: func() (provider, error) {
		if len(providers) == 0 {
			return nil, errors.New("no more providers")
		}
		next := providers[0]
		providers = providers[1:]
		return next, nil
	}}
}

func TestRoleIsAskedByOneAtATime(t *testing.T) {
	source := roleWith(clocktesting.NewFakePassiveClock(time.Now()), &fakeRole{next: func(int) (*credentials.CredentialModel, error) {
		return model("id"), nil
	}})
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() {
			for range 50 {
				if key, err := source.AccessKey(t.Context()); err != nil || key.ID != "id" {
					t.Errorf("got %v, %v", key, err)
				}
			}
		})
	}
	callers.Wait()
}

func TestRoleSurvivesAnOutage(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(time.Now())
	broken := errors.New("sts is down")
	source := roleWith(clock, &fakeRole{next: func(call int) (*credentials.CredentialModel, error) {
		if call == 1 {
			return model("id"), nil
		}
		return nil, broken
	}})
	for _, at := range []struct {
		after time.Duration
		ok    bool
	}{{0, true}, {149 * time.Second, true}, {time.Second, false}} {
		clock.SetTime(clock.Now().Add(at.after))
		key, err := source.AccessKey(t.Context())
		if at.ok && (err != nil || key.ID != "id") || !at.ok && !errors.Is(err, broken) {
			t.Errorf("after %v more: got %v, %v", at.after, key, err)
		}
	}
}

func TestRoleIsRenewed(t *testing.T) {
	give := func(id string) provider {
		return &fakeRole{next: func(int) (*credentials.CredentialModel, error) { return model(id), nil }}
	}
	source := roleWith(clocktesting.NewFakePassiveClock(time.Now()), give("one"), give("two"))
	_, s := play(t,
		step{action: opLog, answer: refuses(400, "InvalidSecurityToken.Expired")},
		step{action: opLog, answer: says(200, logged)})
	client := quickClient(t, Options{Endpoint: s.url})
	client.credentials = source
	if err := readLog(t, client); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"one", "two"} {
		if got := keyOf(s.header("Authorization")[i]); got != want {
			t.Errorf("request %d is signed by %s, want %s", i+1, got, want)
		}
	}
}

func TestRoleFailures(t *testing.T) {
	cases := map[string]struct {
		reason string
		next   func(int) (*credentials.CredentialModel, error)
		code   cloudapi.Code
		text   string
	}{
		"Refused": {
			reason: "the service's code is told, and not what else it says",
			next: func(int) (*credentials.CredentialModel, error) {
				return nil, errors.New(`get session token failed: {"RequestId":"R-9","Code":"AuthenticationFail.OIDCToken.Expired","Message":"token t0ken"}`)
			},
			code: cloudapi.CodeUnauthorized, text: "the credential service refused: AuthenticationFail.OIDCToken.Expired (request R-9)",
		},
		"Unreadable": {
			reason: "an answer that cannot be read is not quoted",
			next: func(int) (*credentials.CredentialModel, error) {
				return nil, errors.New(`get session token failed: {"AccessKeySecret":"s3cret"`)
			},
			code: cloudapi.CodeUnavailable, text: "unreadable",
		},
		"Network": {
			reason: "the network's words are told, without the address's query",
			next: func(int) (*credentials.CredentialModel, error) {
				return nil, &url.Error{Op: "Get", URL: "http://meta/?t0ken", Err: errors.New("connection refused")}
			},
			code: cloudapi.CodeUnavailable, text: "connection refused",
		},
		"Panic": {
			reason: "the library takes fields of the answer for granted",
			next:   func(int) (*credentials.CredentialModel, error) { panic("nil pointer") },
			code:   cloudapi.CodeUnavailable, text: "incomplete",
		},
		"NoKey": {
			reason: "an answer without a key",
			next:   func(int) (*credentials.CredentialModel, error) { return &credentials.CredentialModel{}, nil },
			code:   cloudapi.CodeUnavailable, text: "gave no access key",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			client, _ := play(t)
			client.credentials = roleWith(clocktesting.NewFakePassiveClock(time.Now()), &fakeRole{next: tc.next})
			_, err := client.Create(t.Context(), smallSpec(), cloudapi.CreateOptions{Token: "t"})
			var e *cloudapi.Error
			if !errors.As(err, &e) || e.Code != tc.code || e.Uncertain || !strings.Contains(e.Error(), tc.text) {
				t.Errorf("%s: got %v, want code %s, certain, with %q", tc.reason, err, tc.code, tc.text)
			}
			for _, secret := range []string{"s3cret", "t0ken"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%v shows a secret", err)
				}
			}
		})
	}
}

func TestRoleHonoursTheContext(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	source := roleWith(clocktesting.NewFakePassiveClock(time.Now()), &fakeRole{next: func(int) (*credentials.CredentialModel, error) {
		<-release
		return model("id"), nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := source.AccessKey(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestCredentialSources(t *testing.T) {
	cases := map[string]struct {
		credentials Credentials
		wantErr     string
	}{
		"None":       {Credentials{}, "0 sources are named"},
		"Two":        {Credentials{File: "x", ECSRAMRole: "r"}, "2 sources are named"},
		"HalfAKey":   {Credentials{AccessKeyID: "id"}, "accessKeySecret is missing"},
		"NoFile":     {Credentials{File: filepath.Join(t.TempDir(), "none")}, "no such file"},
		"HalfARole":  {Credentials{RRSA: &RRSA{RoleARN: "arn"}}, "RRSA needs RoleARN, OIDCProviderARN and TokenFile"},
		"Role":       {Credentials{RRSA: &RRSA{RoleARN: "acs:ram::1:role/r", OIDCProviderARN: "acs:ram::1:oidc-provider/p", TokenFile: "/t"}}, ""},
		"ECSRAMRole": {Credentials{ECSRAMRole: "role"}, ""},
	}
	for name, tc := range cases {
		source, err := tc.credentials.source(withDefaults(Options{Region: "cn-hangzhou"}))
		if tc.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
				t.Errorf("%s: error %v, want one with %q", name, err, tc.wantErr)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if role, ok := source.(*roleSource); ok {
			if _, err := role.current(); err != nil { // the library accepts the settings
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestCredentialsFormatWithoutSecrets(t *testing.T) {
	c := Credentials{AccessKeyID: "id", AccessKeySecret: "s3cret", SecurityToken: "t0ken"}
	text := fmt.Sprintf("%v %+v %#v %s %v", c, c, c, c, Options{Credentials: c})
	if strings.Contains(text, "s3cret") || strings.Contains(text, "t0ken") {
		t.Errorf("%q shows a secret", text)
	}
}
