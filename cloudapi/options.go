package cloudapi

// Options are settings of a group that Kubernetes has no field for: annotations
// of the pod and the node's configuration fill them in, within the operator's
// policy. The zero value asks for nothing. Limits.Options tells which of them a
// cloud knows.
type Options struct{}
