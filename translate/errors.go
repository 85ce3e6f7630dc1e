package translate

import (
	"fmt"
	"path"
	"sort"
	"strings"
)

// Refusal is one field of a pod that the cloud cannot carry out.
type Refusal struct {
	// Field is the field's path, such as spec.containers[0].lifecycle.preStop.
	Field string
	// Reason says why, with the value's size and the limit where a limit
	// is exceeded. It never holds the value of a variable or a file.
	Reason string
}

// String reads "path: reason".
func (r Refusal) String() string { return r.Field + ": " + r.Reason }

// Refused says that a pod can never run on this cloud as it is. It holds all
// reasons, sorted by path.
type Refused struct { //nolint:errname // it reads as what became of the pod: translate.Refused
	Refusals []Refusal
}

// Error lists every refusal.
func (e *Refused) Error() string {
	parts := make([]string, len(e.Refusals))
	for i, r := range e.Refusals {
		parts[i] = r.String()
	}
	return strings.Join(parts, "; ")
}

// NewRefused makes one of refusals, without repeated ones.
func NewRefused(refusals []Refusal) *Refused { return newRefused(refusals) }

// newRefused sorts the refusals and drops repeated ones.
func newRefused(refusals []Refusal) *Refused {
	sorted := append([]Refusal(nil), refusals...)
	sort.SliceStable(sorted, func(i, j int) bool {
		if c := comparePaths(sorted[i].Field, sorted[j].Field); c != 0 {
			return c < 0
		}
		return sorted[i].Reason < sorted[j].Reason
	})
	e := &Refused{}
	for i, r := range sorted {
		if i == 0 || r != sorted[i-1] {
			e.Refusals = append(e.Refusals, r)
		}
	}
	return e
}

// ReferenceKind is the kind of a thing that a pod refers to.
type ReferenceKind string

// The kinds of references.
const (
	KindConfigMap ReferenceKind = "ConfigMap"
	KindSecret    ReferenceKind = "Secret"
	// KindToken is a token of the pod's service account.
	KindToken ReferenceKind = "ServiceAccountToken"
	// KindNode is the node itself, whose address is not known yet.
	KindNode ReferenceKind = "Node"
	// KindVariable is an environment variable without a value that a
	// subPathExpr names.
	KindVariable ReferenceKind = "Variable"
	// KindSubPath is a place in a volume that a mount's subPathExpr names and
	// that no mount may have; another label, annotation or ConfigMap may make
	// it another.
	KindSubPath ReferenceKind = "SubPath"
	// KindClaim is a PersistentVolumeClaim that is not there, or not bound.
	KindClaim ReferenceKind = "PersistentVolumeClaim"
	// KindAttachment is a PersistentVolume that is a disk and attached to the
	// group of another pod; Key names the pods.
	KindAttachment ReferenceKind = "VolumeAttachment"
)

// MissingReference says that something a pod refers to is not there, or lacks
// a key. It may appear later, so that the pod waits instead of failing, as
// under a kubelet.
type MissingReference struct { //nolint:errname // it is a description first: kind, name, key
	Kind      ReferenceKind
	Namespace string
	Name      string
	// Key is the key that is missing; empty when the whole thing is. Of a
	// SubPath or a PersistentVolumeClaim it is the fault.
	Key string
	// Volume or Container is the pod's volume or container that needs it;
	// exactly one of them is set.
	Volume, Container string
}

// The words of a kubelet for a pod that waits for a reference.
const (
	ReasonCreateContainerConfigError = "CreateContainerConfigError"
	ReasonFailedMount                = "FailedMount"
	// ReasonFailedAttach is the attach-detach controller's.
	ReasonFailedAttach = "FailedAttachVolume"
)

// Reason is the kubelet's word: for a container's environment the waiting
// reason CreateContainerConfigError, for a volume the reason FailedMount of an
// event beside which the containers wait as ContainerCreating.
func (e *MissingReference) Reason() string {
	if e.Kind == KindAttachment {
		return ReasonFailedAttach
	}
	if e.Volume != "" {
		return ReasonFailedMount
	}
	return ReasonCreateContainerConfigError
}

// Error is worded as the kubelet words it.
func (e *MissingReference) Error() string {
	if e.Kind == KindAttachment {
		return fmt.Sprintf("Multi-Attach error for volume %q Volume is already used by pod(s) %s", e.Name, e.Key)
	}
	if e.Kind == KindClaim {
		return fmt.Sprintf("Unable to attach or mount volumes: unmounted volumes=[%s], unattached volumes=[], "+
			"failed to process volumes=[%s]: %s", e.Volume, e.Volume, e.Key)
	}
	if e.Volume != "" {
		return fmt.Sprintf("MountVolume.SetUp failed for volume %q : %s", e.Volume, e.cause())
	}
	return e.cause()
}

func (e *MissingReference) cause() string {
	switch {
	case e.Kind == KindToken:
		return fmt.Sprintf("failed to fetch token: service account %q", e.Name)
	case e.Kind == KindNode:
		return "failed to find the address of the node"
	case e.Kind == KindVariable:
		return "missing value for " + e.Key
	case e.Kind == KindSubPath && path.IsAbs(e.Name):
		return fmt.Sprintf("error SubPath `%s` %s", e.Name, e.Key)
	case e.Kind == KindSubPath:
		return fmt.Sprintf("unable to provision SubPath `%s`: %s", e.Name, e.Key)
	case e.Key == "":
		return fmt.Sprintf("%s %q not found", strings.ToLower(string(e.Kind)), e.Name)
	case e.Volume == "":
		return fmt.Sprintf("couldn't find key %v in %s %v/%v", e.Key, e.Kind, e.Namespace, e.Name)
	case e.Kind == KindConfigMap:
		return "configmap references non-existent config key: " + e.Key
	default:
		return "references non-existent secret key: " + e.Key
	}
}
