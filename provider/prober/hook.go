package prober

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// errNoHandler is a hook that names nothing this package can do.
var errNoHandler = errors.New("the hook is neither a command nor an HTTP request")

// RunHook carries out a hook's handler and returns when it has ended or ctx
// has. A command must end with exit code 0; to a request any answer will do, as
// it does for a kubelet. The error holds nothing that the container said.
func (r *Runner) RunHook(ctx context.Context, t Target, h *corev1.LifecycleHandler) error {
	switch {
	case h.Exec != nil:
		return r.execHook(ctx, t, h.Exec.Command)
	case h.HTTPGet != nil:
		return r.webHook(ctx, t, h.HTTPGet)
	default:
		return errNoHandler
	}
}

func (r *Runner) execHook(ctx context.Context, t Target, command []string) error {
	code, err := r.exec(ctx, t, command, io.Discard)
	if err != nil {
		return fmt.Errorf("running command of hook: %w", err)
	}
	if code != 0 {
		return fmt.Errorf("command of hook ended with exit code %d", code)
	}
	return nil
}

// webHook asks, and asks again in plain HTTP a server that does not speak TLS.
func (r *Runner) webHook(ctx context.Context, t Target, get *corev1.HTTPGetAction) error {
	err := r.ask(ctx, t, get)
	if !speaksPlainly(err) {
		return err
	}
	plain := get.DeepCopy()
	plain.Scheme = corev1.URISchemeHTTP
	plain.HTTPHeaders = nil
	for _, h := range get.HTTPHeaders {
		if !strings.EqualFold(h.Name, "Authorization") {
			plain.HTTPHeaders = append(plain.HTTPHeaders, h)
		}
	}
	return r.ask(ctx, t, plain)
}

func (r *Runner) ask(ctx context.Context, t Target, get *corev1.HTTPGetAction) error {
	request, err := newRequest(ctx, get, t, "lifecycle")
	if err != nil {
		return err
	}
	response, err := r.newClient(ctx).Do(request)
	if err != nil {
		return fmt.Errorf("sending request of hook: %w", err)
	}
	_ = response.Body.Close() // what it says does not matter
	return nil
}

// speaksPlainly tells whether a server answered a TLS greeting in plain HTTP.
func speaksPlainly(err error) bool {
	var failed *url.Error
	return errors.As(err, &failed) && strings.Contains(failed.Err.Error(), "server gave HTTP response to HTTPS client")
}
