package eci

import (
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

func decimal(i int) string { return strconv.Itoa(i) }

// checkContainers checks all containers and init containers of a request.
func checkContainers(r *createRequest) error {
	if len(r.Containers) > maxContainers || len(r.InitContainers) > maxContainers {
		return fail(codeValueExceeded, "A container group has at most %d containers; %d and %d init containers are given.",
			maxContainers, len(r.Containers), len(r.InitContainers))
	}
	names, volumes := map[string]bool{}, map[string]bool{}
	for _, v := range r.Volumes {
		volumes[v.Name] = true
	}
	for i := range r.InitContainers {
		at := "InitContainer." + decimal(i+1) + "."
		if err := checkBase(&r.InitContainers[i].baseContainer, at, names, volumes); err != nil {
			return err
		}
	}
	for i := range r.Containers {
		at := "Container." + decimal(i+1) + "."
		if err := checkBase(&r.Containers[i].baseContainer, at, names, volumes); err != nil {
			return err
		}
		if err := checkHandlers(&r.Containers[i], at); err != nil {
			return err
		}
	}
	return nil
}

// checkBase checks what containers and init containers share. names collects the
// names seen so far.
func checkBase(c *baseContainer, at string, names, volumes map[string]bool) error {
	if !containerName.MatchString(c.Name) {
		return fail(codeInvalidParameter, "The parameter %sName must be at most 63 lower-case letters, digits and "+
			"hyphens, without a hyphen at either end.", at)
	}
	if names[c.Name] {
		return fail(codeDuplicatedName, "The container name %q is used twice.", c.Name)
	}
	names[c.Name] = true
	if c.Image == "" {
		return missing(at + "Image")
	}
	if err := checkEnv(c.Env, at); err != nil {
		return err
	}
	for i, p := range c.Ports {
		if reservedPorts[*p.Port] {
			return fail(codeInvalidParameter, "The parameter %sPort.%d.Port is %d, which is reserved.", at, i+1, *p.Port)
		}
	}
	return checkMounts(c.Mounts, at, volumes)
}

func checkEnv(env []envVar, at string) error {
	for i, e := range env {
		name := at + "EnvironmentVar." + decimal(i+1) + "."
		switch {
		case len(e.Key) > maxEnvKey || !envKey.MatchString(e.Key):
			return fail(codeInvalidParameter, "The parameter %sKey must be 1 to %d letters, digits and underscores "+
				"and not start with a digit.", name, maxEnvKey)
		case utf8.RuneCountInString(e.Value) > maxEnvValue:
			return fail(codeLengthExceeded, "The parameter %sValue has %d characters; at most %d are allowed.",
				name, utf8.RuneCountInString(e.Value), maxEnvValue)
		case e.Value != "" && e.FieldRef.FieldPath != "":
			return fail(codeInvalidParameter, "The parameters %sValue and %sFieldRef exclude each other.", name, name)
		}
	}
	return nil
}

func checkMounts(mounts []volumeMount, at string, volumes map[string]bool) error {
	paths := map[string]bool{}
	for i, m := range mounts {
		name := at + "VolumeMount." + decimal(i+1) + "."
		switch {
		case !volumes[m.Name]:
			return fail(codeInvalidParameter, "The parameter %sName is %q, but no volume has this name.", name, m.Name)
		case !path.IsAbs(m.MountPath) || strings.Contains(m.MountPath, ":"):
			return fail(codeInvalidParameter, "The parameter %sMountPath must be an absolute path without a colon.", name)
		case paths[path.Clean(m.MountPath)]:
			return fail(codeInvalidParameter, "The parameter %sMountPath is used twice.", name)
		case m.SubPath != "" && !insidePath(m.SubPath):
			return fail(codeInvalidParameter, "The parameter %sSubPath must be a relative path without \"..\".", name)
		}
		paths[path.Clean(m.MountPath)] = true
	}
	return nil
}

// insidePath tells whether p stays within the directory it is relative to.
func insidePath(p string) bool {
	if path.IsAbs(p) || strings.ContainsRune(p, 0) {
		return false
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == ".." {
			return false
		}
	}
	return path.Clean(p) != "."
}

// checkHandlers checks a container's probes and hooks.
func checkHandlers(c *containerParams, at string) error {
	if p := c.LivenessProbe; p != nil {
		if err := checkProbe(&p.probeNumbers, p.Exec.Command, at+"LivenessProbe"); err != nil {
			return err
		}
	}
	if p := c.ReadinessProbe; p != nil {
		if err := checkProbe(&p.probeNumbers, p.Exec.Command, at+"ReadinessProbe"); err != nil {
			return err
		}
	}
	if err := checkHook(&c.PostStart, at+"LifecyclePostStartHandler"); err != nil {
		return err
	}
	return checkHook(&c.PreStop, at+"LifecyclePreStopHandler")
}

func checkProbe(p *probeNumbers, command []string, at string) error {
	if count(p.HTTPGet != nil, p.TCPSocket != nil, len(command) > 0) != 1 {
		return fail(codeInvalidParameter, "The parameter %s must have exactly one of HttpGet, TcpSocket and Exec.", at)
	}
	return nil
}

func checkHook(h *hook, at string) error {
	http := h.Host != "" || h.Path != "" || h.Port != nil || h.Scheme != "" || len(h.Headers) > 0
	tcp := h.TCPHost != "" || h.TCPPort != nil
	switch {
	case count(http, tcp, len(h.Exec) > 0) > 1:
		return fail(codeInvalidParameter, "The parameters %s… must be of one of HttpGet, TcpSocket and Exec.", at)
	case http && h.Port == nil:
		return missing(at + "HttpGetPort")
	case tcp && h.TCPPort == nil:
		return missing(at + "TcpSocketPort")
	default:
		return nil
	}
}

// count is how many of its arguments are true.
func count(conditions ...bool) int {
	n := 0
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}
