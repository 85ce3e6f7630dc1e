package machine

import (
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/elazarl/goproxy"
)

// newProxy returns an HTTP proxy that dials from this host, through the host's
// own proxy for those requests for which next, like http.ProxyFromEnvironment,
// names one. containerd pulls images through it.
func newProxy(next func(*http.Request) (*url.URL, error)) http.Handler {
	proxy := goproxy.NewProxyHttpServer()
	// The library's transport would not verify certificates.
	proxy.Tr = &http.Transport{Proxy: next}
	proxy.ConnectDialWithReq = func(request *http.Request, network, address string) (net.Conn, error) {
		target := &http.Request{URL: &url.URL{Scheme: "https", Host: address}}
		upstream, err := next(target)
		if err != nil {
			return nil, err
		}
		if upstream == nil {
			dialer := net.Dialer{Timeout: dialTimeout}
			return dialer.DialContext(request.Context(), network, address)
		}
		return proxy.NewConnectDialToProxyWithHandler(upstream.String(), authorize(upstream))(network, address)
	}
	return proxy
}

// authorize adds to a CONNECT request what the URL of a proxy says about who
// we are.
func authorize(upstream *url.URL) func(*http.Request) {
	return func(connect *http.Request) {
		if upstream.User == nil {
			return
		}
		password, _ := upstream.User.Password()
		basic := http.Request{Header: http.Header{}}
		basic.SetBasicAuth(upstream.User.Username(), password)
		connect.Header.Set("Proxy-Authorization", basic.Header.Get("Authorization"))
	}
}

// dialTimeout bounds the making of a connection from the host.
const dialTimeout = 10 * time.Second
