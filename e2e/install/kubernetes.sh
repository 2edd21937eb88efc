#!/bin/bash
# Builds etcd, kube-apiserver and kube-controller-manager from their Go modules
# (e2e/tools says why so); with "kubectl" as the argument that one instead,
# unless there is a kubectl on PATH; with "node" what else a cluster consists of.
#
# With "demo" it takes etcd and kube-apiserver from where the tools of
# controller-runtime's envtest are, and builds what is missing; with "demo
# kubectl" that one as well. Tests always run on what was built: one version.
#
# Result: $CACHE/bin/etcd, kube-apiserver, kube-controller-manager (symlinks to
# one binary), or $CACHE/bin/kubectl, or $CACHE/bin/kube-scheduler, kubelet,
# kube-proxy (symlinks to one binary); for demo the first three in
# $CACHE/demo-bin.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/assets.sh"

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

# kubernetes_version: the one that is built, as v1.2.3.
kubernetes_version() { sed -n 's,^[[:space:]]*k8s.io/kubernetes \(v[0-9.]*\).*,\1,p' "$module/go.mod"; }

# build COMMAND OUTPUT: -trimpath as the Makefile has it for the project's own
# packages, so that what both need is compiled once.
build() {
	local version
	version=$(kubernetes_version)
	CGO_ENABLED=0 GOFLAGS='-mod=readonly -buildvcs=false' \
		nice go build -C "$module" -trimpath -ldflags "-s -w $(version_flags "$version")" -o "$2" "./cmd/$1"
}

# install_command COMMAND NAME...: build it and make it known under the names,
# in $bin.
bin=$CACHE/bin
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
		[ "$(readlink "$bin/$name")" = "$final" ] || publish_link "$final" "$bin/$name"
	done
}

# install_demo: the control plane of make demo-cluster.
install_demo() {
	bin=$CACHE/demo-bin
	mkdir -p "$bin"
	local assets name
	if [ ! -x "$CACHE/kubebox-$(key kubebox)" ] && assets=$(find_assets "$(oldest_assets "$(kubernetes_version)")"); then
		say "etcd and kube-apiserver of $assets are used"
		for name in etcd kube-apiserver; do publish_link "$assets/$name" "$bin/$name"; done
		install_command kube-controller-manager kube-controller-manager
		return
	fi
	install_command kubebox etcd kube-apiserver kube-controller-manager
}

# install_kubectl: the one on PATH, of envtest's tools, or built.
install_kubectl() {
	have kubectl && return
	bin=$CACHE/bin
	local assets
	if assets=$(find_assets "$(oldest_assets "$(kubernetes_version)")") && [ -x "$assets/kubectl" ]; then
		publish_link "$assets/kubectl" "$bin/kubectl"
		return
	fi
	lock kubectl
	install_command kubectl kubectl
}

need_go
case ${1:-control-plane} in
control-plane)
	lock kubernetes
	install_command kubebox etcd kube-apiserver kube-controller-manager
	;;
kubectl)
	install_kubectl
	;;
demo)
	lock kubernetes
	install_demo
	if [ "${2:-}" = kubectl ]; then install_kubectl; fi
	;;
node)
	lock kubernetes
	install_command nodebox kube-scheduler kubelet kube-proxy
	;;
*)
	die "unknown argument $1: want nothing, demo, kubectl or node"
	;;
esac
