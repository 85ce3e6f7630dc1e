package prober

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// noExec is an Exec that no test of the network calls.
func noExec(context.Context, Target, []string, io.Writer) (int, error) {
	return 0, errors.New("no command was expected")
}

func newTestRunner() *Runner { return NewRunner(noExec, (&net.Dialer{}).DialContext) }

// local is the target whose address is this machine, and the port of a server
// on it.
func local(t *testing.T, address string) (Target, intstr.IntOrString) {
	t.Helper()
	host, port, err := net.SplitHostPort(strings.TrimPrefix(strings.TrimPrefix(address, "https://"), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return Target{Group: "group-1", Container: "main", Address: host}, intstr.Parse(port)
}

func httpProbe(port intstr.IntOrString, path string, headers ...corev1.HTTPHeader) *corev1.Probe {
	return &corev1.Probe{TimeoutSeconds: 5, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
		Scheme: corev1.URISchemeHTTP, Path: path, Port: port, HTTPHeaders: headers,
	}}}
}

func TestHTTP(t *testing.T) {
	var seen http.Header
	var host string
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		seen, host = r.Header.Clone(), r.Host
		_, _ = io.WriteString(w, "well, "+r.URL.RawQuery)
	})
	mux.HandleFunc("/399", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(399) })
	mux.HandleFunc("/404", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "secret", http.StatusNotFound) })
	mux.HandleFunc("/here", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/404", http.StatusFound) })
	mux.HandleFunc("/there", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://elsewhere.example/", http.StatusFound)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	target, port := local(t, server.URL)
	for name, c := range map[string]struct {
		reason  string
		path    string
		headers []corev1.HTTPHeader
		outcome Outcome
		text    string
		sent    http.Header
		host    string
	}{
		"Plain": {"what a kubelet sends", "/?a=b", nil, Success, "",
			http.Header{"User-Agent": {"kube-probe/1.35"}, "Accept": {"*/*"}, "Connection": {"close"}}, server.Listener.Addr().String()},
		"Headers": {"the probe's own headers win, in any case",
			"/", []corev1.HTTPHeader{{Name: "user-agent", Value: "me"}, {Name: "X-Two", Value: "1"}, {Name: "x-two", Value: "2"}, {Name: "Host", Value: "shop.example"}},
			Success, "", http.Header{"User-Agent": {"me"}, "Accept": {"*/*"}, "Connection": {"close"}, "X-Two": {"1", "2"}}, "shop.example"},
		"NoAccept": {"an empty Accept takes it away", "/", []corev1.HTTPHeader{{Name: "Accept", Value: ""}}, Success, "",
			http.Header{"User-Agent": {"kube-probe/1.35"}, "Connection": {"close"}}, server.Listener.Addr().String()},
		"LastGood":        {"399 is still well", "/399", nil, Warning, "Probe terminated redirects, Response body: ", nil, ""},
		"Bad":             {"the body is not told", "/404", nil, Failure, "HTTP probe failed with statuscode: 404", nil, ""},
		"RedirectHere":    {"followed on the same host", "/here", nil, Failure, "HTTP probe failed with statuscode: 404", nil, ""},
		"RedirectThere":   {"not followed elsewhere", "/there", nil, Warning, "Probe terminated redirects, Response body: <a href=\"http://elsewhere.example/\">Found</a>.\n\n", nil, ""},
		"UnparseablePath": {"sent as it is", "/%zz", nil, Success, "", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			outcome, text, err := newTestRunner().Check(t.Context(), target, httpProbe(port, c.path, c.headers...))
			if outcome != c.outcome || text != c.text || err != nil {
				t.Errorf("%s: %s %q %v, want %s %q", c.reason, outcome, text, err, c.outcome, c.text)
			}
			if c.sent == nil {
				return
			}
			if diff := cmp.Diff(c.sent, seen); diff != "" || host != c.host {
				t.Errorf("host %q, want %q; headers (-want +got):\n%s", host, c.host, diff)
			}
		})
	}
}

// TestHTTPS: a probe asks for life, not for identity.
func TestHTTPS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	target, port := local(t, server.URL)
	probe := httpProbe(port, "/")
	probe.HTTPGet.Scheme = corev1.URISchemeHTTPS
	if outcome, text, err := newTestRunner().Check(t.Context(), target, probe); outcome != Success || err != nil {
		t.Errorf("%s %q %v", outcome, text, err)
	}
}

// nobody is an address of this machine where nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestNobodyListens(t *testing.T) {
	target, port := local(t, nobody(t))
	for name, probe := range map[string]*corev1.Probe{
		"HTTP": httpProbe(port, "/"),
		"TCP":  {TimeoutSeconds: 5, ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: port}}},
	} {
		t.Run(name, func(t *testing.T) {
			outcome, text, err := newTestRunner().Check(t.Context(), target, probe)
			if outcome != Failure || !strings.Contains(text, "connection refused") || err != nil {
				t.Errorf("%s %q %v", outcome, text, err)
			}
		})
	}
}

func TestTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	target, port := local(t, l.Addr().String())
	target.Address = "192.0.2.1" // the probe names its own host
	probe := &corev1.Probe{TimeoutSeconds: 5, ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: port, Host: "127.0.0.1"}}}
	if outcome, text, err := newTestRunner().Check(t.Context(), target, probe); outcome != Success || err != nil {
		t.Errorf("%s %q %v", outcome, text, err)
	}
}

// TestTimeout: what does not answer in time has failed. The network is in the
// bubble, so that the time is exact.
func TestTimeout(t *testing.T) {
	for name, c := range map[string]struct {
		handler corev1.ProbeHandler
		after   time.Duration
		text    string
	}{
		"HTTP": {httpProbe(intstr.FromInt32(80), "/").ProbeHandler, 3 * time.Second, `Get "http://10.0.0.1:80/": context deadline exceeded`},
		"TCP":  {corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(80)}}, 3 * time.Second, "context deadline exceeded"},
		"GRPC": {corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 80, Service: ptr.To("")}}, 3 * time.Second,
			`timeout: failed to connect service "10.0.0.1:80" within 3s: context deadline exceeded`},
		"Exec": {corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"sleep", "9"}}}, 5 * time.Second,
			`command timed out: "sleep 9" timed out after 3s`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				silent := func(ctx context.Context, _, _ string) (net.Conn, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				exec := func(ctx context.Context, _ Target, _ []string, _ io.Writer) (int, error) {
					<-ctx.Done()
					return 0, ctx.Err()
				}
				begun := time.Now()
				outcome, text, err := NewRunner(exec, silent).Check(t.Context(), Target{Address: "10.0.0.1"},
					&corev1.Probe{TimeoutSeconds: 3, ProbeHandler: c.handler})
				if took := time.Since(begun); outcome != Failure || text != c.text || err != nil || took != c.after {
					t.Errorf("%s %q %v after %v, want %q after %v", outcome, text, err, took, c.text, c.after)
				}
			})
		})
	}
}

func TestGRPC(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, state := grpc.NewServer(), health.NewServer()
	healthv1.RegisterHealthServer(server, state)
	state.SetServingStatus("ill", healthv1.HealthCheckResponse_NOT_SERVING)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	defer serving.Wait()
	defer server.Stop()
	target, port := local(t, l.Addr().String())
	for name, c := range map[string]struct {
		service string
		outcome Outcome
		text    string
	}{
		"Well":    {"", Success, ""},
		"Ill":     {"ill", Failure, `service unhealthy (responded with "NOT_SERVING")`},
		"Unknown": {"none", Failure, "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"},
	} {
		t.Run(name, func(t *testing.T) {
			outcome, text, err := newTestRunner().Check(t.Context(), target, &corev1.Probe{TimeoutSeconds: 5,
				ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: port.IntVal, Service: &c.service}}})
			if outcome != c.outcome || text != c.text || err != nil {
				t.Errorf("%s %q %v, want %s %q", outcome, text, err, c.outcome, c.text)
			}
		})
	}
}

// TestGRPCWithoutHealth: the server speaks gRPC and knows no health service.
func TestGRPCWithoutHealth(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	defer serving.Wait()
	defer server.Stop()
	target, port := local(t, l.Addr().String())
	outcome, text, err := newTestRunner().Check(t.Context(), target, &corev1.Probe{TimeoutSeconds: 5,
		ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: port.IntVal}}})
	const want = "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service grpc.health.v1.Health"
	if outcome != Failure || text != want || err != nil {
		t.Errorf("%s %q %v", outcome, text, err)
	}
}

func TestExec(t *testing.T) {
	away := errors.New("the cloud is away")
	for name, c := range map[string]struct {
		reason  string
		code    int
		err     error
		output  string
		outcome Outcome
		text    string
	}{
		"Good":      {"exit code 0", 0, nil, "fine\n", Success, ""},
		"Bad":       {"the output is told", 1, nil, "not fine\n", Failure, "not fine\n"},
		"Talkative": {"its beginning is told", 2, nil, strings.Repeat("x", 20<<10), Failure, strings.Repeat("x", 10<<10)},
		"NoAnswer":  {"that is no failure of the container", 0, away, "", Unknown, ""},
		"NotRun":    {"nor is that, however long it took", 0, ErrNotRun, "", Unknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var asked string
			exec := func(_ context.Context, to Target, command []string, output io.Writer) (int, error) {
				asked = fmt.Sprint(to.Group, " ", to.Container, " ", command)
				for part := range strings.SplitSeq(c.output, "y") {
					_, _ = io.WriteString(output, part)
				}
				return c.code, c.err
			}
			outcome, text, err := NewRunner(exec, nil).Check(t.Context(), Target{Group: "group-1", Container: "main"}, &corev1.Probe{
				TimeoutSeconds: 1, ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"cat", "/tmp/health"}}}})
			if outcome != c.outcome || text != c.text || !errors.Is(err, c.err) {
				t.Errorf("%s: %s %.30q %v", c.reason, outcome, text, err)
			}
			if want := "group-1 main [cat /tmp/health]"; asked != want {
				t.Errorf("asked %q, want %q", asked, want)
			}
		})
	}
}

func TestNoHandler(t *testing.T) {
	if outcome, _, err := newTestRunner().Check(t.Context(), Target{}, &corev1.Probe{}); outcome != Unknown || err == nil {
		t.Errorf("%s %v", outcome, err)
	}
	if err := newTestRunner().RunHook(t.Context(), Target{}, &corev1.LifecycleHandler{}); !errors.Is(err, errNoHandler) {
		t.Errorf("hook: %v", err)
	}
}

// TestWebHook: any answer will do, also in plain HTTP where TLS was asked for;
// then without credentials.
func TestWebHook(t *testing.T) {
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, fmt.Sprintf("%s %s %q %s", r.Method, r.URL, r.Header.Get("Authorization"), r.Header.Get("User-Agent")))
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer server.Close()
	target, port := local(t, server.URL)
	get := &corev1.HTTPGetAction{Scheme: corev1.URISchemeHTTPS, Path: "/echo?msg=prestop", Port: port, HTTPHeaders: []corev1.HTTPHeader{{Name: "authorization", Value: "x"}}}
	if err := newTestRunner().RunHook(t.Context(), target, &corev1.LifecycleHandler{HTTPGet: get}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{`GET /echo?msg=prestop "" kube-lifecycle/1.35`}, seen); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	target, port = local(t, nobody(t))
	get = &corev1.HTTPGetAction{Scheme: corev1.URISchemeHTTP, Path: "/", Port: port}
	if err := newTestRunner().RunHook(t.Context(), target, &corev1.LifecycleHandler{HTTPGet: get}); err == nil {
		t.Error("a hook that nobody heard succeeded")
	}
}

func TestExecHook(t *testing.T) {
	away := errors.New("the cloud is away")
	for name, c := range map[string]struct {
		code int
		err  error
		want string
	}{
		"Good":     {0, nil, ""},
		"Bad":      {3, nil, "command of hook ended with exit code 3"},
		"NoAnswer": {0, away, "running command of hook: the cloud is away"},
	} {
		t.Run(name, func(t *testing.T) {
			exec := func(_ context.Context, _ Target, _ []string, output io.Writer) (int, error) {
				_, _ = io.WriteString(output, "secret")
				return c.code, c.err
			}
			err := NewRunner(exec, nil).RunHook(t.Context(), Target{}, &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}})
			if got := fmt.Sprint(err); (c.want != "" || err != nil) && got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
