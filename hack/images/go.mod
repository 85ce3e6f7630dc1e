// The images that tests and cumulet-local run containers of, built from Debian
// packages and Go sources. A module of its own, so that the main module knows
// neither Debian's archive nor its compressions.
module github.com/cumulet/cumulet/hack/images

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/google/go-containerregistry v0.20.7
	github.com/klauspost/compress v1.18.2
	github.com/ulikunitz/xz v0.5.17
)

require (
	github.com/containerd/stargz-snapshotter/estargz v0.18.1 // indirect
	github.com/opencontainers/go-digest v1.0.0 // indirect
	github.com/opencontainers/image-spec v1.1.1 // indirect
	github.com/vbatts/tar-split v0.12.2 // indirect
	golang.org/x/sync v0.18.0 // indirect
)
