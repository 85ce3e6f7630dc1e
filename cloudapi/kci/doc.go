// Package kci is the adapter to Kingsoft Cloud KCI, API version 2020-07-02, in
// its stand-alone mode: the whole pod is in the create request.
//
// The API's document is the authority; where only Kingsoft's SDKs tell more, the
// dialect Extended uses it and the dialect Seed does not. "The document" in this
// package's comments is that API document, and "the SDKs" are Kingsoft's own, at
// v2.2.122 of the one for Go.
//
// KCI has neither idempotency tokens nor tags. A group's name, made by translate
// from the owner's mark and the pod's UID, is its identity, and a repeated
// create looks for it first.
//
// Calls are repeated inside the package only where that is surely harmless:
// reads and deletes after a failure of the cloud, and everything after
// LimitExceeded, which is told before anything is done. A create whose outcome is
// open is never repeated here; its error is marked Uncertain.
package kci
