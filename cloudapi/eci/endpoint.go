package eci

import (
	"errors"
	"fmt"
	"net"
	"net/url"
)

// The networks over which the API is reached.
const (
	// NetworkPublic is the internet.
	NetworkPublic = "public"
	// NetworkVPC is Alibaba Cloud's inside; it works from a VPC only.
	NetworkVPC = "vpc"
)

// shortNames are the finance regions whose public endpoint leaves out the
// number (endpoints in the API's metadata; cn-beijing-finance-1 keeps it).
var shortNames = map[string]string{
	"cn-shanghai-finance-1": "cn-shanghai-finance",
	"cn-shenzhen-finance-1": "cn-shenzhen-finance",
}

// endpointOf returns the endpoint to use: the given URL, or the region's on the
// network.
func endpointOf(options Options) (*url.URL, error) {
	if options.Endpoint != "" {
		return parseEndpoint(options.Endpoint)
	}
	switch options.Network {
	case "", NetworkPublic, NetworkVPC:
		return parseEndpoint(Endpoint(options.Region, options.Network))
	default:
		return nil, fmt.Errorf("network is %q; it must be %s or %s", options.Network, NetworkPublic, NetworkVPC)
	}
}

// Endpoint is the URL of a region's endpoint on a network; an empty network is
// NetworkPublic.
func Endpoint(region, network string) string {
	if network == NetworkVPC {
		return "https://eci-vpc." + region + ".aliyuncs.com"
	}
	if short, ok := shortNames[region]; ok {
		region = short
	}
	return "https://eci." + region + ".aliyuncs.com"
}

// parseEndpoint refuses addresses over which requests, with their environment
// values and registry passwords, would travel in the clear.
func parseEndpoint(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("endpoint must be a URL of scheme and host, such as https://eci.cn-hangzhou.aliyuncs.com")
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && isLoopback(u.Hostname()):
	case u.Scheme == "http":
		return nil, fmt.Errorf("endpoint %s must use https: plain http is allowed to a loopback address only", u)
	default:
		return nil, fmt.Errorf("endpoint has scheme %q; it must be https", u.Scheme)
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
