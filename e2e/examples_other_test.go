//go:build !linux

package e2e

import "testing"

// TestExamples runs the examples over simulated containers, on every cloud where
// translate says that they would run.
func TestExamples(t *testing.T) { simulateExamples(t) }
