package main

import (
	"errors"
	"fmt"
	"io"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
)

// lint runs helm's own linter over the chart, with its default values and with
// those of the plain manifests. A warning fails too.
func (r repository) lint(out io.Writer) error {
	sets := map[string]map[string]any{"default values": {}}
	names := []string{"default values"}
	for _, cloud := range clouds {
		values, err := common.ReadValuesFile(r.values(cloud))
		if err != nil {
			return fmt.Errorf("reading %s: %w", r.values(cloud), err)
		}
		sets[r.values(cloud)] = values
		names = append(names, r.values(cloud))
	}
	var failed []error
	for _, name := range names {
		result := lint.RunAll(r.chart(), sets[name], namespace)
		for _, message := range result.Messages {
			if message.Severity >= support.WarningSev {
				failed = append(failed, fmt.Errorf("linting with %s: %s", name, message.Error()))
			}
		}
		if result.HighestSeverity < support.WarningSev {
			fmt.Fprintln(out, "lint: clean with", name)
		}
	}
	return errors.Join(failed...)
}
