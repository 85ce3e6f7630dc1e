// Package provider is the only room of cumulet where time passes: it keeps the
// pods of one virtual node and the container groups of one cloud in step.
//
// The pod informer and virtual-kubelet's PodController tell it which pods there
// are; queues keyed by pod UID do the rest. One creates groups, one ends them,
// one writes pod status; the others change running groups: files, images,
// containers that have to be killed, sidecars that are left over. A watch sweeps
// the cloud and tells what changed. Nothing is ever decided from a list that was
// not complete, and a group that runs is never asked for twice: the package's
// laws are those of docs/architecture.md.
//
// It knows no cloud by name (cloudapi.Client is all it sees) and serves no
// HTTP (internal/kubeletapi does).
package provider
