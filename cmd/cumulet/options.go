package main

import (
	"errors"
	"fmt"

	"github.com/cumulet/cumulet/cloudapi"
	"github.com/cumulet/cumulet/cloudapi/eci"
	"github.com/cumulet/cumulet/internal/agent"
	"github.com/cumulet/cumulet/internal/config"
	"github.com/cumulet/cumulet/translate"
)

// limitsOf is what a node's cloud takes.
func limitsOf(n config.Node) cloudapi.Limits {
	if n.Cloud == config.CloudECI {
		return eci.Limits(n.Region)
	}
	return kciOptions(n).Limits()
}

// checkOptions holds the nodes' options and rules to their clouds, before
// anything runs: a mistake would else refuse every pod.
func checkOptions(c *config.Config) error {
	var faults []error
	for i, n := range c.Nodes {
		if err := translate.CheckOptions(n.Options, agent.OptionRules(n.Policy.Options), limitsOf(n)); err != nil {
			faults = append(faults, fmt.Errorf("nodes[%d].%w", i, err))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("validating configuration: %w", errors.Join(faults...))
}
