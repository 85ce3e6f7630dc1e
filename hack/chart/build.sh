#!/bin/sh
# Builds bin/helm at the version that go.mod beside this script pins.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
exec "$here/../tools/pinned.sh" "$here" helm helm.sh/helm/v4/cmd/helm helm.sh/helm/v4/internal/version.version
