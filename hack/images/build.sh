#!/bin/sh
# Builds container images into bin/images, an OCI image layout:
#
#   hack/images/build.sh [basic | conformance | IMAGE]...
#
# without an argument the basic ones (busybox, nginx, httpd, pause: seconds).
# The conformance tests' images contain parts of Kubernetes, whose first build
# takes minutes. What is up to date is left alone, so that a second run only
# looks. Needs go, and at first the network for Debian packages.
#
# With BIN_DIR in the environment it builds below that instead of bin/.
set -eu
cd "$(dirname -- "$0")"
bin=${BIN_DIR:-../../bin}
export CGO_ENABLED=0
exec go run -trimpath -buildvcs=false . -out "$bin/images" -cache "$bin/.cache/images" "$@"
