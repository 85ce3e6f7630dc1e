package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// standardPath is the PATH of upstream's images.
const standardPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// basicRecipes are the images of setBasic. The tags are those that examples
// and Kubernetes' own documentation name, and those that are moved with each
// release.
func basicRecipes() []recipe {
	return []recipe{
		{
			set: setBasic, layers: []*layer{busyboxLayer},
			names: tagged("docker.io/library/busybox", "latest", "stable", "glibc", "musl", "uclibc", "1",
				"1.28", "1.34", "1.35", "1.36", "1.36.1", "1.37", "1.37.0"),
			contains: "Debian's busybox 1.37.0 (static)",
			config:   v1.Config{Env: []string{standardPath}, Cmd: []string{"sh"}},
		},
		{
			set: setBasic, layers: []*layer{baseLayer, nginxLayer},
			names:    tagged("docker.io/library/nginx", nginxTags()...),
			contains: "Debian's nginx 1.26 with bash, curl and busybox's tools, also under the alpine tags",
			config:   nginxConfig,
		},
		{
			set: setBasic, layers: []*layer{baseLayer, httpdLayer},
			names: tagged("docker.io/library/httpd", "latest", "2", "2.4", "2.4.38-alpine", "2.4.39-alpine", "alpine", "2-alpine", "2.4-alpine",
				"bookworm", "trixie"),
			contains: "Debian's Apache 2.4 in upstream's folders, with bash and busybox's tools, also under the alpine tags",
			config: v1.Config{
				Env:        []string{"PATH=/usr/local/apache2/bin:" + strings.TrimPrefix(standardPath, "PATH="), "HTTPD_PREFIX=/usr/local/apache2"},
				Cmd:        []string{"httpd-foreground"},
				WorkingDir: "/usr/local/apache2", ExposedPorts: map[string]struct{}{"80/tcp": {}},
				// Apache's order to end once all requests are answered.
				StopSignal: "SIGWINCH",
			},
		},
		{
			set: setBasic, layers: []*layer{pauseLayer},
			names:    tagged("registry.k8s.io/pause", "3.10.1", "3.10", "3.9", "3.8", "3.6", "latest"),
			contains: "this project's own program in Go, which does what upstream's does",
			config: v1.Config{
				User: "65535:65535", Entrypoint: []string{"/pause"}, WorkingDir: "/", Env: []string{standardPath},
			},
		},
	}
}

// nginxTags are versions, each also as its alpine variant.
func nginxTags() []string {
	tags := []string{"latest", "alpine", "stable-perl"}
	for _, version := range []string{
		"stable", "mainline", "1", "1.7.9", "1.14", "1.14.2", "1.16", "1.16.1", "1.19", "1.20", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26",
		"1.27", "1.28", "1.29",
	} {
		tags = append(tags, version, version+"-alpine")
	}
	return tags
}

// busyboxLayer is a root folder as upstream's image has it: all programs in
// /bin, as hard links.
var busyboxLayer = &layer{name: "busybox", packages: []string{"busybox-static"}, fill: func(_ context.Context, _ *workshop, t *tree) error {
	program, err := t.read("usr/bin/busybox")
	if err != nil {
		return err
	}
	names, err := applets(program)
	if err != nil {
		return err
	}
	maps.DeleteFunc(t.nodes, func(string, *node) bool { return true })
	// Not through put, which would move them to /usr/bin.
	t.nodes["bin/busybox"] = &node{kind: '0', mode: 0o755, data: program}
	for _, name := range names {
		if name != "busybox" {
			t.nodes["bin/"+name] = &node{kind: '1', mode: 0o755, target: "bin/busybox"}
		}
	}
	t.symlink("usr/bin/env", "../../bin/env")
	for _, name := range []string{"home", "lib", "usr/sbin", "var/spool/mail", "var/www"} {
		t.folder(name, 0o755)
	}
	t.symlink("lib64", "lib")
	t.folder("root", 0o700)
	t.folder("tmp", 0o1777)
	for _, name := range []string{"passwd", "group", "shadow", "nsswitch.conf"} {
		if err := t.copyFile("etc/"+name, "busybox/"+name, 0o644); err != nil {
			return err
		}
	}
	return nil
}}

// pauseLayer is the program alone.
var pauseLayer = &layer{name: "pause", fill: func(ctx context.Context, w *workshop, t *tree) error {
	program, err := w.compile(ctx, "pause")
	if err != nil {
		return err
	}
	t.file("pause", 0o755, program)
	return nil
}}

// curlPackages are curl and its libraries.
var curlPackages = []string{
	"curl", "libbrotli1", "libcom-err2", "libcurl4t64", "libffi8", "libgmp10", "libgnutls30t64", "libgssapi-krb5-2", "libhogweed6t64", "libidn2-0",
	"libk5crypto3", "libkeyutils1", "libkrb5-3", "libkrb5support0", "libldap2", "libnettle8t64", "libnghttp2-14", "libnghttp3-9", "libp11-kit0",
	"libpsl5t64", "librtmp1", "libsasl2-2", "libssh2-1t64", "libssl3t64", "libtasn1-6", "libunistring5", "libzstd1",
}

// nginxLayer serves /usr/share/nginx/html on port 80.
var nginxLayer = &layer{
	name:     "nginx",
	packages: slices.Concat(curlPackages, []string{"dash", "libcrypt1", "libpcre2-8-0", "nginx", "nginx-common"}),
	fill: func(_ context.Context, w *workshop, t *tree) error {
		if err := t.addAccount(w, "nginx", 101, "/nonexistent"); err != nil {
			return err
		}
		mime, err := t.read("etc/nginx/mime.types")
		if err != nil {
			return err
		}
		t.remove("etc/nginx")
		t.remove("usr/share/nginx/modules-available")
		t.remove("var/lib/nginx")
		t.file("etc/nginx/mime.types", 0o644, mime)
		for target, source := range map[string]string{
			"etc/nginx/nginx.conf": "nginx/nginx.conf", "etc/nginx/conf.d/default.conf": "nginx/default.conf",
			"usr/share/nginx/html/index.html": "nginx/index.html", "usr/share/nginx/html/50x.html": "nginx/50x.html",
		} {
			if err := t.copyFile(target, source, 0o644); err != nil {
				return err
			}
		}
		for _, name := range []string{"docker-entrypoint.d", "etc/nginx/templates", "var/cache/nginx", "var/lib/nginx", "var/log/nginx"} {
			t.folder(name, 0o755)
		}
		t.symlink("var/log/nginx/access.log", "/dev/stdout")
		t.symlink("var/log/nginx/error.log", "/dev/stderr")
		return t.copyFile("docker-entrypoint.sh", "nginx/docker-entrypoint.sh", 0o755)
	},
}

var nginxConfig = v1.Config{
	Env: []string{standardPath, "NGINX_VERSION=1.26.3"}, Entrypoint: []string{"/docker-entrypoint.sh"}, Cmd: []string{"nginx", "-g", "daemon off;"},
	ExposedPorts: map[string]struct{}{"80/tcp": {}},
	// nginx's order to end once all requests are answered.
	StopSignal: "SIGQUIT",
}

// httpdLeft are Apache's modules that need libraries of databases and
// directories; no example uses them.
var httpdLeft = []string{"authnz_ldap", "brotli", "dbd", "ldap", "lua", "md", "proxy_html", "xml2enc"}

// httpdLayer serves /usr/local/apache2/htdocs on port 80.
var httpdLayer = &layer{
	name: "httpd",
	packages: []string{
		"apache2-bin", "dash", "libapr1t64", "libaprutil1t64", "libcrypt1", "libdb5.3t64", "libexpat1", "libjansson4", "libnghttp2-14", "libpcre2-8-0",
		"libssl3t64", "libuuid1", "libzstd1",
	},
	fill: func(_ context.Context, _ *workshop, t *tree) error {
		const prefix = "usr/local/apache2/"
		for _, module := range httpdLeft {
			t.remove("usr/lib/apache2/modules/mod_" + module + ".so")
		}
		// Drivers of databases, and tools in Perl.
		maps.DeleteFunc(t.nodes, func(name string, n *node) bool {
			return strings.Contains(name, "/apr-util-1/") || strings.HasPrefix(string(n.data), "#!/usr/bin/perl")
		})
		for _, folder := range []string{"cgi-bin", "logs"} {
			t.folder(prefix+folder, 0o755)
		}
		t.symlink(prefix+"modules", "/usr/lib/apache2/modules")
		t.symlink(prefix+"conf/mime.types", "/etc/mime.types")
		for target, source := range map[string]string{"conf/httpd.conf": "httpd.conf", "htdocs/index.html": "index.html"} {
			if err := t.copyFile(prefix+target, "httpd/"+source, 0o644); err != nil {
				return err
			}
		}
		for _, script := range []string{"httpd", "httpd-foreground", "apachectl"} {
			if err := t.copyFile(prefix+"bin/"+script, "httpd/"+script, 0o755); err != nil {
				return err
			}
		}
		return nil
	},
}

// addAccount writes Debian's accounts and one more, with a group of its name.
func (t *tree) addAccount(w *workshop, name string, id int, home string) error {
	base := w.made[baseLayer]
	if base == nil {
		return fmt.Errorf("the layer of account %s is not above Debian's", name)
	}
	passwd, err := base.files.read("etc/passwd")
	if err != nil {
		return err
	}
	group, err := base.files.read("etc/group")
	if err != nil {
		return err
	}
	t.file("etc/passwd", 0o644, fmt.Appendf(slices.Clone(passwd), "%s:x:%d:%d::%s:/bin/sh\n", name, id, id, home))
	t.file("etc/group", 0o644, fmt.Appendf(slices.Clone(group), "%s:x:%d:\n", name, id))
	return nil
}
