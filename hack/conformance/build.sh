#!/bin/sh
# Builds bin/conformance/e2e.test, Kubernetes' own end-to-end tests, and
# bin/conformance/ginkgo, the program that runs them in parallel, both at the
# versions that go.mod pins. A build is kept under a key of everything that goes
# into it, so that a second run only looks. Needs nothing but go.
#
# With BIN_DIR in the environment it builds in BIN_DIR/conformance.
set -eu

module=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
bin=${BIN_DIR:-$module/../../bin}/conformance
mkdir -p "$bin/.cache"
bin=$(CDPATH= cd -- "$bin" && pwd)
cd "$module"

# The key: toolchain, target, module versions, and this script.
# cksum, because every POSIX system has it under that name.
key=$({
	go env GOVERSION GOOS GOARCH GOEXPERIMENT
	cat go.mod go.sum build.sh
} | cksum | tr ' ' '-')

# link points bin/NAME to its build by renaming, which has no moment without it.
link() {
	[ "$(readlink "$bin/$1" || true)" = ".cache/$1-$key" ] && return
	ln -s ".cache/$1-$key" "$bin/.cache/link-$$"
	mv -f "$bin/.cache/link-$$" "$bin/$1"
}

# keep moves a finished build to its name, and removes earlier ones. A build is
# made under another name first, so that neither one that was broken off nor
# another one at the same time leaves half a file.
keep() {
	mv -f "$temporary" "$bin/.cache/$1-$key"
	find "$bin/.cache" -name "$1-*" ! -name "$1-$key" -exec rm -f {} +
	echo "conformance: built bin/conformance/.cache/$1-$key" >&2
}

# version_flags tell the linker the version of the tests: they compare it with
# the cluster's.
version_flags() {
	# The time of the released commit, not of this build: the same sources
	# give the same binary.
	set -- $(go list -m -f '{{.Version}} {{.Time.Format "2006-01-02T15:04:05Z"}}' k8s.io/kubernetes)
	release=${1#v}      # 1.35.4
	minor=${release#*.} # 35.4
	for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
		printf ' -X %s.gitVersion=%s -X %s.buildDate=%s' $package "$1" $package "$2"
		printf ' -X %s.gitMajor=%s -X %s.gitMinor=%s' $package "${release%%.*}" $package "${minor%%.*}"
		printf ' -X %s.gitTreeState=clean -X %s.gitCommit=' $package $package
	done
}

temporary=$bin/.cache/building-$$
trap 'rm -f "$temporary"' EXIT
trap 'exit 1' HUP INT TERM
export CGO_ENABLED=0

if [ ! -x "$bin/.cache/ginkgo-$key" ]; then
	go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$temporary" github.com/onsi/ginkgo/v2/ginkgo
	keep ginkgo
fi
link ginkgo

if [ ! -x "$bin/.cache/e2e.test-$key" ]; then
	echo "conformance: building Kubernetes' end-to-end tests from source into bin/conformance." >&2
	echo "conformance: the first build takes 5 minutes on two cores; later ones reuse it." >&2
	go test -c -trimpath -buildvcs=false -ldflags "-s -w$(version_flags)" -o "$temporary" k8s.io/kubernetes/test/e2e
	keep e2e.test
fi
link e2e.test
