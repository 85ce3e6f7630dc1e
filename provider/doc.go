// Package provider is the only room of cumulet where time passes: it keeps the
// pods of one virtual node and the container groups of one cloud in step.
//
// virtual-kubelet's PodController tells it which pods there are; three queues
// keyed by pod UID do the rest. One creates groups, one ends them, one writes
// pod status. A watch sweeps the cloud and tells what changed. Nothing is ever
// decided from a list that was not complete, and a group that runs is never
// asked for twice: the package's laws are those of docs/architecture.md.
//
// It knows no cloud by name (cloudapi.Client is all it sees) and serves no
// HTTP (internal/kubeletapi does).
package provider
