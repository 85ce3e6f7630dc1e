// Package kubeletapi serves the part of the kubelet's HTTPS API that a virtual
// node has: logs, exec and port-forward for the API server, /pods and the
// usage figures for people and metrics-server, /healthz for probes.
//
// Callers authenticate by client certificate or bearer token and are
// authorised by the API server, as on a kubelet: no request is anonymous, and
// there is no read-only port. Two things differ from the kubelet on purpose:
// exec, attach and port-forward are authorised as "create" whatever the HTTP
// method, so that reading rights on nodes/proxy do not run commands; and no
// debug handler exists.
package kubeletapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/provider"
)

// Pods is what the server shows of a node; *provider.Provider is it, and its
// methods say what each of these does.
type Pods interface {
	GetPods(ctx context.Context) ([]*corev1.Pod, error)
	Logs(ctx context.Context, of provider.ContainerName, o provider.LogOptions, w io.Writer) error
	Exec(ctx context.Context, of provider.ContainerName, o cloudapi.ExecOptions) (int, error)
	Attach(ctx context.Context, of provider.ContainerName, o cloudapi.ExecOptions) error
	PortForward(ctx context.Context, namespace, pod string, port int32, stream io.ReadWriteCloser) error
	Usage(ctx context.Context) ([]provider.PodUsage, error)
}

// Options are what a server needs. All fields are required.
type Options struct {
	NodeName string
	Pods     Pods
	// Certificate is asked for each connection, so that it may be renewed.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Authenticator tells who calls; see NewAuthenticator.
	Authenticator authenticator.Request
	// Authorizer tells what a caller may do; see NewAuthorizer.
	Authorizer authorizer.Authorizer
	Clock      clock.PassiveClock
	Log        logr.Logger
}

// Server is one node's kubelet API.
type Server struct {
	options Options
	handler http.Handler
}

// New returns a server; it does no I/O.
func New(o Options) *Server {
	s := &Server{options: o}
	s.handler = s.guard(s.routes())
	return s
}

// The paths are the kubelet's.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /healthz/ping", s.healthz)
	mux.HandleFunc("GET /pods", s.pods)
	mux.HandleFunc("GET /pods/{$}", s.pods)
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", s.logs)
	for _, method := range []string{"GET", "POST"} {
		mux.HandleFunc(method+" /exec/{namespace}/{pod}/{container}", s.exec)
		mux.HandleFunc(method+" /exec/{namespace}/{pod}/{uid}/{container}", s.exec)
		mux.HandleFunc(method+" /attach/{namespace}/{pod}/{container}", s.attach)
		mux.HandleFunc(method+" /attach/{namespace}/{pod}/{uid}/{container}", s.attach)
		mux.HandleFunc(method+" /portForward/{namespace}/{pod}", s.portForward)
		mux.HandleFunc(method+" /portForward/{namespace}/{pod}/{uid}", s.portForward)
	}
	mux.HandleFunc("GET /stats/summary", s.statsSummary)
	mux.HandleFunc("GET /metrics/resource", s.metricsResource)
	return mux
}

// cipherSuites are TLS 1.2's suites with authenticated encryption; TLS 1.3
// brings its own.
var cipherSuites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

const (
	headerTimeout   = 30 * time.Second
	keepAlive       = 90 * time.Second
	shutdownTimeout = 5 * time.Second
)

// Serve answers on the listener until ctx ends. Requests under way are told at
// once and get a short while to finish.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: headerTimeout,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		IdleTimeout:       keepAlive,
		// Handshakes that fail are the callers' trouble: seldom of interest.
		ErrorLog: slog.NewLogLogger(logr.ToSlogHandler(s.options.Log.V(1)), slog.LevelInfo),
		TLSConfig: &tls.Config{
			MinVersion:     tls.VersionTLS12,
			CipherSuites:   cipherSuites,
			ClientAuth:     tls.RequestClientCert,
			GetCertificate: s.options.Certificate,
		},
		Protocols: &http.Protocols{},
	}
	server.Protocols.SetHTTP1(true) // SPDY and WebSocket upgrades need it
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(listener, "", "") }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving kubelet API: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(stop); err != nil {
		_ = server.Close() // what did not end in time is cut
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving kubelet API: %w", err)
	}
	return nil
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "ok")
}
