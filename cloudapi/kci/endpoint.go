package kci

import (
	"errors"
	"fmt"
	"net"
	"net/url"
)

// Endpoint is the URL of a region's public endpoint. The document's own examples
// use a host without region; its text prescribes this one ("服务地址").
func Endpoint(region string) string { return "https://kci." + region + ".api.ksyun.com" }

// parseEndpoint refuses addresses over which requests, with their environment
// values and registry passwords, would travel in the clear.
func parseEndpoint(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("endpoint must be a URL of scheme and host, such as https://kci.cn-beijing-6.api.ksyun.com")
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && isLoopback(u.Hostname()):
	case u.Scheme == "http":
		return nil, fmt.Errorf("endpoint %s must use https: plain http is allowed to a loopback address only", u)
	default:
		return nil, fmt.Errorf("endpoint has scheme %q; it must be https", u.Scheme)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
