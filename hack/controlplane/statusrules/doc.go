// Package statusrules holds the statuses that cumulet produces against
// Kubernetes' own validation. It has tests only: the main module may not import
// that validation, this module may.
package statusrules
