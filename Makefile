# Everything is built from Go modules; nothing but Go, make and git is needed.

VERSION ?= 0.1.0-dev
BIN     := $(CURDIR)/bin
DIR     ?= $(CURDIR)/bin/local
GO      ?= go
LDFLAGS := -s -w -X main.version=$(VERSION)

export CGO_ENABLED ?= 0

# The race detector needs a C compiler; where there is none the tests run
# without it.
ifneq ($(shell command -v cc 2>/dev/null),)
TEST := CGO_ENABLED=1 $(GO) test -race
else
TEST := $(GO) test
endif

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: programs controlplane ## Build cumulet, the emulator and a whole Kubernetes into bin/

.PHONY: containers
containers: machine images ## Build all that real containers need

.PHONY: machine
machine: ## Build containerd, runc and network plugins into bin/machine (Linux; minutes at first, then nothing)
	@hack/machine/build.sh

.PHONY: images
images: ## Build busybox, nginx, httpd and pause into bin/images, from source and Debian packages
	@hack/images/build.sh

# What is not to be had is told by demo and up, which then do without.
.PHONY: try-containers
try-containers:
	@hack/machine/build.sh || echo 'make: no machine for containers was built'
	@hack/images/build.sh || echo 'make: no images were built; they are pulled from their registries'

.PHONY: programs
programs: ## Build cumulet, cumulet-local and cloud-emulator into bin/
	$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/...

.PHONY: controlplane
controlplane: ## Build etcd, the control plane and kubectl into bin/ (minutes at first, then nothing)
	@hack/controlplane/build.sh

.PHONY: demo
demo: build try-containers ## Run one pod's whole life on both emulated clouds, then exit
	$(BIN)/cumulet-local demo

.PHONY: up
up: build try-containers ## Start the whole system and keep it running for kubectl (DIR=folder)
	$(BIN)/cumulet-local up --dir $(DIR)

.PHONY: test
test: build containers helm ## Run all tests, those against the real control plane and containers too
	$(TEST) -count=1 -timeout 20m $$($(GO) list ./... | grep -v /e2e)
	cd hack/controlplane && $(GO) test -count=1 -trimpath ./applet ./statusrules
	cd hack/chart && $(GO) test -count=1 -trimpath -buildvcs=false ./...
	cd hack/image && $(GO) test -count=1 -trimpath -buildvcs=false ./...
	cd hack/images && $(GO) test -count=1 -trimpath -buildvcs=false ./...
	cd hack/machine && $(GO) test -count=1 -trimpath -buildvcs=false ./containerd-shim-runc-v2
	$(TEST) -count=1 -timeout 25m ./e2e

.PHONY: test-unit
test-unit: ## Run the tests that need no control plane
	$(TEST) $$($(GO) list ./... | grep -v -e /e2e -e /internal/controlplane$$ -e /internal/machine$$)

CLOUD ?= eci

.PHONY: suite
suite: ## Build Kubernetes' end-to-end tests and their images (minutes at first, then nothing)
	@hack/conformance/build.sh
	@hack/images/build.sh basic conformance

.PHONY: conformance
conformance: build machine suite ## Let Kubernetes' conformance tests judge (CLOUD=eci|kci|control FOCUS= SKIP= AREA= PROCS= UPDATE=1)
	$(BIN)/cumulet-local conformance --cloud $(CLOUD) --focus '$(FOCUS)' --skip '$(SKIP)' \
		$(if $(AREA),--area $(AREA)) $(if $(PROCS),--procs $(PROCS)) $(if $(UPDATE),--update)

.PHONY: verify
verify: tools ## Check format, lint, generated files, import rules and the chart
	@hack/verify.sh

.PHONY: tools
tools: helm ## Build the pinned tools into bin/
	@hack/tools/build.sh

.PHONY: helm
helm: ## Build the pinned helm into bin/
	@hack/chart/build.sh

.PHONY: image
image: ## Build the container image as an OCI layout into bin/image, without Docker
	cd hack/image && $(GO) run -trimpath -buildvcs=false . -version $(VERSION)

.PHONY: bench
bench: ## Run the benchmarks; they report and never fail on time
	$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf $(BIN)
