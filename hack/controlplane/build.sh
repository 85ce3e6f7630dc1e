#!/bin/sh
# Builds bin/kubernetes, the control plane in one binary, and a link to it for
# each of its programs. A build is kept under a key of everything that goes into
# it, so that a second run only looks. Needs nothing but go.
#
# With BIN_DIR in the environment it builds there instead of in bin/.
set -eu

programs="etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubectl kubelet"

module=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
bin=${BIN_DIR:-$module/../../bin}
mkdir -p "$bin/.cache"
bin=$(CDPATH= cd -- "$bin" && pwd)
cd "$module"

# The key: toolchain, target, module versions, sources, and this script.
# cksum, because every POSIX system has it under that name.
key=$({
	go env GOVERSION GOOS GOARCH GOEXPERIMENT
	cat go.mod go.sum build.sh
	find . -name '*.go' ! -name '*_test.go' | LC_ALL=C sort | while read -r source; do
		echo "$source"
		cat "$source"
	done
} | cksum | tr ' ' '-')
binary=kubernetes-$key

# build makes the binary under another name first, so that neither a build that
# was broken off nor another one at the same time leaves half a file.
build() {
	echo "controlplane: building etcd, Kubernetes and kubectl from source into bin/." >&2
	echo "controlplane: the first build compiles 2,700 packages (5 minutes on two cores); later ones reuse them." >&2
	# The time of the released commit, not of this build: the same sources
	# give the same binary.
	set -- $(go list -m -f '{{.Version}} {{.Time.Format "2006-01-02T15:04:05Z"}}' k8s.io/kubernetes)
	version=$1 date=$2
	release=${version#v} # 1.35.4
	minor=${release#*.}  # 35.4
	flags="-s -w"
	for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
		flags="$flags -X $package.gitVersion=$version -X $package.gitMajor=${release%%.*}"
		flags="$flags -X $package.gitMinor=${minor%%.*} -X $package.buildDate=$date"
		# Module zips do not tell the commit; an empty one is shown as unknown.
		flags="$flags -X $package.gitTreeState=clean -X $package.gitCommit="
	done
	temporary=$bin/.cache/building-$$
	trap 'rm -f "$temporary"' EXIT
	trap 'exit 1' HUP INT TERM
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "$flags" -o "$temporary" .
	mv -f "$temporary" "$bin/.cache/$binary"
}

# link points bin/NAME to a target by renaming, which has no moment without it.
link() {
	[ "$(readlink "$bin/$2" || true)" = "$1" ] && return
	ln -s "$1" "$bin/.cache/link-$$"
	mv -f "$bin/.cache/link-$$" "$bin/$2"
}

built=
if [ ! -x "$bin/.cache/$binary" ]; then
	build
	built=yes
fi
link ".cache/$binary" kubernetes
for program in $programs; do
	link kubernetes "$program"
done
if [ "$built" ]; then
	# Earlier builds, each as large as a Linux distribution. One that still
	# runs keeps its file until it ends.
	find "$bin/.cache" -name 'kubernetes-*' ! -name "$binary" -exec rm -f {} +
	echo "controlplane: built bin/.cache/$binary" >&2
fi
