package eci

import (
	"slices"
	"strconv"

	"github.com/cumulet/cumulet/cloudapi"
)

// The environment variables by which the cloud is told of sidecars: its pages
// "Forcibly terminate the sidecar container and ignore the container exit code"
// and "Configure the startup and exit priorities of containers". A container with
// a higher launch priority starts before those with a lower one, which wait for
// its readiness probe if it has one; one with a lower exit priority ends after
// those with a higher one; a container of type sidecar is ended when the others
// have ended and are not started again. The container sees the variables too.
const (
	envType   = "ECI_CONTAINER_TYPE"
	envLaunch = "ECI_CONTAINER_LAUNCH_PRIORITY"
	envExit   = "ECI_CONTAINER_EXIT_PRIORITY"

	typeSidecar = "sidecar"
	// maxPriority is the highest of either priority, -maxPriority the lowest, 0
	// that of a container without one.
	maxPriority = 1000
)

// withSidecars tells the sidecars of a group what they are: the first of them
// starts first and ends last. Variables of these names that a container has
// already are its own.
func withSidecars(containers []cloudapi.Container) []cloudapi.Container {
	out := slices.Clone(containers)
	n := 0
	for i := range out {
		if !out[i].Sidecar {
			continue
		}
		out[i].Env = slices.Clone(out[i].Env)
		for _, v := range []cloudapi.EnvVar{
			{Name: envType, Value: typeSidecar},
			{Name: envLaunch, Value: strconv.Itoa(maxPriority - n)},
			{Name: envExit, Value: strconv.Itoa(n - maxPriority)},
		} {
			if !slices.ContainsFunc(out[i].Env, func(own cloudapi.EnvVar) bool { return own.Name == v.Name }) {
				out[i].Env = append(out[i].Env, v)
			}
		}
		n++
	}
	return out
}
