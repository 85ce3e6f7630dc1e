package emulator

import (
	"log"
	"net/netip"
	"time"

	"k8s.io/utils/clock"

	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/kci"
)

// Options configure an Emulator. The zero value serves both clouds on free ports
// of 127.0.0.1, with random keys and realistic latencies left out.
type Options struct {
	ECI, KCI Cloud
	// KCIDialect is how much of KCI is spoken; the zero value is the front's
	// own choice.
	KCIDialect kci.Dialect
	// AdminAddress is where the admin API listens; "" is a free port of
	// 127.0.0.1. It has no keys: keep it on a loopback address.
	AdminAddress string
	// Quotas makes ECI throttle calls as its quota page says. KCI publishes no
	// quotas, so it throttles only by faults.
	Quotas  bool
	Latency Latency
	// Seed makes the random choices of faults repeatable.
	Seed uint64
	// Clock is where all times come from; nil is the real one.
	Clock clock.WithDelayedExecution
	// ErrorLog takes what goes wrong with connections; nil is the standard
	// logger.
	ErrorLog *log.Logger
}

// Cloud configures one cloud.
type Cloud struct {
	// Address is where the API listens; "" is a free port of 127.0.0.1.
	Address string
	// Region is the one region served, by default cn-hangzhou (ECI) or
	// cn-beijing-6 (KCI).
	Region string
	// AccessKeyID and AccessKeySecret are the account's key; both are random if
	// empty.
	AccessKeyID, AccessKeySecret string
	// Runtime runs the groups; nil simulates them. Whoever made it closes it,
	// after the Emulator.
	Runtime engine.Runtime
	// Addresses are the addresses of simulated groups; by default 10.128.0.0/12
	// (ECI) and 10.144.0.0/12 (KCI). A Runtime of one's own brings its own.
	Addresses netip.Prefix
}

// Latency is how long the steps of a group's life take. The zero value is as
// fast as can be.
type Latency struct {
	// Schedule is from the create call until a machine is found.
	Schedule time.Duration
	// Pull, Create, Start and Stop are the simulated agent's; see
	// simulated.Latency.
	Pull, Create, Start, Stop time.Duration
}

// The regions that are served by default.
const (
	defaultECIRegion = "cn-hangzhou"
	defaultKCIRegion = "cn-beijing-6"
)

// complete fills in the defaults.
func (o *Options) complete() {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.ErrorLog == nil {
		o.ErrorLog = log.Default()
	}
	o.ECI.complete(defaultECIRegion, "LTAI", netip.MustParsePrefix("10.128.0.0/12"))
	o.KCI.complete(defaultKCIRegion, "AKLT", netip.MustParsePrefix("10.144.0.0/12"))
}

// complete fills in what a cloud leaves out. keyPrefix begins the cloud's access
// key ids.
func (c *Cloud) complete(region, keyPrefix string, addresses netip.Prefix) {
	if c.Region == "" {
		c.Region = region
	}
	if c.AccessKeyID == "" {
		c.AccessKeyID = keyPrefix + randomText(20)
	}
	if c.AccessKeySecret == "" {
		c.AccessKeySecret = randomText(40)
	}
	switch {
	case c.Runtime != nil:
		c.Addresses = netip.Prefix{}
	case !c.Addresses.IsValid():
		c.Addresses = addresses
	}
}
