#!/bin/sh
# Builds the programs of the conformance tests' images and prints the folder
# that they are in, below bin/.cache. A build is kept under a key of everything
# that goes into it, so that a second run only looks. Needs nothing but go.
#
# GOARCH in the environment chooses the architecture. With BIN_DIR in the
# environment it builds there instead of in bin/.
set -eu

module=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
bin=${BIN_DIR:-$module/../../bin}
mkdir -p "$bin/.cache"
bin=$(CDPATH= cd -- "$bin" && pwd)
cd "$module"
# The images are Linux', whatever this machine is.
export GOOS=linux CGO_ENABLED=0

# cksum, because every POSIX system has it under that name.
key=$({
	go env GOVERSION GOARCH GOEXPERIMENT
	cat go.mod go.sum build.sh coredns/go.mod coredns/go.sum coredns/*.go
} | cksum | tr ' ' '-')
folder=$bin/.cache/agnhost-$(go env GOARCH)-$key

# build fills another folder first, so that neither a build that was broken off
# nor another one at the same time leaves half of them.
build() {
	echo "agnhost: building agnhost, etcd and other programs of the conformance tests into bin/.cache" >&2
	echo "agnhost: the first build takes some minutes, less after hack/controlplane's, which shares most packages" >&2
	temporary=$bin/.cache/building-$$
	trap 'rm -rf "$temporary"' EXIT
	trap 'exit 1' HUP INT TERM
	mkdir "$temporary"
	images=$(go list -m -f '{{.Dir}}' k8s.io/kubernetes)/test/images
	version=$(cat "$images/agnhost/VERSION")
	go build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.Version=$version" -o "$temporary/" tool >&2
	mv "$temporary/server" "$temporary/etcd"
	(cd coredns && go build -trimpath -buildvcs=false -ldflags "-s -w -buildid=" -o "$temporary/coredns" .) >&2
	# What the images have beside programs.
	cp "$images"/agnhost/porter/localhost.* "$temporary"
	for name in kitten nautilus; do
		cp "$images/$name/html/$name.jpg" "$temporary"
		cp "$images/$name/html/data.json" "$temporary/$name.json"
	done
	[ -d "$folder" ] || mv "$temporary" "$folder"
}

if [ ! -d "$folder" ]; then
	build
	# Earlier builds for this architecture.
	find "$bin/.cache" -maxdepth 1 -name "agnhost-$(go env GOARCH)-*" ! -name "${folder##*/}" -exec rm -rf {} +
fi
echo "$folder"
