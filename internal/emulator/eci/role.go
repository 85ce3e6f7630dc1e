package eci

import (
	"strconv"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// The environment variables by which a container says what it is in its group
// (ECI's pages on terminating sidecar containers and on startup and exit
// priorities).
const (
	envContainerType  = "ECI_CONTAINER_TYPE"
	envLaunchPriority = "ECI_CONTAINER_LAUNCH_PRIORITY"
	maxLaunchPriority = 1000
)

// readRoles reads the roles of a container from its environment. What is not as
// the cloud's pages have it is passed over: what the cloud does then is not known.
// Exit priorities are not emulated.
func readRoles(c *engine.Container) {
	for _, v := range c.Env {
		switch v.Name {
		case envContainerType:
			c.Sidecar = v.Value == "sidecar"
		case envLaunchPriority:
			if n, err := strconv.Atoi(v.Value); err == nil && n >= -maxLaunchPriority && n <= maxLaunchPriority {
				c.Launch = n
			}
		}
	}
}
