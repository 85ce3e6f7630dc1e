package kci

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/internal/credential"
	"github.com/cumulet/cumulet/cloudapi/internal/outbound"
	"github.com/cumulet/cumulet/cloudapi/internal/pace"
)

// The actions of API version 2020-07-02 that the client uses. The API document
// has the first four, the last two are in Kingsoft's SDKs only.
const (
	actionCreate   = "CreateContainerGroup"
	actionDescribe = "DescribeContainerGroup"
	actionLog      = "DescribeContainerLog"
	actionDelete   = "DeleteContainerGroup"
	actionEvents   = "DescribeContainerGroupEvents"
	actionExec     = "ExecContainerCommand"
)

// inDocument tells whether the API document has an action.
func inDocument(action string) bool { return action != actionEvents && action != actionExec }

// Options configure a Client. Region and Credentials are required.
type Options struct {
	// Region is the region's code, such as cn-beijing-6. It is part of
	// every signature.
	Region string
	// Endpoint is the service's URL; by default
	// https://kci.<region>.api.ksyun.com. Plain http is for a loopback
	// address only.
	Endpoint string
	// Dialect is Extended by default.
	Dialect Dialect
	// Readiness leaves readiness probes to the cloud, in dialect Extended:
	// Limits then says that it runs them, and their outcome is for the caller to
	// infer from events.
	Readiness bool
	// Credentials hand out the access key before each request.
	Credentials credential.Source
	// Clock is the real one by default. Waits on the network are in real
	// time, whatever the clock.
	Clock clock.Clock
	// HTTPTimeout bounds one request and its answer; default 30 s.
	HTTPTimeout time.Duration
	// Consistency is how long the cloud may take to show a group that it
	// just made; default 10 s. No source has a figure.
	Consistency time.Duration
	// CallsPerSecond is the rate at which each action is called, with a
	// burst of twice as much; default 20. KCI's own limits are published
	// nowhere: the rate is halved whenever the cloud answers LimitExceeded.
	CallsPerSecond float64
	// Transport carries the requests; nil means one of our own, which uses
	// the environment's proxy. The exec WebSocket takes proxy and TLS
	// settings from it if it is an *http.Transport.
	Transport http.RoundTripper
	// Log tells what an operator may have to know; silent by default.
	Log logr.Logger
}

// Client speaks to KCI in one region. It implements cloudapi.Client.
type Client struct {
	options  Options
	endpoint *url.URL
	http     *http.Client
	pacer    *pace.Pacer
	open     *openCreates
	// skew is added to our clock when signing, in nanoseconds: what the
	// cloud's clock was ahead when it last called a signature expired.
	skew atomic.Int64
}

var _ cloudapi.Client = (*Client)(nil)

// regionCode keeps a region from making another host of the endpoint.
var regionCode = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// New returns a client; it does no I/O. Every fault of the options is told in
// the one error.
func New(options Options) (*Client, error) {
	options = withDefaults(options)
	endpoint, err := parseEndpoint(options.Endpoint)
	if !regionCode.MatchString(options.Region) {
		err = errors.Join(err, fmt.Errorf("region is %q; it must be a region's code, such as cn-beijing-6", options.Region))
	}
	if options.Credentials == nil {
		err = errors.Join(err, errors.New("credentials are missing"))
	}
	if options.Dialect != Seed && options.Dialect != Extended {
		err = errors.Join(err, fmt.Errorf("dialect is %q; it must be %s or %s", options.Dialect, Seed, Extended))
	}
	if err != nil {
		return nil, fmt.Errorf("configuring KCI: %w", err)
	}
	rate := pace.Rate{PerSecond: options.CallsPerSecond, Burst: int(2 * options.CallsPerSecond)}
	return &Client{
		options:  options,
		endpoint: endpoint,
		http:     outbound.Client(options.Transport),
		open:     newOpenCreates(options.Clock, options.Consistency),
		pacer:    pace.New(pace.Options{Clock: options.Clock, Default: rate}),
	}, nil
}

func withDefaults(o Options) Options {
	if o.Endpoint == "" {
		o.Endpoint = Endpoint(o.Region)
	}
	if o.Dialect == "" {
		o.Dialect = Extended
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.HTTPTimeout <= 0 {
		o.HTTPTimeout = 30 * time.Second
	}
	if o.Consistency <= 0 {
		o.Consistency = 10 * time.Second
	}
	if o.CallsPerSecond <= 0 {
		o.CallsPerSecond = 20
	}
	if o.Transport == nil {
		o.Transport = outbound.Transport()
	}
	return o
}

// Limits implements cloudapi.Client.
func (c *Client) Limits() cloudapi.Limits { return c.options.Limits() }

// Limits are those of a client with these options.
func (o Options) Limits() cloudapi.Limits {
	limits := Limits(o.Dialect, o.Region)
	limits.Can.ReadinessProbe = o.Readiness && o.Dialect != Seed
	return limits
}
