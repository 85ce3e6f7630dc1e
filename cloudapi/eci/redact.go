package eci

import (
	"slices"
	"strings"
)

// maxMessage bounds a message taken over from the cloud, in characters.
const maxMessage = 500

// secretParameters are the endings of the names of parameters whose values may
// be secret.
var secretParameters = []string{".Value", ".Content", ".Password", ".UserName"}

// secrets lists the request's values that no error may show: the cloud quotes
// parameters in some of its messages. The commands of an exec are among them.
func (c call) secrets() []string {
	var out []string
	for name, value := range c.parameters {
		secret := slices.ContainsFunc(secretParameters, func(ending string) bool {
			return strings.HasSuffix(name, ending)
		})
		if value != nil && strings.HasSuffix(name, ".FlexVolume.Options") {
			out = append(out, optionSecrets(*value)...)
		}
		if value != nil && (secret && !strings.HasPrefix(name, "Tag.") || c.action == opExec && name == "Command") {
			out = append(out, *value)
		}
	}
	return out
}
