// Package prober runs from the node what the cloud of a container group cannot
// run itself: probes, by the rules of a kubelet, and the handlers of lifecycle
// hooks.
//
// A Runner carries out one handler once: HTTP, TCP and gRPC against the group's
// address, commands through the cloud. A Prober keeps one worker for each probe
// of each pod it was told of and turns what the Runner finds into results, by
// delay, period and thresholds. It decides nothing about pods: what a result
// means for a pod's status, and how a container is restarted, is its caller's
// business.
package prober
