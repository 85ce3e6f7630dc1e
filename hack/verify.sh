#!/bin/sh
# Checks what can be checked without running the tests: format, vet, lint,
# rendered files, import rules, the chart. Every step runs, whatever the one
# before said; the end says which failed.
#
#   hack/verify.sh [STEP...]    all steps, or those named: format scripts vet
#                               lint generated imports chart image; and tidy,
#                               which needs the network and so has to be named
#
# Needs bin/golangci-lint (hack/tools/build.sh makes it) and go.
set -u
cd "$(dirname -- "$0")/.." || exit 1

# As the programs are built, so that the packages are compiled once for both.
export CGO_ENABLED=0

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM
failed=

# modules lists the folders of the repository's Go modules, but not those that
# only pin a tool's version and have no code.
modules() {
	find . \( -name bin -o -name testdata -o -name .git \) -prune -o -name go.mod -print | sed 's|/go.mod$||' | LC_ALL=C sort |
		while read -r module; do
			[ -z "$(find "$module" -name '*.go' -print | head -n 1)" ] || echo "$module"
		done
}

sources() {
	find . \( -name bin -o -name .git \) -prune -o -name "$1" -print
}

# step NAME COMMAND... runs a command and shows its output if it fails.
step() {
	name=$1
	shift
	printf 'verify: %-28s ' "$name"
	begin=$(date +%s)
	if "$@" >"$log" 2>&1; then
		printf 'ok   (%d s)\n' $(($(date +%s) - begin))
	else
		printf 'FAIL (%d s)\n' $(($(date +%s) - begin))
		sed 's/^/    /' "$log"
		failed="$failed $name"
	fi
}

# into MODULE COMMAND... runs a command there. Modules under hack/ are built
# without paths (-trimpath), the main module with.
into() (
	module=$1
	shift
	cd "$module" || exit 1
	case $module in
	./hack/*) export GOFLAGS="-trimpath -buildvcs=false" ;;
	esac
	"$@"
)

check_format() {
	unformatted=$(sources '*.go' | xargs gofmt -l)
	[ -z "$unformatted" ] && return
	echo "gofmt would change:"
	echo "$unformatted"
	return 1
}

check_scripts() {
	status=0
	for script in $(sources '*.sh') .ci/run; do
		case $(head -n 1 "$script") in
		*bash) bash -n "$script" || status=1 ;;
		*) sh -n "$script" || status=1 ;;
		esac
		[ -x "$script" ] || { echo "$script is not executable"; status=1; }
	done
	return $status
}

# check_generated runs go generate where there is something to generate and
# fails if that changes a file.
check_generated() {
	git grep -q '^//go:generate ' -- '*.go' || return 0
	before=$(git diff HEAD | cksum; git status --porcelain)
	for module in $(modules); do
		if git -C "$module" grep -q '^//go:generate ' -- '*.go'; then
			into "$module" go generate ./... || return 1
		fi
	done
	[ "$before" = "$(git diff HEAD | cksum; git status --porcelain)" ] && return
	echo "go generate changes:"
	git status --porcelain
	return 1
}

check_chart() {
	into ./hack/chart go run . verify && into ./hack/chart go test ./... && go test ./deploy
}

# lint leaves the linters that need types out where these are Kubernetes': they
# would go through all its packages for some files that start its programs.
# go vet has seen those.
lint() {
	set -- "$1" --config "$PWD/.golangci.yml"
	! grep -q '^	k8s.io/kubernetes ' "$1/go.mod" || set -- "$@" --fast-only
	module=$1
	shift
	into "$module" "$PWD/bin/golangci-lint" run "$@" ./...
}

run() {
	case $1 in
	format) step format check_format ;;
	scripts) step scripts check_scripts ;;
	vet) for module in $(modules); do step "vet $module" into "$module" go vet ./...; done ;;
	lint) for module in $(modules); do step "lint $module" lint "$module"; done ;;
	generated) step generated check_generated ;;
	imports) step imports go test ./internal/depcheck ;;
	chart) step chart check_chart ;;
	image) step image into ./hack/image go test ./... ;;
	tidy) for module in $(modules); do step "tidy $module" into "$module" go mod tidy -diff; done ;;
	*)
		echo "verify: unknown step $1" >&2
		exit 2
		;;
	esac
}

[ $# -gt 0 ] || set -- format scripts vet lint generated imports chart image
for name in "$@"; do
	run "$name"
done

if [ -n "$failed" ]; then
	echo "verify: failed:$failed"
	exit 1
fi
echo "verify: all well"
