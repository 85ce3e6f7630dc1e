package simulated

import "github.com/cumulet/cumulet/internal/emulator/engine"

// launch starts the containers whose turn it is: those with the highest launch
// priority first, the next when all of these are ready. The lock is held.
func (g *group) launch() {
	if g.stopping || g.restarting || g.failed || !g.initialized() {
		return
	}
	for {
		turn, found := g.turn()
		if !found {
			return
		}
		for _, c := range g.apps {
			if !c.launched && c.spec.Launch == turn {
				c.launched = true
				c.prepare()
			}
		}
	}
}

// turn is the launch priority whose turn it is; there is none while a container
// of a higher one is not ready.
func (g *group) turn() (priority int, found bool) {
	for _, c := range g.apps {
		if !c.launched && (!found || c.spec.Launch > priority) {
			priority, found = c.spec.Launch, true
		}
	}
	for _, c := range g.apps {
		if c.spec.Launch > priority && !c.state.Ready {
			return 0, false
		}
	}
	return priority, found
}

// mainOver tells whether every container but the sidecars has ended for good.
func (g *group) mainOver() bool {
	mains := 0
	for _, c := range g.apps {
		if c.spec.Sidecar {
			continue
		}
		if c.state.Current.Kind != engine.KindTerminated || c.current != nil || c.due || c.restartable(c.state.Current.ExitCode) {
			return false
		}
		mains++
	}
	return mains > 0
}

// over tells whether the group has ended by itself although a container may have
// failed that its restart policy starts again: a sidecar is not when the others
// have ended.
func (g *group) over() bool {
	if !g.mainOver() {
		return false
	}
	for _, c := range g.apps {
		if c.current != nil {
			return false
		}
	}
	return true
}

// endSidecars ends the sidecars once the other containers have.
func (g *group) endSidecars() {
	if !g.mainOver() {
		return
	}
	for _, c := range g.apps {
		if !c.spec.Sidecar {
			continue
		}
		c.stopTimer()
		c.due = false
		if c.current != nil {
			c.terminate("Stopping container " + c.spec.Name)
		}
	}
}
