// Package engine holds the container groups of one emulated cloud: it creates,
// schedules, ends and forgets them on an injected clock, and keeps what truly
// exists apart from what the cloud's API tells of it. How containers run is a
// Runtime's business; how requests look on the wire is a front's
// (internal/emulator/eci, internal/emulator/kci).
//
// The package imports nothing of cumulet's client side on purpose: if both
// sides shared their structs, a misspelt field would be misspelt on both and
// every test would be green.
package engine
