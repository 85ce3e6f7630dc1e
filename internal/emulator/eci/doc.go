// Package eci is the front of the emulated Alibaba Cloud ECI: API version
// 2018-08-08 as an http.Handler over a group engine. It decodes the wire, checks
// signatures, enforces the documented limits and answers with the documented
// names. It shares no struct with cumulet's client on purpose.
//
// # What a real ECI has and this one has not
//
// Refused aloud with FeatureAccessRestricted, because a client would see the
// difference: a chosen private address, ARM64. Windows is refused with
// Forbidden.OnlyForInvitedTest, and so is HostPathVolume unless
// Options.HostPath is set. No image cache and no data cache exists, so
// ImageSnapshotId is ImageSnapshot.NotFound.
//
// Accepted without effect once it is as documented: spot and scheduling
// parameters, ComputeCategory beyond the choice of size, image acceleration and
// automatic image caches, data cache disks, bandwidth caps, packages and line
// types, CPU options, GPU drivers, NTP servers, core patterns, resource view, RAM
// roles, registry hints (AcrRegistryInfo, PlainHttpRegistry, InsecureRegistry),
// MaxPendingMinute, FixedIp. An elastic IP and an IPv6 address are shown, from the
// ranges for documents, and lead nowhere; an EIP has one group at a time. A test
// lists the parameters that are not even read.
//
// ExecContainerCommand answers no HttpUrl: there is no web console.
//
// # What the documents leave open, and what was chosen
//
//   - Parameters may stand in the query or in a form body; a name that stands in
//     both is taken from the body, which is the order in which the signature of
//     RPC style merges them.
//   - An empty parameter counts as absent. A gap in a list's numbers closes up.
//   - ClientToken lives 24 hours and belongs to its action. Only success is
//     remembered: a failed request may be repeated with its token.
//   - Delete, restart, update, logs and exec of an unknown group, and logs and
//     exec of an unknown container, answer InvalidParameter.NotFound [404].
//   - Another region than the emulated one is InvalidRegionId.NotFound [404]. Any
//     vSwitch, security group and resource group is taken to exist.
//   - Twenty containers per group counts containers and init containers apart.
//   - A configuration file's 32 KiB are its raw content; Mode is a decimal number
//     of permission bits (420 is 0644), DefaultMode is 420.
//   - EnvironmentVar.Value, Command and Arg are held to the documented prose (256
//     characters; 20 of 256; 10), which is tighter than the gateway's schema.
//   - Ports 111, 10250 and 10255, which the agent uses, may not be declared.
//   - Tag filters are joined by AND; a filter without value matches any value.
//   - Pages are in order of creation. A NextToken names the last group of a page,
//     so what is deleted or created meanwhile shifts nothing.
//   - Vanished groups appear in no list, also not with SinceSecond.
//   - Init containers count towards the size by Kubernetes' rule: the larger of
//     the sum of all containers and the greatest init container.
//   - LimitBytes of a log keeps the first bytes, as a kubelet does; the bound of
//     1 MiB on every answer drops the oldest lines.
//   - A log of a container that never ran is IncorrectStatus.
//   - IncrementalUpdate finds containers and volumes by name and replaces the
//     parameters given; RenewUpdate replaces whole lists. A change of tags alone
//     does not restart anything, nor does one of the contents of configuration
//     files: the group is Updating for a moment, and its containers go on.
//   - Every disk whose id has the right form exists. While a group that has not
//     ended has it, another group is refused with DiskVolume.NotSupport.
//   - Containers can write to configuration files where VolumeMount.ReadOnly, whose
//     default is false, does not forbid it.
//   - TerminationGracePeriodSeconds is 30 when absent.
//   - EphemeralStorage is answered as the 30 GiB of every size plus the extra.
package eci
