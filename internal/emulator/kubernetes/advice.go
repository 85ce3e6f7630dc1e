package kubernetes

import (
	"fmt"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

// advise tells what keeps the group from being made, if anything does, and what
// it has to do without, once for each spec.
func (g *group) advise(in *inbox) (hindered bool) {
	hindrances, advice := hindrancesOf(in.spec), adviceOf(in.spec)
	if g.advised != in.spec {
		g.advised = in.spec
		for _, e := range append(hindrances, advice...) {
			g.note(e)
		}
		g.say(g.observe(in), false)
	}
	return len(hindrances) > 0
}

// hindrancesOf are why no pod can be made of a spec: it needs what the group's
// machine does not have, in the words of a kubelet (pkg/volume/hostpath).
func hindrancesOf(spec *engine.Spec) []engine.Event {
	var events []engine.Event
	for i := range spec.Volumes {
		if v := &spec.Volumes[i]; v.HostPath != "" && v.HostPathType == "File" {
			events = append(events, engine.Event{Type: warning, Reason: "FailedMount", Message: fmt.Sprintf(
				"MountVolume.SetUp failed for volume %q : hostPath type check failed: %s is not a file", v.Name, v.HostPath)})
		}
	}
	return events
}

// adviceOf is what the containers of a spec have to do without.
func adviceOf(spec *engine.Spec) []engine.Event {
	var events []engine.Event
	for _, list := range [][]engine.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			if list[i].GPU > 0 {
				events = append(events, engine.Event{
					Type: warning, Reason: "NoGPU", Container: list[i].Name,
					Message: fmt.Sprintf("Container %s asks for %g GPU and runs without: the emulated machine has none", list[i].Name, list[i].GPU),
				})
			}
		}
	}
	return events
}
