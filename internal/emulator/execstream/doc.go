// Package execstream carries one exec session between an emulated cloud and its
// client over a WebSocket.
//
// Neither cloud documents the frames of its exec socket, so this is the
// emulator's own choice, made from what the clients that exist accept and what a
// kubelet, which both clouds build on, speaks. A client that offers one of
// Kubernetes' remote command sub-protocols is answered in it:
//
//   - every binary or text message starts with one byte, its channel: 0 stdin,
//     1 stdout, 2 stderr, 3 error, 4 resize;
//   - a resize is {"Width":80,"Height":24} on channel 4;
//   - with v4.channel.k8s.io and v5.channel.k8s.io the end of the command is a
//     metav1.Status on channel 3, with the exit code among its causes;
//   - with channel.k8s.io channel 3 carries plain text, and only on failure;
//   - with v5.channel.k8s.io the message {255, 0} ends stdin.
//
// A client that offers none gets the frames of channel.k8s.io, or raw bytes with
// Session.Raw: each message to the server is stdin, each message from it is
// output, stdout and stderr mixed, and no exit code is told.
package execstream
