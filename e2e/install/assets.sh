# shellcheck shell=bash
# Finds etcd and kube-apiserver where the tools of controller-runtime's envtest
# are kept: $KUBEBUILDER_ASSETS, what setup-envtest has installed, and the place
# of the former kubebuilder. To be sourced after lib.sh.

# oldest_assets VERSION: the oldest kube-apiserver that goes with a
# kube-controller-manager of that version: three minor versions before it, as far
# apart as Kubernetes lets its parts be.
oldest_assets() {
	local minor
	minor=$(cut -d. -f2 <<<"$1")
	echo "1.$((minor - 3))"
}

# asset_dirs: where to look, the best first.
asset_dirs() {
	local arch
	arch=$(go env GOARCH)
	[ -z "${KUBEBUILDER_ASSETS:-}" ] || echo "$KUBEBUILDER_ASSETS"
	if have setup-envtest; then
		setup-envtest use --installed-only --print path 2>/dev/null || true # there may be none
		echo
	fi
	find "${XDG_DATA_HOME:-$HOME/.local/share}/kubebuilder-envtest/k8s" -maxdepth 1 -name "*-linux-$arch" 2>/dev/null | sort -rV
	echo /usr/local/kubebuilder/bin
}

# find_assets OLDEST: print the first folder with both, new enough; what is not
# is said.
find_assets() {
	local dir version
	while read -r dir; do
		if [ ! -x "$dir/etcd" ] || [ ! -x "$dir/kube-apiserver" ]; then continue; fi
		version=$("$dir/kube-apiserver" --version 2>/dev/null | sed -n 's/^Kubernetes v\([0-9.]*\).*/\1/p')
		if [ -n "$version" ] && version_ge "$version" "$1"; then
			(cd "$dir" && pwd)
			return 0
		fi
		say "kube-apiserver ${version:-of no version} in $dir is not used: $1 or newer is wanted"
	done < <(asset_dirs)
	return 1
}
