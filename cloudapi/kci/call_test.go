package kci

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/internal/credential"
)

var ours = cloudapi.Owner{Cluster: "c-uid", Node: "vn", NamePrefix: "k5xs2mnbq7."}

const emptyPage = `{"RequestId":"r","Marker":0,"TotalCount":0,"ContainerGroups":[]}`

// Reads are repeated through throttling, failures and unreadable answers.
func TestReadsAreRepeated(t *testing.T) {
	cases := map[string]http.HandlerFunc{
		"Throttled":      refuses(409, "LimitExceeded", "slow down"),
		"Unavailable":    refuses(500, "ServiceUnavailable", "Exception x"),
		"Timeout":        refuses(500, "ServiceTimeout", "Internal Service is unavailable because of time out."),
		"HungUp":         hangUp,
		"TruncatedJSON":  answers(200, `{"RequestId":"r","Marker":0,"TotalCount":2,"ContainerGroups":[{"ContainerGroupId":"a"`),
		"HTMLWithStatus": answers(502, "<html>Bad Gateway</html>"),
		"HTMLWithout":    answers(200, "<html>Welcome</html>"),
		"EmptyBody":      answers(200, ""),
		"NoList":         answers(200, `{"RequestId":"r"}`),
		"ErrorInside200": answers(200, `{"Error":{"Code":"ServiceTimeout","Message":"m"}}`),
	}
	for name, fault := range cases {
		t.Run(name, func(t *testing.T) {
			server := script(t, step{action: actionDescribe, do: fault}, step{action: actionDescribe, do: fault},
				step{action: actionDescribe, do: answers(200, emptyPage)})
			groups, err := connect(t, server).List(t.Context(), ours)
			if err != nil || groups == nil || len(groups) != 0 {
				t.Errorf("got %v and error %v, want an empty list", groups, err)
			}
		})
	}
}

// What cannot get better is not repeated.
func TestRefusalsAreNotRepeated(t *testing.T) {
	cases := map[string]struct {
		fault http.HandlerFunc
		want  string
	}{
		"Forbidden":    {refuses(403, "AccessDenied", "User: u is not authorized"), "DescribeContainerGroup: Forbidden: AccessDenied: User: u is not authorized (request req-err)"},
		"WrongKey":     {refuses(403, "InvalidClientTokenId", "no such key"), "DescribeContainerGroup: Unauthorized: InvalidClientTokenId: no such key (request req-err)"},
		"NoSuchAction": {refuses(404, "NoSuchEntity", "does not exist"), "DescribeContainerGroup: Unavailable: NoSuchEntity: does not exist (request req-err)"},
		"Redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
			"DescribeContainerGroup: Unavailable: HTTP status Temporary Redirect"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := connect(t, script(t, step{action: actionDescribe, do: tc.fault})).List(t.Context(), ours)
			if errorText(err) != tc.want {
				t.Errorf("error %q, want %q", errorText(err), tc.want)
			}
		})
	}
}

func TestAttemptsEnd(t *testing.T) {
	var calls atomic.Int32
	server := serve(t, func(w http.ResponseWriter, r *http.Request, _ url.Values) {
		calls.Add(1)
		refuses(500, "ServiceUnavailable", "down")(w, r)
	})
	_, err := connect(t, server).List(t.Context(), ours)
	if !cloudapi.Is(err, cloudapi.CodeUnavailable) || calls.Load() != 5 {
		t.Errorf("%d calls, error %v; want 5 and Unavailable", calls.Load(), err)
	}
}

// A clock that is wrong is corrected by the answer's Date, once, and the next
// request is right from the start.
func TestSkewedClock(t *testing.T) {
	cloudTime := now.Add(40 * time.Minute)
	expired := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", cloudTime.Format(http.TimeFormat))
		refuses(403, "SignatureDoesNotMatch", "Signature expired:20260301T120000Z.")(w, r)
	}
	signedAt := func(want string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("X-Amz-Date"); got != want {
				t.Errorf("signed at %s, want %s", got, want)
			}
			answers(200, emptyPage)(w, r)
		}
	}
	client := connect(t, script(t,
		step{action: actionDescribe, do: expired},
		step{action: actionDescribe, do: signedAt("20260301T124000Z")},
		step{action: actionDescribe, do: signedAt("20260301T124000Z")},
	))
	for range 2 {
		if _, err := client.List(t.Context(), ours); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSkewIsCorrectedOnceACall(t *testing.T) {
	expired := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now.Add(time.Hour).Format(http.TimeFormat))
		refuses(403, "SignatureDoesNotMatch", "Signature expired:x.")(w, r)
	}
	client := connect(t, script(t, step{action: actionDescribe, do: expired}, step{action: actionDescribe, do: expired}))
	if _, err := client.List(t.Context(), ours); !cloudapi.Is(err, cloudapi.CodeUnauthorized) {
		t.Errorf("error %v, want Unauthorized", err)
	}
}

// keys hands out one key after the other and stays with the last.
type keys struct {
	ids []string
	at  atomic.Int32
}

func (k *keys) AccessKey(context.Context) (credential.AccessKey, error) {
	i := min(int(k.at.Add(1))-1, len(k.ids)-1)
	if k.ids[i] == "" {
		return credential.AccessKey{}, errors.New("reading credentials: no such file")
	}
	return credential.AccessKey{ID: k.ids[i], Secret: "secret-of-" + k.ids[i], Token: "token-of-" + k.ids[i]}, nil
}

func withKeys(ids ...string) func(*Options) {
	return func(o *Options) { o.Credentials = &keys{ids: ids} }
}

// A key that was replaced while a request was under way is fetched again.
func TestReplacedKey(t *testing.T) {
	with := func(id string, do http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("Authorization"); !strings.Contains(got, "Credential="+id+"/20260301/cn-beijing-6/kci/aws4_request") {
				t.Errorf("signed by %s, want %s", got, id)
			}
			if got := r.Header.Get("X-Ksc-Security-Token"); got != "token-of-"+id {
				t.Errorf("token %q, want that of %s", got, id)
			}
			do(w, r)
		}
	}
	server := script(t,
		step{action: actionDescribe, do: with("old", refuses(400, "SecurityTokenExpired", "expired"))},
		step{action: actionDescribe, do: with("new", answers(200, emptyPage))},
	)
	if _, err := connect(t, server, withKeys("old", "new")).List(t.Context(), ours); err != nil {
		t.Error(err)
	}
}

func TestUnreadableKeyIsNoCall(t *testing.T) {
	_, err := connect(t, script(t), withKeys("")).List(t.Context(), ours)
	want := "DescribeContainerGroup: Unauthorized: reading credentials: no such file"
	if errorText(err) != want {
		t.Errorf("error %q, want %q", errorText(err), want)
	}
}

// No answer: the caller's context ends the call, and a create's outcome is open.
func TestHangAndCancel(t *testing.T) {
	arrived := make(chan struct{})
	server := serve(t, func(_ http.ResponseWriter, r *http.Request, _ url.Values) {
		close(arrived)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	_, err := connect(t, server).Create(ctx, plainSpec(), cloudapi.CreateOptions{})
	var e *cloudapi.Error
	if !errors.As(err, &e) || e.Code != cloudapi.CodeCanceled || !e.Uncertain || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want Canceled and uncertain", err)
	}
}

func TestHangAndTimeout(t *testing.T) {
	server := serve(t, func(_ http.ResponseWriter, r *http.Request, _ url.Values) { <-r.Context().Done() })
	client := connect(t, server, func(o *Options) { o.HTTPTimeout = 20 * time.Millisecond })
	_, err := client.Create(t.Context(), plainSpec(), cloudapi.CreateOptions{})
	var e *cloudapi.Error
	if !errors.As(err, &e) || e.Code != cloudapi.CodeUnavailable || !e.Uncertain ||
		!strings.Contains(err.Error(), "no whole answer within 20ms") {
		t.Errorf("error %v, want Unavailable and uncertain", err)
	}
}

// Before a connection stands nothing was done, and that is sure.
func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	server.URL = "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = connect(t, server).Create(t.Context(), plainSpec(), cloudapi.CreateOptions{})
	var e *cloudapi.Error
	if !errors.As(err, &e) || e.Code != cloudapi.CodeUnavailable || e.Uncertain {
		t.Errorf("error %v, want Unavailable and sure", err)
	}
}

func TestAnswerBeyondBounds(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request, _ url.Values) {
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for range maxAnswer>>20 + 1 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	_, err := connect(t, server).Create(t.Context(), plainSpec(), cloudapi.CreateOptions{})
	if !cloudapi.Is(err, cloudapi.CodeUnavailable) || !strings.Contains(err.Error(), "longer than 33554432 bytes") {
		t.Errorf("error %v", err)
	}
}

// Connections are used again.
func TestConnectionsAreReused(t *testing.T) {
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(answers(200, emptyPage))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := connect(t, server)
	for range 10 {
		if _, err := client.List(t.Context(), ours); err != nil {
			t.Fatal(err)
		}
	}
	if opened.Load() != 1 {
		t.Errorf("%d connections, want 1", opened.Load())
	}
}
