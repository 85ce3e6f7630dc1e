// Package outbound is how both adapters reach their clouds over HTTP.
package outbound

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// Client follows no redirects: a redirected request would carry its body,
// secrets included, to a host that nobody configured.
func Client(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Transport keeps connections for reuse and goes through the proxy that
// HTTPS_PROXY, HTTP_PROXY and NO_PROXY name, as clients of Kubernetes do; never to
// a loopback address.
func Transport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		ForceAttemptHTTP2:   true,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConns:        64,
		MaxIdleConnsPerHost: 64,
		// Shorter than the servers' usual minute: a request on a connection
		// that the server just closed has no sure outcome.
		IdleConnTimeout: 30 * time.Second,
	}
}
