package demo

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

//go:embed web.yaml
var webManifest string

// webTimeout bounds one request to a web server.
const webTimeout = 10 * time.Second

// web asks the pods of a Deployment of nginx for a page, each at its own
// address.
func (s *scene) web(ctx context.Context) error {
	if !s.stack.PodsReachable() {
		s.printf("   left out: pods have no address here that answers\n")
		return nil
	}
	if _, err := s.kube.apply(ctx, s.manifest(webManifest)); err != nil {
		return err
	}
	if _, err := s.kube.run(ctx, "rollout", "status", "--timeout=50s", "deployment/web-"+s.Cloud); err != nil {
		_, _ = s.kube.run(ctx, "describe", "pods", "-l", "app=web-"+s.Cloud) // for the person who reads the failure
		return err
	}
	out, err := s.kube.run(ctx, "get", "pods", "-l", "app=web-"+s.Cloud, "-o", "jsonpath={.items[*].status.podIP}{\"\\n\"}")
	if err != nil {
		return err
	}
	addresses := strings.Fields(out)
	if len(addresses) != 2 {
		return fmt.Errorf("%d pods have an address, want 2", len(addresses))
	}
	for _, address := range addresses {
		if err := s.askWeb(ctx, address); err != nil {
			return err
		}
	}
	_, err = s.kube.run(ctx, "delete", "--timeout=50s", "--cascade=foreground", "deployment/web-"+s.Cloud)
	return err
}

// askWeb asks for the page that nginx has before anybody gives it another.
func (s *scene) askWeb(ctx context.Context, address string) error {
	url := "http://" + net.JoinHostPort(address, "80") + "/"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("asking %s: %w", url, err)
	}
	// Straight to the pod: a proxy of this machine's user does not know it.
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Timeout: webTimeout, Transport: transport}).Do(request)
	if err != nil {
		return fmt.Errorf("asking %s: %w", url, err)
	}
	defer func() { _ = answer.Body.Close() }()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("reading %s: %w", url, err)
	}
	if answer.StatusCode != http.StatusOK || !strings.Contains(string(page), "nginx") {
		return fmt.Errorf("%s answers %s, not nginx's page", url, answer.Status)
	}
	s.printf("   GET %s: %s, %d bytes\n", url, answer.Status, len(page))
	return nil
}
