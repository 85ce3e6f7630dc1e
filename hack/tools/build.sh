#!/bin/sh
# Builds bin/golangci-lint at the version that go.mod beside this script pins.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
exec "$here/pinned.sh" "$here" golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint main.version
