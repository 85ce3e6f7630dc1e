package simulated

import (
	"fmt"
	"strings"

	"github.com/cumulet/cumulet/internal/emulator/engine"
	"github.com/cumulet/cumulet/internal/emulator/simulated/shell"
)

// directories are in every container.
var directories = []string{"/bin", "/dev", "/etc", "/home", "/proc", "/root", "/tmp", "/usr", "/var/log"}

// machine is what commands in a run of a container see; the lock is held.
func (c *container) machine(r *run) *shell.Machine {
	if r.machine != nil {
		return r.machine
	}
	g := c.group
	root := shell.NewVolume()
	for _, d := range directories {
		root.MkdirAll(d)
	}
	root.Put("/etc/hostname", []byte(g.hostname()+"\n"), 0o644)
	root.Put("/etc/hosts", g.hosts(), 0o644)
	root.Put("/etc/resolv.conf", g.resolver(), 0o644)
	var mounts []shell.Mount
	for _, m := range c.spec.Mounts {
		mounts = append(mounts, shell.Mount{
			Volume: g.volume(m.Volume), Path: m.Path, SubPath: m.SubPath, ReadOnly: m.ReadOnly,
		})
	}
	if c.spec.WorkingDir != "" {
		root.MkdirAll(c.spec.WorkingDir)
	}
	r.machine = &shell.Machine{
		Clock: g.runtime.clock, Hostname: g.hostname(), Env: c.environment(), Dir: c.spec.WorkingDir,
		Files: shell.NewFiles(g.runtime.clock, root, mounts),
	}
	return r.machine
}

// environment is the container's environment; the group's address is the only
// field that the clouds fill in.
func (c *container) environment() []string {
	env := []string{"HOSTNAME=" + c.group.hostname()}
	for _, e := range c.spec.Env {
		value := e.Value
		if e.FieldPath == "status.podIP" {
			value = c.group.spec.Address
		}
		env = append(env, e.Name+"="+value)
	}
	return env
}

func (g *group) hostname() string {
	if g.spec.Hostname != "" {
		return g.spec.Hostname
	}
	return g.spec.Name
}

func (g *group) hosts() []byte {
	var b strings.Builder
	b.WriteString("127.0.0.1\tlocalhost\n")
	fmt.Fprintf(&b, "%s\t%s\n", g.spec.Address, g.hostname())
	for _, a := range g.spec.HostAliases {
		fmt.Fprintf(&b, "%s\t%s\n", a.IP, strings.Join(a.Names, "\t"))
	}
	return []byte(b.String())
}

func (g *group) resolver() []byte {
	dns := g.spec.DNS
	if dns == nil {
		// Alibaba Cloud's resolvers, which its instances inherit.
		return []byte("nameserver 100.100.2.136\nnameserver 100.100.2.138\n")
	}
	var b strings.Builder
	for _, n := range dns.NameServers {
		fmt.Fprintf(&b, "nameserver %s\n", n)
	}
	if len(dns.Searches) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(dns.Searches, " "))
	}
	if len(dns.Options) > 0 {
		b.WriteString("options")
		for _, o := range dns.Options {
			b.WriteString(" " + o.Name)
			if o.Value != "" {
				b.WriteString(":" + o.Value)
			}
		}
		b.WriteString("\n")
	}
	return []byte(b.String())
}

// volume returns the group's volume of a name; all but files begin empty.
func (g *group) volume(name string) *shell.Volume {
	if v, ok := g.volumes[name]; ok {
		return v
	}
	if g.volumes == nil {
		g.volumes = map[string]*shell.Volume{}
	}
	v := shell.NewVolume()
	g.volumes[name] = v
	for i := range g.spec.Volumes {
		if g.spec.Volumes[i].Name == name {
			fill(v, g.spec.Volumes[i].Files)
		}
	}
	return v
}

// fill stores the files of a config file volume.
func fill(v *shell.Volume, files *engine.Files) {
	if files == nil {
		return
	}
	for _, f := range files.Items {
		mode := f.Mode
		if mode == 0 {
			mode = files.DefaultMode
		}
		if mode == 0 {
			mode = 0o644
		}
		v.Put(f.Path, f.Content, fileMode(mode))
	}
}

// updateVolumes brings config file volumes to their new content.
func (g *group) updateVolumes() {
	for i := range g.spec.Volumes {
		if v, ok := g.volumes[g.spec.Volumes[i].Name]; ok && g.spec.Volumes[i].Files != nil {
			v.Clear()
			fill(v, g.spec.Volumes[i].Files)
		}
	}
}
