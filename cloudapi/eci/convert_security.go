package eci

import (
	"slices"

	sdk "github.com/alibabacloud-go/eci-20180808/v3/client"

	"github.com/cumulet/cumulet/cloudapi"
)

// capabilities are what Capability.Add takes (parameter table of
// CreateContainerGroup).
var capabilities = []string{"NET_ADMIN", "NET_RAW"}

// addSecurity writes a container's security context. Its parts came to the API
// at different times: some lie in SecurityContext, some beside it.
func addSecurity(out *sdk.CreateContainerGroupRequestContainer, s cloudapi.Security) error {
	if err := checkCapabilities(s.AddCapabilities); err != nil {
		return err
	}
	out.SecurityContextRunAsGroup = s.RunAsGroup
	out.SecurityContextRunAsNonRoot = yes(s.RunAsNonRoot)
	out.SecurityContextPrivileged = yes(s.Privileged)
	if s.RunAsUser == nil && !s.ReadOnlyRoot && len(s.AddCapabilities) == 0 {
		return nil
	}
	out.SecurityContext = &sdk.CreateContainerGroupRequestContainerSecurityContext{
		RunAsUser: s.RunAsUser, ReadOnlyRootFilesystem: yes(s.ReadOnlyRoot),
	}
	if len(s.AddCapabilities) > 0 {
		out.SecurityContext.Capability = &sdk.CreateContainerGroupRequestContainerSecurityContextCapability{Add: texts(s.AddCapabilities)}
	}
	return nil
}

// addInitSecurity does the same for an init container; checkInit has refused
// what it has no parameters for.
func addInitSecurity(out *sdk.CreateContainerGroupRequestInitContainer, s cloudapi.Security) error {
	if err := checkCapabilities(s.AddCapabilities); err != nil {
		return err
	}
	if s.RunAsUser == nil && !s.ReadOnlyRoot && len(s.AddCapabilities) == 0 {
		return nil
	}
	out.SecurityContext = &sdk.CreateContainerGroupRequestInitContainerSecurityContext{
		RunAsUser: s.RunAsUser, ReadOnlyRootFilesystem: yes(s.ReadOnlyRoot),
	}
	if len(s.AddCapabilities) > 0 {
		out.SecurityContext.Capability = &sdk.CreateContainerGroupRequestInitContainerSecurityContextCapability{Add: texts(s.AddCapabilities)}
	}
	return nil
}

func checkCapabilities(add []string) error {
	for i, name := range add {
		if !slices.Contains(capabilities, name) {
			return unsupported("Security.AddCapabilities[%d]: %s; the cloud grants NET_ADMIN and NET_RAW only", i, name)
		}
	}
	return nil
}
