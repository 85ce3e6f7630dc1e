// Package translate turns a Pod into what a cloud is asked for, and what the
// cloud answers into the status that a kubelet would write.
//
// Every function is pure, total and deterministic: values in, values out. There
// is no context, clock, client, logger or environment in it, inputs are never
// changed, results share no memory with them, and maps are walked in sorted
// order.
//
// Every field of a pod's spec is in one table (Fields): honoured, emulated,
// ignored because harmless, or refused. A field that is set and cannot be
// carried out ends in a Refused error that names it, or, where the operator says
// so, in an event: if it only hardens the pod (SecurityContextReport) or names its
// host (HostnameEmulate). Nothing is dropped in silence. What a cloud sells and can
// express comes in as cloudapi.Limits, so that no cloud is known here by name.
//
// The package does not fetch what a pod refers to (Needs says what to fetch),
// does not speak to a cloud, and decides nothing about time: retries,
// deadlines and deletion belong to the provider.
package translate
