#!/bin/sh
# Builds bin/NAME from a package of a tool that a module's go.mod pins:
#
#   pinned.sh MODULE NAME PACKAGE VARIABLE
#
# MODULE is the folder of that go.mod and VARIABLE the linker's name of the
# variable that holds the tool's version. A build is kept under a key of the
# toolchain and of everything that goes into it, so that a second run only looks.
# Needs nothing but go.
#
# With BIN_DIR in the environment it builds there instead of in bin/.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
module=$1 name=$2 package=$3 variable=$4
bin=${BIN_DIR:-$here/../../bin}
mkdir -p "$bin/.cache"
bin=$(CDPATH= cd -- "$bin" && pwd)
cd "$module"

# cksum, because every POSIX system has it under that name.
key=$({
	go env GOVERSION GOOS GOARCH GOEXPERIMENT
	cat go.mod go.sum "$here/pinned.sh"
	echo "$package" "$variable"
} | cksum | tr ' ' '-')
binary=$name-$key

# build makes the binary under another name first, so that neither a build that
# was broken off nor another one at the same time leaves half a file.
build() {
	version=$(go list -f '{{.Module.Version}}' "$package")
	echo "building $name $version from source into bin/; the first build takes some minutes" >&2
	temporary=$bin/.cache/building-$$
	trap 'rm -f "$temporary"' EXIT
	trap 'exit 1' HUP INT TERM
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X $variable=$version" -o "$temporary" "$package"
	mv -f "$temporary" "$bin/.cache/$binary"
	# Earlier builds; one that still runs keeps its file until it ends.
	find "$bin/.cache" -name "$name-[0-9]*" ! -name "$binary" -exec rm -f {} +
}

[ -x "$bin/.cache/$binary" ] || build

# The link is made beside and renamed, so that there is no moment without it.
if [ "$(readlink "$bin/$name" || true)" != ".cache/$binary" ]; then
	ln -s ".cache/$binary" "$bin/.cache/link-$$"
	mv -f "$bin/.cache/link-$$" "$bin/$name"
fi
