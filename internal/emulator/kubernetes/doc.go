// Package kubernetes is the engine's Runtime that really runs containers: each
// container group becomes one pod in a namespace of a backing cluster, which its
// kubelet runs. The backing cluster is an implementation detail of the emulated
// cloud: nothing that a client of the cloud sees names its pods, namespaces,
// nodes or secrets.
//
// # How a group becomes a pod
//
// The pod is built from engine.Spec alone and literally: defaults are the front's
// business. What the front has expanded is not expanded again ($ is escaped).
// Configuration files are kept in a folder that the node shares, or else, like
// logins to registries, in Secrets beside the pod. A container may use what it
// asked for and the group what it was sold as, but nothing is reserved: the
// backing node is smaller than the clouds it stands for.
//
// # What the runtime tells
//
// States, reasons, messages and events are the kubelet's own words, told once
// each; an observation is told only when something has changed. The scheduler's
// event of the backing cluster is left out, since the cloud has a scheduler of
// its own.
//
// # Where it differs from the clouds
//
//   - Kubernetes has no call to restart a pod. A group that runs, without init
//     containers, is restarted in place by spelling its images in another way, which
//     makes the kubelet start the containers anew. Otherwise, and for an update of
//     more than images and files, the group gets a new pod: its address changes and
//     its emptyDir volumes are empty. Restart counts, the previous run and its log
//     are carried over.
//   - A stop by force kills at once only with Options.Kill: a kubelet gives containers
//     two seconds at least, and does not take back a grace that it has given.
//   - Disks, network file systems and buckets are folders of the node, found again
//     by their ids; every one of the right form exists.
//   - There are no GPUs: a container that asks for some runs without, and an
//     event says so.
//   - The groups share the images of their node, except that an image that is never
//     to be pulled is never there.
package kubernetes
