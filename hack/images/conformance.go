package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// e2e is where upstream keeps the images of its own tests.
const e2e = "registry.k8s.io/e2e-test-images/"

// agnhostConfig is that of agnhost, and of the images that upstream makes from
// it.
var agnhostConfig = v1.Config{
	Env: []string{standardPath}, Entrypoint: []string{"/agnhost"}, Cmd: []string{"pause"},
	ExposedPorts: map[string]struct{}{"80/tcp": {}, "5000/tcp": {}, "8080/tcp": {}, "8081/tcp": {}, "9376/tcp": {}},
}

// conformanceRecipes are the images of setConformance. The tags are those of
// test/utils/image/manifest.go in Kubernetes 1.35.4; a test compares.
func conformanceRecipes() []recipe {
	return slices.Concat(agnhostRecipes(), serverRecipes(), toolRecipes())
}

// agnhostRecipes are agnhost and what is made of its parts.
func agnhostRecipes() []recipe {
	agnhostLayers := []*layer{baseLayer, networkLayer, corednsLayer, agnhostLayer}
	website := agnhostConfig
	website.Cmd = []string{"test-webserver"}
	return []recipe{
		{
			set: setConformance, names: tagged(e2e+"agnhost", "2.59", "2.55", "2.54", "2.53"), layers: agnhostLayers, config: agnhostConfig,
			contains: "agnhost 2.59 of Kubernetes 1.35.4 on Debian with bash, curl, dig, nc, ss, iperf and CoreDNS 1.13.1 " +
				"(the plugins that need no cloud and no cluster); all tags are the same program",
		},
		{
			set: setConformance, names: tagged(e2e+"kitten", "1.7"), layers: append(slices.Clone(agnhostLayers), websiteLayer("kitten")), config: website,
			contains: "upstream's two files, served by agnhost 2.59",
		},
		{
			set: setConformance, names: tagged(e2e+"nautilus", "1.7"), layers: append(slices.Clone(agnhostLayers), websiteLayer("nautilus")), config: website,
			contains: "upstream's two files, served by agnhost 2.59",
		},
		{
			set: setConformance, names: tagged(e2e+"jessie-dnsutils", "1.7"), layers: []*layer{baseLayer, networkLayer, corednsLayer},
			config:   v1.Config{Env: []string{standardPath}, Cmd: []string{"bash"}},
			contains: "BIND's tools of Debian 13, not of Debian 8, and CoreDNS 1.13.1",
		},
	}
}

// serverRecipes are those that serve something.
func serverRecipes() []recipe {
	return []recipe{
		{
			set: setConformance, names: tagged(e2e+"nginx", "1.14-4", "1.15-4"), layers: []*layer{baseLayer, nginxLayer}, config: nginxConfig,
			contains: "Debian's nginx 1.26, as docker.io/library/nginx",
		},
		{
			set: setConformance, names: tagged("registry.k8s.io/etcd", "3.6.6-0"), layers: []*layer{baseLayer, programLayer("etcd", "usr/local/bin/etcd")},
			config:   v1.Config{Env: []string{standardPath}, ExposedPorts: map[string]struct{}{"2379/tcp": {}, "2380/tcp": {}}},
			contains: "etcd 3.6.5, without etcdctl and the tools for migration",
		},
		{
			set: setConformance, names: tagged(e2e+"sample-apiserver", "1.29.2"), layers: []*layer{baseLayer, programLayer("sample-apiserver", "sample-apiserver")},
			config:   v1.Config{Env: []string{standardPath}, Entrypoint: []string{"/sample-apiserver"}},
			contains: "k8s.io/sample-apiserver 0.35.4",
		},
		{
			set: setConformance, names: tagged(e2e+"regression-issue-74839", "1.4"),
			layers: []*layer{baseLayer, programLayer("regression-issue-74839", "regression-issue-74839")},
			config: v1.Config{Env: []string{standardPath}, Entrypoint: []string{"/regression-issue-74839"}}, contains: "the program of Kubernetes 1.35.4",
		},
		{
			set: setConformance, names: tagged(e2e+"resource-consumer", "1.13"), layers: []*layer{baseLayer, consumerLayer},
			config:   v1.Config{Env: []string{standardPath}, Entrypoint: []string{"/consumer"}, ExposedPorts: map[string]struct{}{"8080/tcp": {}}},
			contains: "the programs of Kubernetes 1.35.4 and Debian's stress",
		},
	}
}

// toolRecipes are those with tools for the tests' commands.
func toolRecipes() []recipe {
	plain := v1.Config{Env: []string{standardPath}, Cmd: []string{"sh"}}
	return []recipe{
		{
			set: setConformance, names: tagged(e2e+"busybox", "1.37.0-1", "1.36.1-1"), layers: []*layer{busyboxLayer, shellLayer}, config: plain,
			contains: "Debian's busybox 1.37.0 (static), with bash for sh where there are environment variables whose names are no " +
				"identifiers: Debian's ash, unlike upstream's, drops them, and tests read them with `sh -c env`",
		},
		{
			set: setConformance, names: tagged(e2e+"nonewprivs", "1.3"), layers: []*layer{baseLayer, nonewprivsLayer},
			config: v1.Config{Env: []string{standardPath}, Cmd: []string{"nnp"}}, contains: "the program of Kubernetes 1.35.4, set-uid root",
		},
		{
			set: setConformance, names: tagged(e2e+"nonroot", "1.4"), layers: []*layer{baseLayer},
			config: v1.Config{Env: []string{standardPath}, Cmd: []string{"bash"}, User: "1234"}, contains: "a small Debian 13 with user 1234",
		},
		{
			set: setConformance, names: tagged(e2e+"ipc-utils", "1.3"), layers: []*layer{baseLayer, ipcLayer}, config: plain,
			contains: "ipcs, ipcmk, ipcrm and lsipc of Debian's util-linux",
		},
		{
			set: setConformance, names: tagged(e2e+"perl", "5.26"), layers: []*layer{baseLayer, perlLayer},
			config: v1.Config{Env: []string{standardPath}, Cmd: []string{"perl", "-de0"}}, contains: "Debian's perl 5.40",
		},
		{
			set: setConformance, names: tagged("registry.k8s.io/build-image/distroless-iptables", "v0.8.9"), layers: []*layer{baseLayer, iptablesLayer},
			config: v1.Config{Env: []string{standardPath}}, contains: "iptables (nf_tables and legacy) and conntrack of Debian 13, and a shell",
		},
	}
}

// programLayer is one program of hack/agnhost.
func programLayer(program, path string) *layer {
	return &layer{name: program, programs: []string{program}, fill: func(_ context.Context, w *workshop, t *tree) error {
		return t.addProgram(w, program, path, 0o755)
	}}
}

func (t *tree) addProgram(w *workshop, program, path string, mode int64) error {
	data, err := w.program(program)
	if err != nil {
		return err
	}
	t.file(path, mode, data)
	return nil
}

// networkLayer has the network tools that tests run inside agnhost.
var networkLayer = &layer{
	name: "network tools",
	packages: slices.Concat(curlPackages, []string{
		"bind9-dnsutils", "bind9-host", "bind9-libs", "iperf", "iproute2", "netcat-openbsd",
		"libbpf1", "libbsd0", "libcap2", "libdb5.3t64", "libedit2", "libelf1t64", "libfstrm0", "libjemalloc2", "libjson-c5", "liblmdb0",
		"liblzma5", "libmaxminddb0", "libmd0", "libmnl0", "libpcre2-8-0", "libprotobuf-c1", "libselinux1", "libstdc++6", "libtinfo6",
		"libtirpc3t64", "liburcu8t64", "libuv1t64", "libxml2", "libxtables12",
	}),
	fill: func(_ context.Context, _ *workshop, t *tree) error {
		t.symlink("usr/bin/nc", "nc.openbsd")
		// Debian's ash runs busybox's nc, whatever lies in PATH.
		t.symlink("usr/bin/sh", "bash")
		t.symlink("usr/local/bin/iperf", "/usr/bin/iperf")
		return nil
	},
}

var corednsLayer = programLayer("coredns", "coredns")

// agnhostLayer has what upstream's Dockerfile adds.
var agnhostLayer = &layer{
	name: "agnhost", programs: []string{"agnhost", "localhost.crt", "localhost.key"},
	fill: func(ctx context.Context, w *workshop, t *tree) error {
		for program, mode := range map[string]int64{"agnhost": 0o755, "localhost.crt": 0o644, "localhost.key": 0o644} {
			if err := t.addProgram(w, program, program, mode); err != nil {
				return err
			}
		}
		t.symlink("agnhost-2", "agnhost")
		t.folder("uploads", 0o755)
		if err := t.addAccount(w, "user-defined-in-image", 1000, "/home/user-defined-in-image"); err != nil {
			return err
		}
		group, err := t.read("etc/group")
		if err != nil {
			return err
		}
		t.file("etc/group", 0o644, append(slices.Clone(group), "group-defined-in-image:x:50000:user-defined-in-image\n"...))
		t.nodes["home/user-defined-in-image"] = &node{kind: '5', mode: 0o755, uid: 1000, gid: 1000}
		return t.addRegistry(ctx, w)
	},
}

// addRegistry lays out the image that agnhost's fake registry serves, in the
// way that program expects: manifests by digest, and a file for each tag that
// holds one.
func (t *tree) addRegistry(ctx context.Context, w *workshop) error {
	const folder, name = "var/registry/pause/", "registry.k8s.io/pause:3.10.1"
	done, err := w.makeLayer(ctx, pauseLayer)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(basicRecipes(), func(r recipe) bool { return slices.Contains(r.names, name) })
	image, err := w.assemble(basicRecipes()[i], name, []*finished{done})
	if err != nil {
		return err
	}
	platform := &v1.Platform{OS: "linux", Architecture: w.arch}
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
		mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: platform}})
	list, err := t.addBlob(folder+"manifests/", index)
	if err != nil {
		return err
	}
	t.file(folder+"manifests/testing", 0o644, []byte(list.String()+"\n"))
	if _, err := t.addBlob(folder+"manifests/", image); err != nil {
		return err
	}
	return t.addImageBlobs(folder+"blobs/", image, done.packed)
}

// addBlob puts a manifest into a folder, under its digest.
func (t *tree) addBlob(folder string, of interface {
	Digest() (v1.Hash, error)
	RawManifest() ([]byte, error)
},
) (v1.Hash, error) {
	raw, err := of.RawManifest()
	if err != nil {
		return v1.Hash{}, fmt.Errorf("reading manifest: %w", err)
	}
	hash, err := of.Digest()
	if err != nil {
		return v1.Hash{}, fmt.Errorf("reading manifest: %w", err)
	}
	t.file(folder+hash.String(), 0o644, raw)
	return hash, nil
}

func (t *tree) addImageBlobs(folder string, image v1.Image, content v1.Layer) error {
	config, err := image.RawConfigFile()
	if err != nil {
		return fmt.Errorf("reading image configuration: %w", err)
	}
	t.file(folder+"sha256:"+digest(config), 0o644, config)
	packed, err := compressed(content)
	if err != nil {
		return err
	}
	t.file(folder+"sha256:"+digest(packed), 0o644, packed)
	return nil
}

// websiteLayer is the content of kitten and nautilus.
func websiteLayer(name string) *layer {
	files := []string{name + ".jpg", name + ".json"}
	return &layer{name: name, programs: files, fill: func(_ context.Context, w *workshop, t *tree) error {
		if err := t.addProgram(w, files[0], files[0], 0o644); err != nil {
			return err
		}
		return t.addProgram(w, files[1], "data.json", 0o644)
	}}
}

// shellLayer puts the command sh in the place of busybox's ash, and bash beside it.
var shellLayer = &layer{name: "sh", packages: []string{"bash-static"}, fill: func(ctx context.Context, w *workshop, t *tree) error {
	bash, err := t.read("usr/bin/bash-static")
	if err != nil {
		return err
	}
	shell, err := w.compile(ctx, "sh")
	if err != nil {
		return err
	}
	maps.DeleteFunc(t.nodes, func(string, *node) bool { return true })
	// Not through put, which would move them to /usr/bin.
	t.nodes["bin/bash"] = &node{kind: '0', mode: 0o755, data: bash}
	t.nodes["bin/sh"] = &node{kind: '0', mode: 0o755, data: shell}
	return nil
}}

var nonewprivsLayer = &layer{name: "nonewprivs", programs: []string{"nonewprivs"}, fill: func(_ context.Context, w *workshop, t *tree) error {
	// Set-uid and set-gid, as upstream's chmod +s.
	return t.addProgram(w, "nonewprivs", "usr/local/bin/nnp", 0o6755)
}}

var consumerLayer = &layer{
	name: "resource-consumer", packages: []string{"stress"}, programs: []string{"resource-consumer", "consume-cpu"},
	fill: func(_ context.Context, w *workshop, t *tree) error {
		if err := t.addProgram(w, "resource-consumer", "consumer", 0o755); err != nil {
			return err
		}
		return t.addProgram(w, "consume-cpu", "consume-cpu/consume-cpu", 0o755)
	},
}

// ipcLayer has those of util-linux that are about System V IPC.
var ipcLayer = &layer{name: "ipc-utils", packages: []string{"util-linux", "libsmartcols1"}, fill: func(_ context.Context, _ *workshop, t *tree) error {
	maps.DeleteFunc(t.nodes, func(name string, _ *node) bool {
		return (strings.HasPrefix(name, "usr/bin/") || strings.HasPrefix(name, "usr/sbin/")) && !strings.Contains(name, "ipc")
	})
	return nil
}}

var perlLayer = &layer{
	name: "perl",
	packages: []string{
		"perl", "perl-base", "perl-modules-5.40", "libperl5.40", "libbz2-1.0", "libcrypt1", "libdb5.3t64", "libgdbm6t64", "libgdbm-compat4t64",
	},
}

var iptablesLayer = &layer{
	name: "iptables",
	packages: []string{
		"iptables", "conntrack", "libip4tc2", "libip6tc2", "libmnl0", "libnetfilter-conntrack3", "libnfnetlink0", "libnftnl11", "libxtables12",
	},
	fill: func(_ context.Context, _ *workshop, t *tree) error {
		// Debian's alternatives; the newer kernel interface is its choice too.
		for _, name := range []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"} {
			t.symlink("usr/sbin/"+name, "xtables-nft-multi")
		}
		return nil
	},
}
