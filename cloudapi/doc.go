// Package cloudapi is the neutral contract between cumulet and the clouds that
// run its pods: what Alibaba Cloud ECI and Kingsoft Cloud KCI have in common,
// written as plain values and one small interface.
//
// Sizes are in cores and GiB, durations in time.Duration or, where the wire
// has whole seconds, in a field named …Seconds. The package holds data and
// obligations only: it imports nothing but the standard library, talks to
// nobody, and knows no vendor's spelling. The adapters cloudapi/eci and
// cloudapi/kci translate it to their wire; translate fills it from a Pod;
// provider is its only caller.
package cloudapi
