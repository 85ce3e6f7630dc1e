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
	case "", NetworkPublic:
		name := options.Region
		if short, ok := shortNames[name]; ok {
			name = short
		}
		return parseEndpoint("https://eci." + name + ".aliyuncs.com")
	case NetworkVPC:
		return parseEndpoint("https://eci-vpc." + options.Region + ".aliyuncs.com")
	default:
		return nil, fmt.Errorf("network is %q; it must be %s or %s", options.Network, NetworkPublic, NetworkVPC)
	}
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
