package kubeletapi

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/rest"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/provider"
)

// start is the time at which the tests' clock stands.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// fakePods is a node whose pods do what the test says. What the test does not
// expect fails it.
type fakePods struct {
	t       *testing.T
	pods    []*corev1.Pod
	logs    func(context.Context, provider.LogOptions, io.Writer) error
	exec    func(context.Context, cloudapi.ExecOptions) (int, error)
	attach  func(context.Context, cloudapi.ExecOptions) error
	forward func(context.Context, int32, io.ReadWriteCloser) error
	usage   []provider.PodUsage
	err     error
}

var errUnexpected = errors.New("the test expects no such call")

func (f *fakePods) GetPods(context.Context) ([]*corev1.Pod, error)     { return f.pods, f.err }
func (f *fakePods) Usage(context.Context) ([]provider.PodUsage, error) { return f.usage, f.err }

func (f *fakePods) named(what string, names ...string) {
	if got := strings.Join(names, "/"); got != "shop/web/main" && got != "shop/web" {
		f.t.Errorf("%s of %s", what, got)
	}
}

func (f *fakePods) Logs(ctx context.Context, of provider.ContainerName, o provider.LogOptions, w io.Writer) error {
	f.named("logs", of.Namespace, of.Pod, of.Container)
	if f.logs == nil {
		f.t.Error("unexpected logs")
		return errUnexpected
	}
	return f.logs(ctx, o, w)
}

func (f *fakePods) Exec(ctx context.Context, of provider.ContainerName, o cloudapi.ExecOptions) (int, error) {
	f.named("exec", of.Namespace, of.Pod, of.Container)
	if f.exec == nil {
		f.t.Error("unexpected exec")
		return 0, errUnexpected
	}
	return f.exec(ctx, o)
}

func (f *fakePods) Attach(ctx context.Context, of provider.ContainerName, o cloudapi.ExecOptions) error {
	f.named("attach", of.Namespace, of.Pod, of.Container)
	if f.attach == nil {
		f.t.Error("unexpected attach")
		return errUnexpected
	}
	return f.attach(ctx, o)
}

func (f *fakePods) PortForward(ctx context.Context, namespace, pod string, port int32, stream io.ReadWriteCloser) error {
	f.named("port-forward", namespace, pod)
	if f.forward == nil {
		f.t.Error("unexpected port-forward")
		return errUnexpected
	}
	return f.forward(ctx, port, stream)
}

// gate authenticates the bearer token "alice" and allows what the test says.
type gate struct {
	mu    sync.Mutex
	asked []string
	allow func(authorizer.Attributes) bool
	err   error
}

func (g *gate) AuthenticateRequest(r *http.Request) (*authenticator.Response, bool, error) {
	if r.Header.Get("Authorization") != "Bearer alice" {
		return nil, false, nil
	}
	return &authenticator.Response{User: &user.DefaultInfo{Name: "alice"}}, true, nil
}

func (g *gate) Authorize(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = append(g.asked, a.GetVerb()+" "+a.GetResource()+"/"+a.GetSubresource()+" "+a.GetName())
	if g.err != nil {
		return authorizer.DecisionNoOpinion, "", g.err
	}
	if g.allow == nil || g.allow(a) {
		return authorizer.DecisionAllow, "", nil
	}
	return authorizer.DecisionNoOpinion, "", nil
}

func (g *gate) questions() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.asked...)
}

// endpoint is a served kubelet API.
type endpoint struct {
	t    *testing.T
	url  string
	pods *fakePods
	gate *gate
	ca   []byte
	// stop ends the server and returns what Serve returned.
	stop func() error
}

func serve(t *testing.T) *endpoint {
	t.Helper()
	certificate, ca := selfSigned(t)
	e := &endpoint{t: t, pods: &fakePods{t: t}, gate: &gate{}, ca: ca}
	server := New(Options{
		NodeName: "virtual-1", Pods: e.pods, Authenticator: e.gate, Authorizer: e.gate,
		Clock: testingclock.NewFakePassiveClock(start), Log: logr.Discard(),
		Certificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate, nil },
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.url = "https://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener) }()
	e.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := e.stop(); err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	return e
}

func selfSigned(t *testing.T) (*tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "system:node:virtual-1"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// config is the client configuration of alice.
func (e *endpoint) config() *rest.Config {
	return &rest.Config{Host: e.url, BearerToken: "alice", TLSClientConfig: rest.TLSClientConfig{CAData: e.ca}}
}

// call makes one request and returns status and body.
func (e *endpoint) call(method, path, token string) (int, string) {
	e.t.Helper()
	config := e.config()
	config.BearerToken = token
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		e.t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	request, err := http.NewRequestWithContext(e.t.Context(), method, e.url+path, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		e.t.Fatal(err)
	}
	defer answer.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(answer.Body); err != nil {
		e.t.Fatal(err)
	}
	return answer.StatusCode, body.String()
}

// soon waits for a channel to be closed or to deliver.
func soon[T any](t *testing.T, what string, c <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-c:
	case <-time.After(20 * time.Second):
		t.Fatalf("timed out: %s", what)
	}
	return value
}
