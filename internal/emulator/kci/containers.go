package kci

import (
	"fmt"
	"path"
	"time"

	"github.com/cumulet/cumulet/internal/emulator/engine"
)

const maxPort = 65535

// readContainers reads containers and, in Extended, init containers, and checks
// what they have to do with each other and with the volumes.
func readContainers(r *reader, n *node, spec *engine.Spec) {
	names, volumes := map[string]bool{}, map[string]bool{}
	for _, v := range spec.Volumes {
		volumes[v.Name] = true
	}
	for _, element := range r.list(n, "Container") {
		c := readContainer(r, element, names, volumes)
		c.Ports = readPorts(r, element)
		if r.extended() {
			c.Liveness = readProbe(r, element.child("LivenessProbe"), livenessDefaults)
			c.Readiness = readProbe(r, element.child("ReadinessProbe"), readinessDefaults)
		}
		spec.Containers = append(spec.Containers, c)
	}
	if len(spec.Containers) == 0 {
		r.fail(missingParameter.with("Container.1.Name"))
	}
	if !r.extended() {
		return
	}
	for _, element := range r.list(n, "InitContainer") {
		spec.InitContainers = append(spec.InitContainers, readContainer(r, element, names, volumes))
	}
}

// readContainer reads what containers and init containers both have. names are
// the names so far.
func readContainer(r *reader, n *node, names, volumes map[string]bool) engine.Container {
	c := engine.Container{
		Name:       r.name(n, "Name", namePattern),
		Image:      r.required(n, "Image"),
		Command:    r.texts(r.list(n, "Command")),
		Args:       r.texts(r.list(n, "Arg")),
		CPU:        r.decimal(n, "Cpu", maxCPU),
		Memory:     r.decimal(n, "Memory", maxMemory),
		WorkingDir: r.optional(n, "WorkingDir"),
		Env:        readEnv(r, n),
		Mounts:     readMounts(r, n, volumes),
	}
	if names[c.Name] {
		r.fail(refuse(n.pathOf("Name"), quote(c.Name)+" is the name of another container"))
	}
	names[c.Name] = true
	if r.extended() {
		c.PullPolicy = r.oneOf(n, "ImagePullPolicy", "", pullPolicies...)
		c.GPU = r.decimal(n, "Gpu", maxCPU)
		c.Security.Privileged = r.flag(n.child("SecurityContext"), "Privileged")
	}
	return c
}

// readEnv reads environment variables. A value may be a secret and is never
// told; a missing one is empty, since the Go SDK does not send empty texts.
func readEnv(r *reader, n *node) []engine.EnvVar {
	var env []engine.EnvVar
	for _, element := range r.list(n, "EnvironmentVar") {
		v := engine.EnvVar{Name: r.name(element, "Key", envKeyPattern)}
		value, literal := r.text(element, "Value")
		v.Value = value
		if from := element.child("ValueFrom"); r.extended() && from != nil {
			ref := from.grow("FieldRef")
			r.required(ref, "FieldPath")
			v.FieldPath = r.oneOf(ref, "FieldPath", "", "status.podIP")
			if literal {
				r.fail(refuse(element.pathOf("Value"), "it excludes ValueFrom"))
			}
		}
		env = append(env, v)
	}
	return env
}

// readPorts reads ports. The SDKs' notes also have HTTP for a protocol, which is
// TCP to a network.
func readPorts(r *reader, n *node) []engine.Port {
	protocols := []string{"TCP", "UDP"}
	if r.extended() {
		protocols = append(protocols, "HTTP")
	}
	var ports []engine.Port
	for _, element := range r.list(n, "Port") {
		p := engine.Port{
			Port:     r.requiredInteger(element, "Port", whole{1, maxPort, 0}),
			Protocol: r.oneOf(element, "Protocol", "TCP", protocols...),
		}
		if p.Protocol == "HTTP" {
			p.Protocol = "TCP"
		}
		ports = append(ports, p)
	}
	return ports
}

func readMounts(r *reader, n *node, volumes map[string]bool) []engine.Mount {
	var mounts []engine.Mount
	paths := map[string]bool{}
	for _, element := range r.list(n, "VolumeMount") {
		m := engine.Mount{
			Volume:   r.required(element, "Name"),
			Path:     r.absolute(element, "MountPath"),
			ReadOnly: r.flag(element, "ReadOnly"),
		}
		if !volumes[m.Volume] {
			r.fail(refuse(element.pathOf("Name"), "there is no volume "+quote(m.Volume)))
		}
		if clean := path.Clean(m.Path); paths[clean] {
			r.fail(refuse(element.pathOf("MountPath"), quote(m.Path)+" is mounted already"))
		} else {
			paths[clean] = true
		}
		mounts = append(mounts, m)
	}
	return mounts
}

// probeDefaults are the numbers of a probe that a request leaves out.
type probeDefaults struct {
	maxSuccess, failure int
}

// The defaults of the SDKs' notes. A liveness probe gives up after one failure,
// not after Kubernetes' three, and takes one success only.
var (
	livenessDefaults  = probeDefaults{maxSuccess: 1, failure: 1}
	readinessDefaults = probeDefaults{maxSuccess: maxProbeNumber, failure: 3}
)

const (
	maxProbeNumber      = 1<<31 - 1
	defaultProbePeriod  = 10 // seconds
	defaultProbeTimeout = 1  // seconds
)

// readProbe reads a probe; nil if there is none.
func readProbe(r *reader, n *node, defaults probeDefaults) *engine.Probe {
	if n == nil {
		return nil
	}
	seconds := func(name string, least, fallback int) time.Duration {
		return time.Duration(r.integer(n, name, whole{least, maxProbeNumber, fallback})) * time.Second
	}
	probe := &engine.Probe{
		InitialDelay: seconds("InitialDelaySeconds", 0, 0),
		Period:       seconds("PeriodSeconds", 1, defaultProbePeriod),
		Timeout:      seconds("TimeoutSeconds", 1, defaultProbeTimeout),
		Success:      r.integer(n, "SuccessThreshold", whole{1, defaults.maxSuccess, 1}),
		Failure:      r.integer(n, "FailureThreshold", whole{1, maxProbeNumber, defaults.failure}),
	}
	handlers := 0
	if get := n.child("HttpGet"); get != nil {
		handlers++
		probe.HTTP = readHTTPGet(r, get)
	}
	if socket := n.child("TcpSocket"); socket != nil {
		handlers++
		probe.TCP = &engine.TCPSocket{Port: r.requiredInteger(socket, "Port", whole{1, maxPort, 0})}
	}
	if command := n.child("Exec"); command != nil {
		handlers++
		probe.Exec = r.requiredTexts(command, "Command")
	}
	if handlers != 1 {
		r.fail(refuse(n.path, fmt.Sprintf("it must have one of HttpGet, TcpSocket and Exec, not %d", handlers)))
	}
	return probe
}

func readHTTPGet(r *reader, n *node) *engine.HTTPGet {
	get := &engine.HTTPGet{
		Scheme: r.oneOf(n, "Scheme", "HTTP", "HTTP", "HTTPS"),
		Path:   r.optional(n, "Path"),
		Port:   r.requiredInteger(n, "Port", whole{1, maxPort, 0}),
	}
	if get.Path == "" {
		get.Path = "/"
	}
	return get
}

// requiredTexts is texts for a list that must not be empty.
func (r *reader) requiredTexts(n *node, name string) []string {
	values := r.texts(r.list(n, name))
	if len(values) == 0 {
		r.fail(missingParameter.with(n.pathOf(name + ".1")))
	}
	return values
}
