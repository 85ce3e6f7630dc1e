package main

import (
	"fmt"

	"github.com/go-logr/logr"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/eci"
	"github.com/cumulet/cumulet/cloudapi/kci"
	"github.com/cumulet/cumulet/internal/config"
)

// newCloud is the one place that knows which cloud is which.
func newCloud(n config.Node, log logr.Logger) (cloudapi.Client, error) {
	switch n.Cloud {
	case config.CloudECI:
		return newECI(n, log)
	case config.CloudKCI:
		return newKCI(n, log)
	default:
		return nil, fmt.Errorf("cloud %q is not known, must be eci or kci", n.Cloud)
	}
}

func newECI(n config.Node, log logr.Logger) (cloudapi.Client, error) {
	keys := n.Credentials.FromEnvironment
	credentials := eci.Credentials{
		AccessKeyID: keys.ID, AccessKeySecret: keys.Secret, SecurityToken: keys.Token,
		File: n.Credentials.File, ECSRAMRole: n.Credentials.ECSRAMRole,
	}
	if r := n.Credentials.RRSA; r != nil {
		credentials.RRSA = &eci.RRSA{
			RoleARN: r.RoleARN, OIDCProviderARN: r.OIDCProviderARN, TokenFile: r.TokenFile,
			SessionName: r.SessionName, STSEndpoint: r.STSEndpoint,
		}
	}
	return eci.New(eci.Options{
		Region: n.Region, Endpoint: n.Endpoint, Network: n.Network, Credentials: credentials, Log: log.WithName("eci"),
	})
}

func newKCI(n config.Node, log logr.Logger) (cloudapi.Client, error) {
	keys := n.Credentials.FromEnvironment
	source, err := kci.FixedKey(keys.ID, keys.Secret, keys.Token)
	if n.Credentials.File != "" {
		source, err = kci.KeyFile(n.Credentials.File)
	}
	if err != nil {
		return nil, fmt.Errorf("reading credentials: %w", err)
	}
	options := kciOptions(n)
	options.Credentials, options.Log = source, log.WithName("kci")
	return kci.New(options)
}

// kciOptions are a node's, but for the key.
func kciOptions(n config.Node) kci.Options {
	dialect := kci.Extended
	if n.Dialect == config.DialectSeed {
		dialect = kci.Seed
	}
	return kci.Options{Region: n.Region, Endpoint: n.Endpoint, Dialect: dialect, Readiness: n.Readiness == config.ReadinessEvents}
}
