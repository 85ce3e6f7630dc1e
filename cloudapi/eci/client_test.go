package eci

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cumulet/cumulet/cloudapi"
)

const created = `{"RequestId":"R-1","ContainerGroupId":"eci-1"}`

func TestCreate(t *testing.T) {
	type want struct {
		ID         string
		Code       cloudapi.Code
		HTTPStatus int
		RequestID  string
		Uncertain  bool
	}
	lost := want{Code: cloudapi.CodeUnavailable, Uncertain: true}
	with := func(w want, status int) want { w.HTTPStatus = status; return w }
	four := func(answer func(http.ResponseWriter, *http.Request)) []func(http.ResponseWriter, *http.Request) {
		return []func(http.ResponseWriter, *http.Request){answer, answer, answer, answer}
	}
	cases := map[string]struct {
		reason  string
		noToken bool
		answers []func(http.ResponseWriter, *http.Request)
		want    want
	}{
		"Success":            {reason: "the id comes back", answers: []func(http.ResponseWriter, *http.Request){says(200, created)}, want: want{ID: "eci-1"}},
		"ThrottledThenTaken": {reason: "throttling is waited out", answers: []func(http.ResponseWriter, *http.Request){refuses(400, "Throttling.User"), says(200, created)}, want: want{ID: "eci-1"}},
		"ErrorAfterCommit":   {reason: "the token finds the group of the failed attempt", answers: []func(http.ResponseWriter, *http.Request){refuses(500, "InternalError"), says(200, created)}, want: want{ID: "eci-1"}},
		"AnswerLost":         {reason: "the same for an answer that was lost", answers: []func(http.ResponseWriter, *http.Request){hangsUp, says(200, created)}, want: want{ID: "eci-1"}},
		"AnswerCut":          {reason: "or was cut", answers: []func(http.ResponseWriter, *http.Request){breaksOff(created[:20]), says(200, created)}, want: want{ID: "eci-1"}},
		"AlwaysHTML":         {reason: "a gateway's page keeps its status", answers: four(says(502, "<html>bad gateway</html>")), want: with(lost, 502)},
		"AlwaysEmpty":        {reason: "so does an empty answer", answers: four(says(503, "")), want: with(lost, 503)},
		"AlwaysTruncated":    {reason: "JSON that ends too early", answers: four(says(200, created[:30])), want: with(lost, 200)},
		"NoID":               {reason: "an answer that names no group", answers: four(says(200, `{"RequestId":"R-1"}`)), want: with(lost, 200)},
		"NotAnObject":        {reason: "JSON of another kind", answers: four(says(200, `["eci-1"]`)), want: with(lost, 200)},
		"Redirect": {reason: "redirects are not followed", answers: four(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		}), want: with(lost, 307)},
		"ForbiddenPage":    {reason: "a page of another server says nothing about our rights", answers: four(says(403, "<html>")), want: with(lost, 403)},
		"Mismatch":         {reason: "the token was used with another request", answers: []func(http.ResponseWriter, *http.Request){refuses(400, "IdempotentParameterMismatch")}, want: want{Code: cloudapi.CodeMismatch, HTTPStatus: 400, RequestID: "R-1"}},
		"NoStock":          {reason: "is told at once", answers: []func(http.ResponseWriter, *http.Request){refuses(403, "OperationDenied.NoStock")}, want: want{Code: cloudapi.CodeOutOfStock, HTTPStatus: 403, RequestID: "R-1"}},
		"LostThenQuota":    {reason: "a refusal does not undo the attempt before it", answers: []func(http.ResponseWriter, *http.Request){hangsUp, refuses(403, "QuotaExceeded")}, want: want{Code: cloudapi.CodeQuota, HTTPStatus: 403, RequestID: "R-1", Uncertain: true}},
		"NoTokenLost":      {reason: "without a token nothing uncertain is repeated", noToken: true, answers: []func(http.ResponseWriter, *http.Request){hangsUp}, want: lost},
		"NoTokenThrottled": {reason: "but throttling is", noToken: true, answers: []func(http.ResponseWriter, *http.Request){refuses(400, "Throttling"), says(200, created)}, want: want{ID: "eci-1"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			token := "token-1"
			if tc.noToken {
				token = ""
			}
			var steps []step
			for _, answer := range tc.answers {
				steps = append(steps, step{action: opCreate, answer: answer, check: func(t *testing.T, form url.Values, _ http.Header) {
					if got := form.Get("ClientToken"); got != token {
						t.Errorf("token %q, want %q in each attempt", got, token)
					}
				}})
			}
			client, s := play(t, steps...)
			var got want
			id, err := client.Create(t.Context(), smallSpec(), cloudapi.CreateOptions{Token: token})
			got.ID = id
			if e, ok := errors.AsType[*cloudapi.Error](err); ok {
				got.Code, got.HTTPStatus, got.RequestID, got.Uncertain = e.Code, e.HTTPStatus, e.RequestID, e.Uncertain
				if e.Op != "CreateContainerGroup" {
					t.Errorf("operation %q", e.Op)
				}
			} else if err != nil {
				t.Errorf("error of type %T, want *cloudapi.Error", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s\nerror: %v", tc.reason, diff, err)
			}
			nonces := s.header("X-Acs-Signature-Nonce")
			slices.Sort(nonces)
			if n := len(slices.Compact(nonces)); n != len(tc.answers) {
				t.Errorf("%d nonces in %d attempts", n, len(tc.answers))
			}
		})
	}
}

func TestTokenIsChecked(t *testing.T) {
	client, _ := play(t)
	for _, token := range []string{strings.Repeat("x", 65), "tökén", "a\nb"} {
		if _, err := client.Create(t.Context(), smallSpec(), cloudapi.CreateOptions{Token: token}); !cloudapi.Is(err, cloudapi.CodeInvalid) {
			t.Errorf("token %q: %v, want code Invalid", token, err)
		}
	}
}

// TestNotSent: nobody listens, so nothing can have been done.
func TestNotSent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	client := quickClient(t, Options{Endpoint: "http://" + address})
	_, err = client.Create(t.Context(), smallSpec(), cloudapi.CreateOptions{Token: "t"})
	var e *cloudapi.Error
	if !errors.As(err, &e) || e.Code != cloudapi.CodeUnavailable || e.Uncertain {
		t.Errorf("got %#v, want code Unavailable, certain", err)
	}
}

func TestContexts(t *testing.T) {
	t.Run("Cancel", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client, _ := play(t, step{action: opCreate, answer: func(w http.ResponseWriter, r *http.Request) {
			cancel()
			hangs(w, r)
		}})
		began := time.Now()
		_, err := client.Create(ctx, smallSpec(), cloudapi.CreateOptions{Token: "t"})
		var e *cloudapi.Error
		if !errors.As(err, &e) || e.Code != cloudapi.CodeCanceled || !e.Uncertain || !errors.Is(err, context.Canceled) {
			t.Errorf("got %#v, want code Canceled, uncertain, around context.Canceled", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %v, want at most a second", took)
		}
	})
	t.Run("Timeout", func(t *testing.T) {
		client, _ := play(t, step{action: opCreate, answer: hangs}, step{action: opCreate, answer: says(200, created)})
		client.httpTimeout = 100 * time.Millisecond
		if id, err := client.Create(t.Context(), smallSpec(), cloudapi.CreateOptions{Token: "t"}); err != nil || id != "eci-1" {
			t.Errorf("got %q, %v; want the second attempt to succeed", id, err)
		}
	})
	t.Run("TimeoutWithoutToken", func(t *testing.T) {
		client, _ := play(t, step{action: opCreate, answer: hangs})
		client.httpTimeout = 100 * time.Millisecond
		_, err := client.Create(t.Context(), smallSpec(), cloudapi.CreateOptions{})
		var e *cloudapi.Error
		if !errors.As(err, &e) || e.Code != cloudapi.CodeUnavailable || !e.Uncertain {
			t.Errorf("got %#v, want code Unavailable, uncertain", err)
		}
	})
}

func TestDelete(t *testing.T) {
	done := says(200, `{"RequestId":"R-1"}`)
	cases := map[string]struct {
		reason  string
		answers []func(http.ResponseWriter, *http.Request)
		want    cloudapi.Code // empty: success
	}{
		"Success":       {"", []func(http.ResponseWriter, *http.Request){done}, ""},
		"Gone":          {"what is gone is deleted", []func(http.ResponseWriter, *http.Request){refuses(404, "InvalidParameter.NotFound")}, ""},
		"GoneOtherCode": {"whatever the code", []func(http.ResponseWriter, *http.Request){refuses(404, "NoSuchGroup")}, ""},
		"Conflict":      {"an earlier request is waited for", []func(http.ResponseWriter, *http.Request){refuses(400, "OperationConflict"), refuses(400, "IncorrectStatus"), done}, ""},
		"LostThenGone":  {"the lost attempt did it", []func(http.ResponseWriter, *http.Request){hangsUp, refuses(404, "InvalidParameter.NotFound")}, ""},
		"NotFoundPage":  {"a wrong server's 404 deletes nothing", slices.Repeat([]func(http.ResponseWriter, *http.Request){says(404, "<html>not found</html>")}, 4), cloudapi.CodeUnavailable},
		"NoAnswer":      {"nor does an empty object", slices.Repeat([]func(http.ResponseWriter, *http.Request){says(200, "{}")}, 4), cloudapi.CodeUnavailable},
		"WrongRegion":   {"nor an unknown region", []func(http.ResponseWriter, *http.Request){refuses(404, "InvalidRegionId.NotFound")}, cloudapi.CodeForbidden},
		"WrongKey":      {"nor an unknown key", []func(http.ResponseWriter, *http.Request){refuses(404, "InvalidAccessKeyId.NotFound")}, cloudapi.CodeUnauthorized},
		"StaysConflict": {"a conflict that stays is told", slices.Repeat([]func(http.ResponseWriter, *http.Request){refuses(400, "OperationConflict")}, 4), cloudapi.CodeConflict},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var steps []step
			for _, answer := range tc.answers {
				steps = append(steps, step{action: opDelete, answer: answer, check: func(t *testing.T, form url.Values, _ http.Header) {
					want := url.Values{"RegionId": {"cn-hangzhou"}, "ContainerGroupId": {"eci-1"}, "Force": {"true"}}
					if diff := cmp.Diff(want, form); diff != "" {
						t.Errorf("parameters (-want +got):\n%s", diff)
					}
				}})
			}
			client, _ := play(t, steps...)
			err := client.Delete(t.Context(), "eci-1", cloudapi.DeleteOptions{Force: true})
			if tc.want == "" && err != nil || tc.want != "" && !cloudapi.Is(err, tc.want) {
				t.Errorf("%s: got %v, want code %q", tc.reason, err, tc.want)
			}
		})
	}
	client, _ := play(t)
	if err := client.Delete(t.Context(), "", cloudapi.DeleteOptions{}); !cloudapi.Is(err, cloudapi.CodeInvalid) {
		t.Errorf("got %v for an empty id, want code Invalid", err)
	}
}

// TestErrorsShowNoSecrets lets the cloud quote the whole request in its answer.
func TestErrorsShowNoSecrets(t *testing.T) {
	spec := smallSpec()
	spec.Containers[0].Env = []cloudapi.EnvVar{{Name: "A", Value: "canary-env"}}
	spec.InitContainers = []cloudapi.Container{{Name: "i", Image: "i", Env: []cloudapi.EnvVar{{Name: "A", Value: "canary-init"}}}}
	spec.Volumes = []cloudapi.Volume{{Name: "v", Files: &cloudapi.Files{Items: []cloudapi.File{{Path: "f", Content: []byte("canary-file")}}}}}
	spec.PullCredentials = []cloudapi.PullCredential{{Server: "r", Username: "u", Password: "canary-pull"}}
	canaries := []string{"canary-env", "canary-init", "Y2FuYXJ5LWZpbGU", "canary-pull", "s3cret"}
	quote := func(code string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			text := fmt.Sprintf("%s %v %v", strings.Join(slices.Collect(values(r.PostForm)), " "), r.Header, canaries[:4])
			says(400, fmt.Sprintf(`{"RequestId":"R","Code":%q,"Message":%q}`, code, text))(w, r)
		}
	}
	for _, code := range []string{"InvalidParameter", "SignatureDoesNotMatch", "Throttling.Vcpu.PerDay"} {
		client, _ := play(t, step{action: opCreate, answer: quote(code)})
		_, err := client.Create(t.Context(), spec, cloudapi.CreateOptions{Token: "t"})
		if err == nil {
			t.Fatal("no error")
		}
		for _, canary := range canaries {
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), canary) {
				t.Errorf("%s: %v shows %s", code, err, canary)
			}
		}
	}
}

func values(form url.Values) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for name := range form {
			if !yield(form.Get(name)) {
				return
			}
		}
	}
}

// TestConcurrentUse makes many calls at once over few connections.
func TestConcurrentUse(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(says(200, `{"RequestId":"R","Content":"x\n"}`)))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := quickClient(t, Options{Endpoint: server.URL})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 25 {
				if _, err := client.Logs(t.Context(), "eci-1", "c", cloudapi.LogOptions{}); err != nil {
					t.Errorf("Logs: %v", err)
				}
			}
		})
	}
	callers.Wait()
	if n := connections.Load(); n > 16 {
		t.Errorf("%d connections for 200 calls of 8 callers, want them used again", n)
	}
}

func TestNewTellsAllFaults(t *testing.T) {
	_, err := New(Options{Region: "Hang Zhou", Endpoint: "http://example.com", QuotaScale: -1})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"configuring ECI", `region is "Hang Zhou"`, "must use https", "quotaScale is -1", "0 sources are named"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}
