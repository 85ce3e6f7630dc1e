package eci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sync/atomic"
	"time"

	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"
	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/internal/credential"
	"github.com/cumulet/cumulet/cloudapi/internal/outbound"
	"github.com/cumulet/cumulet/cloudapi/internal/pace"
)

// The actions that the client uses.
const (
	opCreate  = "CreateContainerGroup"
	opDelete  = "DeleteContainerGroup"
	opGroups  = "DescribeContainerGroups"
	opStatus  = "DescribeContainerGroupStatus"
	opLog     = "DescribeContainerLog"
	opExec    = "ExecContainerCommand"
	opMetrics = "DescribeMultiContainerGroupMetric"
)

// Options configure a Client. Region and Credentials are required.
type Options struct {
	// Region is the region's id, such as cn-hangzhou.
	Region string
	// Endpoint is the API's URL; by default the region's on Network. Plain
	// http is for a loopback address only.
	Endpoint string
	// Network is NetworkPublic (default) or NetworkVPC.
	Network string
	// Credentials say where the access key comes from.
	Credentials Credentials
	// Clock is the real one by default. Waits on the network are in real
	// time, whatever the clock.
	Clock clock.Clock
	// HTTPTimeout bounds one request and its answer; default 30 s.
	HTTPTimeout time.Duration
	// QuotaScale multiplies the account's published quotas into the rates
	// that this client keeps to; default 1. Clients that share an account
	// and region share it, as parts of 1; quotas that were raised need more.
	QuotaScale float64
	// Transport carries the requests; nil means one of our own, which uses
	// the environment's proxy. The exec WebSocket takes proxy and TLS
	// settings from it if it is an *http.Transport.
	Transport http.RoundTripper
	// Log tells what an operator may have to know; silent by default.
	Log logr.Logger
}

// Client speaks to ECI in one region. It implements cloudapi.Client.
type Client struct {
	region      string
	endpoint    *url.URL
	credentials credential.Source
	httpTimeout time.Duration
	transport   *transport
	pacer       *pace.Pacer
	log         logr.Logger
	// skew is added to our clock when signing, in nanoseconds: what the
	// cloud's clock was ahead when it last called a request expired.
	skew atomic.Int64
}

var _ cloudapi.Client = (*Client)(nil)

// regionID keeps a region's id from making another host of the endpoint.
var regionID = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// New returns a client. It speaks to nobody, but reads Credentials.File once.
// Every fault of the options is told in the one error.
func New(options Options) (*Client, error) {
	options = withDefaults(options)
	var faults []error
	if !regionID.MatchString(options.Region) {
		faults = append(faults, fmt.Errorf("region is %q; it must be a region's id, such as cn-hangzhou", options.Region))
	}
	if options.QuotaScale < 0 {
		faults = append(faults, fmt.Errorf("quotaScale is %v; it must be above 0", options.QuotaScale))
	}
	endpoint, err := endpointOf(options)
	faults = append(faults, err)
	source, err := options.Credentials.source(options)
	faults = append(faults, err)
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("configuring ECI: %w", err)
	}
	return &Client{
		region: options.Region, endpoint: endpoint, credentials: source,
		httpTimeout: options.HTTPTimeout, transport: newTransport(options.Transport),
		pacer: pace.New(pace.Options{Clock: options.Clock, Rates: rates(options.QuotaScale)}),
		log:   options.Log,
	}, nil
}

func withDefaults(o Options) Options {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.HTTPTimeout <= 0 {
		o.HTTPTimeout = 30 * time.Second
	}
	if o.QuotaScale == 0 {
		o.QuotaScale = 1
	}
	if o.Transport == nil {
		o.Transport = outbound.Transport()
	}
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
	return o
}

// perMinute holds the published quotas in calls per 60 s (page
// api-eci-2018-08-08-quota).
var perMinute = map[string]float64{
	opRestart: 1000, opUpdate: 1000,
	opGroups: 2000, opStatus: 10000, opLog: 500, opExec: 500, opMetrics: 2000,
}

// changing is the quota of creates and of deletes: a token bucket (page of
// limits, newer than the 1000 per minute of the page of quotas).
var changing = pace.Rate{PerSecond: 20, Burst: 100}

// rates makes buckets of the quotas. Of a quota per minute a tenth is burst and
// nine tenths are flow, so that no 60 seconds hold more calls than it.
func rates(scale float64) map[string]pace.Rate {
	out := map[string]pace.Rate{}
	for action, quota := range perMinute {
		out[action] = pace.Rate{PerSecond: scale * quota * 0.9 / 60, Burst: max(1, int(scale*quota*0.1))}
	}
	for _, action := range []string{opCreate, opDelete} {
		out[action] = pace.Rate{PerSecond: scale * changing.PerSecond, Burst: max(1, int(scale*float64(changing.Burst)))}
	}
	return out
}

// Limits implements cloudapi.Client.
func (c *Client) Limits() cloudapi.Limits { return Limits(c.region) }

// Create implements cloudapi.Client. With a token a create whose answer was
// lost is repeated, for the cloud then answers with the same group; without
// one it is not. opts.MayExist changes nothing: the token finds the group.
func (c *Client) Create(ctx context.Context, spec cloudapi.GroupSpec, opts cloudapi.CreateOptions) (string, error) {
	if err := checkToken(opts.Token); err != nil {
		return "", err
	}
	request, err := Request(spec, c.region, opts.Token)
	if err != nil {
		return "", err
	}
	cl := call{
		action: opCreate, parameters: parametersOf(request),
		writes: true, repeatable: opts.Token != "",
	}
	answer, err := do[createAnswer](ctx, c, cl)
	if err != nil {
		return "", err
	}
	return string(answer.ContainerGroupID), nil
}

// maxToken bounds ClientToken (its row in the parameter table).
const maxToken = 64

func checkToken(token string) error {
	for _, r := range token {
		if r < ' ' || r > '~' {
			return invalid(opCreate, "Token: must be printable ASCII")
		}
	}
	if len(token) > maxToken {
		return invalid(opCreate, "Token: has %d characters; at most %d are allowed", len(token), maxToken)
	}
	return nil
}

// Delete implements cloudapi.Client.
func (c *Client) Delete(ctx context.Context, id string, opts cloudapi.DeleteOptions) error {
	if id == "" {
		return invalid(opDelete, "id: is empty")
	}
	request := &sdk.DeleteContainerGroupRequest{RegionId: &c.region, ContainerGroupId: &id, Force: yes(opts.Force)}
	cl := call{action: opDelete, parameters: openapiutil.Query(request), writes: true, repeatable: true}
	_, err := do[deleteAnswer](ctx, c, cl)
	if cloudapi.Is(err, cloudapi.CodeNotFound) {
		return nil
	}
	return err
}
