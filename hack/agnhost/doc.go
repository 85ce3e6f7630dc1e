// Package agnhost holds nothing: its go.mod pins the programs that build.sh
// builds for the images of the conformance tests.
package agnhost
