package translate

import (
	"slices"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/cumulet/cumulet/cloudapi"
)

// container translates what containers and init containers have in common and
// tells what the group must hold for it.
func (t *translation) container(c *corev1.Container, path *field.Path) (cloudapi.Container, share) {
	env := t.environment(c, path)
	may, need := t.containerShare(c, path)
	out := cloudapi.Container{
		Name:       c.Name,
		Image:      c.Image,
		Command:    t.expandAll(env, c.Command, path.Child("command")),
		Args:       t.expandAll(env, c.Args, path.Child("args")),
		WorkingDir: c.WorkingDir,
		Env:        env.list(),
		Mounts:     t.mounts(c, env, path.Child("volumeMounts")),
		CPU:        toFloat(may.cpu),
		Memory:     toFloat(may.memory),
		GPU:        gpus(c),
		Security:   t.security(c, path),
	}
	t.atMost(path.Child("image"), t.limits.MaxImage, utf8.RuneCountInString(c.Image), "characters")
	t.checkWords(out.Command, out.Args, path)
	t.pullPolicy(&out, c, path)
	t.terminationMessage(&out, c)
	return out, need
}

// mainContainer adds what only long-running containers have.
func (t *translation) mainContainer(c *corev1.Container, path *field.Path) (cloudapi.Container, share) {
	out, s := t.container(c, path)
	t.ownRestartPolicy(c, isSidecar(t.pod, c.Name), path)
	out.Ports = t.ports(c, path.Child("ports"))
	out.Liveness = t.probe(c, ProbeLiveness, path.Child("livenessProbe"))
	out.Readiness = t.probe(c, ProbeReadiness, path.Child("readinessProbe"))
	t.probe(c, ProbeStartup, path.Child("startupProbe"))
	t.hooks(&out, c, path)
	t.mainSecurity(&out.Security, c, path)
	out.Stdin, out.StdinOnce, out.TTY = c.Stdin, c.StdinOnce, c.TTY
	out.Mounts = append(out.Mounts, t.carriers(c)...)
	return out, s
}

// initContainer adds what only init containers have.
func (t *translation) initContainer(c *corev1.Container, path *field.Path) (cloudapi.Container, share) {
	out, s := t.container(c, path)
	t.ownRestartPolicy(c, true, path)
	t.initSecurity(&out.Security, c, path)
	return out, s
}

func (t *translation) ports(c *corev1.Container, path *field.Path) []cloudapi.Port {
	if !t.limits.Can.Ports {
		return nil
	}
	var out []cloudapi.Port
	for i, p := range c.Ports {
		if slices.Contains(t.limits.ReservedPorts, p.ContainerPort) {
			t.refusef(path.Index(i).Child("containerPort"), "%d: the cloud's own agent listens there", p.ContainerPort)
		}
		switch protocol := orDefault(p.Protocol, corev1.ProtocolTCP); protocol {
		case corev1.ProtocolTCP, corev1.ProtocolUDP:
			out = append(out, cloudapi.Port{Port: p.ContainerPort, Protocol: cloudapi.Protocol(protocol)})
		default:
			t.refusef(path.Index(i).Child("protocol"), "%s: the clouds know TCP and UDP", protocol)
		}
	}
	return out
}

// pullPolicy sets the policy where the cloud takes one. Elsewhere a new group
// pulls what it lacks, which is what Always and IfNotPresent come to on a
// machine without images; Never would be broken.
func (t *translation) pullPolicy(out *cloudapi.Container, c *corev1.Container, path *field.Path) {
	if t.limits.Can.PullPolicy {
		out.PullPolicy = string(c.ImagePullPolicy)
	} else if c.ImagePullPolicy == corev1.PullNever {
		t.refusef(path.Child("imagePullPolicy"), "Never: the cloud always pulls images")
	}
}

// terminationMessage is set only where it differs from Kubernetes' defaults.
func (t *translation) terminationMessage(out *cloudapi.Container, c *corev1.Container) {
	if !t.limits.Can.TerminationMessage {
		return
	}
	if c.TerminationMessagePath != corev1.TerminationMessagePathDefault {
		out.TerminationMessagePath = c.TerminationMessagePath
	}
	if c.TerminationMessagePolicy != corev1.TerminationMessageReadFile {
		out.TerminationMessagePolicy = string(c.TerminationMessagePolicy)
	}
}
