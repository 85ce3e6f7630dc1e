// Package e2e holds scenarios against the whole system: a real control plane,
// the real kubectl, cumulet as its own process, and both emulated clouds. Each
// scenario is one function, run once for each cloud.
//
// The programs come from bin/ (make build); without them the tests fail.
package e2e
