package prober

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// maxBody is how much of an answer is read, in bytes (kubelet: 10 KiB).
const maxBody = 10 << 10

// maxRedirects is how many redirects within one host are followed.
const maxRedirects = 10

// newClient makes the client of one request. It knows no proxy: what it asks is
// the group itself. Connecting ends with ctx; left to itself a transport goes
// on with that when its request has been given up.
func (r *Runner) newClient(ctx context.Context) *http.Client {
	transport := &http.Transport{
		Proxy: nil,
		DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			return r.dial(ctx, network, address)
		},
		DisableKeepAlives:  true,
		DisableCompression: true,
		ForceAttemptHTTP2:  true,
		// A probe asks for life, not for identity: a kubelet verifies nothing.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	}
	return &http.Client{Transport: transport, CheckRedirect: withinHost}
}

func (r *Runner) checkHTTP(ctx context.Context, t Target, get *corev1.HTTPGetAction, timeout time.Duration) (Outcome, string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := newRequest(ctx, get, t, "probe")
	if err != nil {
		return Unknown, "", err
	}
	response, err := r.newClient(ctx).Do(request)
	if err != nil {
		return Failure, err.Error(), nil // that nobody answers is what the check found
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	switch {
	case err != nil:
		return Failure, "", fmt.Errorf("reading answer: %w", err)
	case response.StatusCode >= http.StatusOK && response.StatusCode < http.StatusMultipleChoices:
		return Success, "", nil
	case response.StatusCode >= http.StatusMultipleChoices && response.StatusCode < http.StatusBadRequest:
		return Warning, fmt.Sprintf("Probe terminated redirects, Response body: %s", body), nil
	default:
		// Not the body: it may hold what is nobody's business.
		return Failure, fmt.Sprintf("HTTP probe failed with statuscode: %d", response.StatusCode), nil
	}
}

// withinHost follows redirects as long as they stay on the host first asked:
// where others send a probe is not for them to say.
func withinHost(request *http.Request, via []*http.Request) error {
	switch {
	case request.URL.Hostname() != via[0].URL.Hostname():
		return http.ErrUseLastResponse
	case len(via) >= maxRedirects:
		return errors.New("stopped after 10 redirects")
	default:
		return nil
	}
}

// newRequest makes the request of a handler. purpose goes into the User-Agent,
// unless the handler sets its own.
func newRequest(ctx context.Context, get *corev1.HTTPGetAction, t Target, purpose string) (*http.Request, error) {
	// A path that cannot be parsed is sent as it is.
	to, err := url.Parse(get.Path)
	if err != nil {
		to = &url.URL{Path: get.Path}
	}
	to.Scheme, to.Host = strings.ToLower(string(get.Scheme)), address(get.Host, get.Port, t)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("making request: %w", err)
	}
	for _, h := range get.HTTPHeaders {
		request.Header.Add(h.Name, h.Value)
	}
	if _, given := request.Header["User-Agent"]; !given {
		request.Header.Set("User-Agent", "kube-"+purpose+"/"+kubernetesVersion)
	}
	if accept, given := request.Header["Accept"]; !given {
		request.Header.Set("Accept", "*/*")
	} else if accept[0] == "" {
		request.Header.Del("Accept")
	}
	request.Host = request.Header.Get("Host")
	return request, nil
}
