// Package fakecloud holds clouds for tests, in memory and without a wire: Stub,
// every call of which the test writes itself, and Cloud, which keeps groups as
// a real one does and fails, delays and hides when told to.
package fakecloud
