package config

import (
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The architectures of nodes, in Kubernetes' words.
const (
	archAMD64 = "amd64"
	archARM64 = "arm64"
	// optionArchitecture is the option that says the same to the cloud, in capitals.
	optionArchitecture = "architecture"
)

// setArchitecture asks for the node's architecture by an option, too: without that
// ECI's groups run on AMD64.
func (n *Node) setArchitecture() {
	setString(&n.Architecture, archAMD64)
	if n.Cloud == CloudECI && n.Architecture == archARM64 && n.Options[optionArchitecture] == "" {
		options := map[string]string{optionArchitecture: strings.ToUpper(archARM64)}
		maps.Copy(options, n.Options)
		n.Options = options
	}
}

func (n *Node) validateArchitecture(path *field.Path) field.ErrorList {
	at := path.Child("architecture")
	asked := n.Options[optionArchitecture]
	switch {
	case n.Architecture != archAMD64 && n.Architecture != archARM64:
		return field.ErrorList{field.NotSupported(at, n.Architecture, []string{archAMD64, archARM64})}
	case n.Cloud == CloudKCI && n.Architecture != archAMD64:
		return field.ErrorList{field.Invalid(at, n.Architecture, "kci has no parameter for it: its groups run on amd64")}
	case asked != "" && asked != strings.ToUpper(n.Architecture):
		return field.ErrorList{field.Invalid(path.Child("options").Key(optionArchitecture), asked,
			"must be "+strings.ToUpper(n.Architecture)+", as the node's architecture is "+n.Architecture)}
	default:
		return nil
	}
}
