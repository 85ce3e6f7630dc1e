#!/bin/sh
# Builds bin/machine/, the programs of the emulated clouds' machine: containerd,
# runc, the network plugins and CoreDNS. A build is kept under a key of everything
# that goes into it, so that a second run only looks. Needs go, and a C compiler
# for runc alone, whose first steps must run before Go's scheduler does; where
# there is none, a runc of the system serves. kube-proxy needs nft: the system's,
# or Debian's package; where neither is to be had, pods have no Services.
#
# With BIN_DIR in the environment it builds there instead of in bin/.
set -eu

containerd=github.com/containerd/containerd/v2/cmd
plugins=github.com/containernetworking/plugins/plugins
# What the machine does not use, and what would need C or a daemon beside it.
tags="no_btrfs no_devmapper no_zfs"

module=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
bin=${BIN_DIR:-$module/../../bin}
mkdir -p "$bin/.cache" "$bin/machine"
bin=$(CDPATH= cd -- "$bin" && pwd)
cd "$module"

fail() {
	echo "machine: $*" >&2
	exit 1
}

[ "$(go env GOOS)" = linux ] || fail "the emulated machine needs Linux; on other systems run it in a Linux container or virtual machine"

# The compiler that go would use; it may have arguments.
cc=$(go env CC)
command -v "${cc%% *}" >/dev/null 2>&1 || cc=

# The key: toolchains, target, module versions, sources and this script. cksum,
# because every POSIX system has it under that name.
key=$({
	go env GOVERSION GOOS GOARCH GOEXPERIMENT
	echo "C compiler: ${cc:+yes}"
	cat go.mod go.sum build.sh coredns/go.mod coredns/go.sum
	find . -name '*.go' ! -name '*_test.go' | LC_ALL=C sort | while read -r source; do
		echo "$source"
		cat "$source"
	done
} | cksum | tr ' ' '-')
folder=machine-$key

# system_runc prints the path of the system's runc if it is new enough: 1.1 is
# the oldest that containerd 2 works with.
system_runc() {
	path=$(command -v runc) || return 1
	version=$("$path" --version | sed -n 's/^runc version //p')
	case $version in
	0.* | 1.0* | "") return 1 ;;
	esac
	echo "$path"
}

# fetch_seccomp puts libseccomp into a folder, from Debian's package, with a
# stand-in for pkg-config that tells its name alone: where it is comes by
# CGO_CFLAGS and CGO_LDFLAGS, which go's build cache takes into account.
fetch_seccomp() (
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || exit 1
	mkdir -p "$1" && cd "$1" || exit 1
	apt-get download libseccomp-dev && dpkg-deb -x libseccomp-dev_*.deb . || exit 1
	ln -s "$(find usr -name libseccomp.a)" libseccomp.a || exit 1
	printf '#!/bin/sh\n[ "$1" = --cflags ] || echo -lseccomp\n' >pkg-config
	chmod +x pkg-config
)

# build_runc links runc statically if the C library allows it, so that the
# binary runs wherever bin/ is taken to. It has seccomp if libseccomp is here or
# can be fetched; pods that ask for a profile do not start without.
build_runc() {
	if [ -n "$cc" ]; then
		static='-s -w -linkmode external -extldflags -static'
		compile_runc "$1" -tags "seccomp netgo osusergo" -ldflags "$static" && return
		if fetch_seccomp "$1.seccomp" >"$1.log" 2>&1; then
			PKG_CONFIG=$1.seccomp/pkg-config CGO_CFLAGS="-O2 -g -I$1.seccomp/usr/include" CGO_LDFLAGS="-L$1.seccomp" \
				compile_runc "$1" -tags "seccomp netgo osusergo" -ldflags "$static" && return
		fi
		echo "machine: runc is built without seccomp (libseccomp's headers and static library are not to be had)" >&2
		compile_runc "$1" -tags "netgo osusergo" -ldflags "$static" && return
		compile_runc "$1" -ldflags "-s -w" && return
		cat "$1.log" >&2
	fi
	runc=$(system_runc) || fail "runc needs a C compiler and the C library's headers to build (go env CC):" \
		"install them (packages gcc and libc6-dev, or build-base), or runc 1.1 or newer"
	echo "machine: runc cannot be compiled here, using $runc" >&2
	ln -s "$runc" "$1/runc"
}

compile_runc() {
	folder_of_runc=$1
	shift
	CGO_ENABLED=1 go build -trimpath -buildvcs=false "$@" -o "$folder_of_runc/runc" github.com/opencontainers/runc 2>"$folder_of_runc.log"
}

# closure prints the name of a Debian package and those of all that it needs.
closure() {
	apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$1" |
		grep '^[a-z0-9]' | LC_ALL=C sort -u
}

# fetch_nft puts nft into a folder, from Debian's packages, and its libraries
# into nft-lib there. The C library is the system's, as its loader is.
fetch_nft() (
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || exit 1
	mkdir -p "$1/nft-lib" "$1/packages" && cd "$1/packages" || exit 1
	closure libc6 >with-libc && closure nftables >with-nft || exit 1
	# shellcheck disable=SC2046 # one word for each package
	apt-get download $(LC_ALL=C comm -13 with-libc with-nft) || exit 1
	for package in *.deb; do
		dpkg-deb -x "$package" . || exit 1
	done
	find . -name '*.so.*' -exec cp -P {} ../nft-lib/ ';' && cp usr/sbin/nft ../nft || exit 1
	rm -rf "$1/packages"
)

# nft_serves tells whether an nft is new enough: 1.0.1 is the oldest that
# kube-proxy works with.
nft_serves() {
	case $(LD_LIBRARY_PATH=$2 "$1" --version | sed -n 's/^nftables v//p') in
	0.* | 1.0.0* | "") return 1 ;;
	esac
}

# add_nft puts nft into the build of this key, or says that there is none; then
# the next run tries again.
add_nft() {
	[ ! -e "$bin/.cache/$folder/nft" ] || return 0
	nft=$(PATH=$PATH:/usr/sbin:/sbin command -v nft) || nft=
	if [ "$nft" ] && nft_serves "$nft" "" 2>/dev/null; then
		ln -s "$nft" "$bin/.cache/$folder/nft" 2>/dev/null || true
		return 0
	fi
	temporary_nft=$bin/.cache/building-nft-$$
	trap 'rm -rf "$temporary_nft" "$temporary_nft.log"' EXIT
	trap 'exit 1' HUP INT TERM
	if fetch_nft "$temporary_nft" >"$temporary_nft.log" 2>&1 && nft_serves "$temporary_nft/nft" "$temporary_nft/nft-lib"; then
		[ -e "$bin/.cache/$folder/nft-lib" ] || mv "$temporary_nft/nft-lib" "$bin/.cache/$folder/"
		mv "$temporary_nft/nft" "$bin/.cache/$folder/"
		return 0
	fi
	echo "machine: pods will have no Kubernetes Services, for kube-proxy needs nft 1.0.1 or newer: install it (package nftables)" >&2
	tail -n 3 "$temporary_nft.log" >&2
}

# build makes everything in another folder first, so that neither a build that
# was broken off nor another one at the same time leaves half of it.
build() {
	echo "machine: building containerd, runc, network plugins and CoreDNS from source into bin/machine/ (a minute or two at first)." >&2
	temporary=$bin/.cache/building-machine-$$
	trap 'rm -rf "$temporary" "$temporary.log" "$temporary.seccomp"' EXIT
	trap 'exit 1' HUP INT TERM
	mkdir "$temporary"
	version=github.com/containerd/containerd/v2/version.Version
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags "$tags" \
		-ldflags "-s -w -X $version=$(go list -m -f '{{.Version}}' github.com/containerd/containerd/v2)" -o "$temporary/" \
		"$containerd/containerd" ./containerd-shim-runc-v2 \
		"$plugins/main/ptp" "$plugins/ipam/host-local"
	(cd coredns && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w" -o "$temporary/coredns" .)
	build_runc "$temporary"
	[ -d "$bin/.cache/$folder" ] || mv "$temporary" "$bin/.cache/$folder"
	rm -rf "$temporary" "$temporary.log" "$temporary.seccomp"
}

# link points bin/machine/NAME to a target by renaming, which has no moment
# without it.
link() {
	[ "$(readlink "$bin/machine/$2" || true)" = "$1" ] && return
	ln -s "$1" "$bin/.cache/link-$$"
	# mv of GNU and busybox would move it into the folder that a link leads to.
	[ ! -d "$bin/machine/$2" ] || rm "$bin/machine/$2"
	mv -f "$bin/.cache/link-$$" "$bin/machine/$2"
}

built=
if [ ! -d "$bin/.cache/$folder" ]; then
	build
	built=yes
fi
add_nft
for program in containerd containerd-shim-runc-v2 runc ptp host-local coredns nft nft-lib; do
	if [ -e "$bin/.cache/$folder/$program" ]; then
		link "../.cache/$folder/$program" "$program"
	else
		rm -f "$bin/machine/$program"
	fi
done
if [ "$built" ]; then
	# Earlier builds. A program that still runs keeps its file until it ends.
	find "$bin/.cache" -maxdepth 1 -name 'machine-*' ! -name "$folder" -exec rm -rf {} +
	echo "machine: built bin/.cache/$folder" >&2
fi
