#!/bin/bash
# Builds etcd, kube-apiserver and kube-controller-manager from their Go modules
# (e2e/tools says why so); with "kubectl" as the argument that one instead,
# unless there is a kubectl on PATH; with "node" what else a cluster consists of.
#
# Result: $CACHE/bin/etcd, kube-apiserver, kube-controller-manager (symlinks to
# one binary), or $CACHE/bin/kubectl, or $CACHE/bin/kube-scheduler, kubelet,
# kube-proxy (symlinks to one binary).

. "$(dirname "$0")/lib.sh"

readonly module=$E2E/tools

# key COMMAND: what the result depends on, the versions and the few lines of code.
key() { (cd "$module" && cat go.mod go.sum "cmd/$1"/*.go | sha256sum | cut -c1-12); }

# Clients ask the server for its version, and client-go for its own; without
# these flags both say v0.0.0 and kubectl warns about the skew.
version_flags() {
	local version=$1 minor pkg
	minor=$(cut -d. -f2 <<<"$version")
	for pkg in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
		printf -- '-X %s.gitVersion=%s -X %s.gitMajor=1 -X %s.gitMinor=%s ' "$pkg" "$version" "$pkg" "$pkg" "$minor"
	done
}

# build COMMAND OUTPUT: -trimpath as the Makefile has it for the project's own
# packages, so that what both need is compiled once.
build() {
	local version
	version=$(cd "$module" && go list -m -f '{{.Version}}' k8s.io/kubernetes)
	CGO_ENABLED=0 GOFLAGS='-mod=readonly -buildvcs=false' \
		nice go build -C "$module" -trimpath -ldflags "-s -w $(version_flags "$version")" -o "$2" "./cmd/$1"
}

install_command() {
	local command=$1 final
	shift
	final=$CACHE/$command-$(key "$command")
	if [ ! -x "$final" ]; then
		# In the same file system as the cache, for the rename; one name only, so
		# that what a killed run left is overwritten.
		local tmp=$CACHE/.$command.new
		with_progress "building $* (from cold this takes some minutes)" build "$command" "$tmp"
		mv -f "$tmp" "$final"
	fi
	local name
	for name in "$@"; do
		[ "$(readlink "$CACHE/bin/$name")" = "$final" ] || publish_link "$final" "$CACHE/bin/$name"
	done
}

need_go
case ${1:-control-plane} in
control-plane)
	lock kubernetes
	install_command kubebox etcd kube-apiserver kube-controller-manager
	;;
kubectl)
	have kubectl && exit 0
	lock kubectl
	install_command kubectl kubectl
	;;
node)
	lock kubernetes
	install_command nodebox kube-scheduler kubelet kube-proxy
	;;
*)
	die "unknown argument $1: want nothing, kubectl or node"
	;;
esac
