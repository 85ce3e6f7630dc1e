// Package manifest reads Kubernetes manifests as people have them - files,
// folders, what kubectl get -o yaml prints - and tells which pods they make, as
// the API server and its controllers would make them, and what those pods refer
// to. It needs no cluster and reaches for nothing that it is not given.
package manifest
