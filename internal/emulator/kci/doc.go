// Package kci is the wire protocol of Kingsoft Cloud KCI, API version
// 2020-07-02, as an http.Handler in front of an engine.Groups: it reads
// requests, checks their signatures, validates every parameter and answers in
// the cloud's own JSON.
//
// The authority is Kingsoft's API document of KCI 2020-07-02 ("the KCI
// document" in the comments here): CreateContainerGroup, DescribeContainerGroup,
// DescribeContainerLog, DeleteContainerGroup, the common parameters and the
// common errors. Dialect Seed is that document and nothing more. Dialect
// Extended adds what Kingsoft's official SDKs send and read ("the SDKs").
// KCI's cluster mode, in which an agent reads the pod from the caller's own API
// server, is outside of both: every group here is a standalone one.
//
// Where no source tells what the cloud does, this package chooses:
//
//   - Deleting, logging or executing in a group that does not exist is
//     InvalidParameterValue (400), and the message says "does not exist".
//   - A group that is being deleted shows its last status until it is gone. A
//     pending one shows ImagePulling while an image is pulled, one that got no
//     machine CreateError (status.go).
//   - SucceededTime is RFC 3339 in UTC, as every time but CreateTime is. Ports
//     and Events are [] when empty.
//   - Where the KCI document and the SDKs spell a parameter differently, Seed
//     takes the document's spelling only (HostAlias, and ConfigFilePath with
//     plain contents); Extended also takes HostAliase, and ConfigFileToPath with
//     Base64 contents.
//   - A malformed or repeated parameter name is InvalidQueryParameter, in both
//     dialects; nothing unknown is ignored but the common parameters.
//   - Container names are unique in a group, volume names too; mount paths are
//     absolute and unique in a container; the path of a configuration file stays
//     below its mount point and may start with a slash.
//   - Every disk whose id is a UUID exists. While a group that has not ended has
//     it, another group is refused with InvalidParameterValue.
//   - Containers can write to configuration files where VolumeMount.ReadOnly, whose
//     default is false, does not forbid it.
//   - Filter "status" takes the three words of the KCI document in Seed, and
//     every status word in Extended. Other words are refused.
//   - MaxResults above 100 is refused, Tail above 1000 is clamped.
//   - A container that has not started has an empty log.
//   - File modes with a leading zero are octal text, others are decimal numbers
//     (the Go SDK sends 0644 as 420).
//   - The standard sizes are in packages.go.
//   - Group names need not be unique.
//   - Image caches by id and all of cluster mode are refused, since the emulator
//     has none. AutoMatchImageCache finds nothing to match. InstanceType,
//     InstanceFamily, SpotStrategy, RetainIp, AdvanceSettings, MachineDnsConfig,
//     MachineHostAliase and both bandwidths are checked and then have no effect,
//     since an emulated group has no machine of its own.
//   - An elastic IP address exists if its id is a UUID, has one group at a time,
//     and shows as PublicIp, of the range for documents; it leads nowhere.
//   - The exec socket is bare bytes unless the client asks for one of
//     Kubernetes' sub-protocols; it always takes input.
package kci
