#!/bin/bash
# Makes the image of the Dockerfile without a container engine: the root file
# system of base.sh, the files of layout.sh, the settings of the Dockerfile.
#
#   VERSION=1.0.0 build/image.sh [ARCH...]      by default this machine's
#
# Result: $DIST/sidegate-VERSION-linux-ARCH.tar, for `ctr images import` and
# `docker load`. IMAGE is the name without the tag, BINARIES a folder that has
# sidegate-linux-ARCH already.

# shellcheck source=e2e/install/lib.sh
. "$(dirname "$0")/../e2e/install/lib.sh"

umask 022 # what is made is for all to read

root=$(dirname "$E2E")
readonly version=${VERSION:?VERSION is not set} dist=${DIST:-$root/dist} image=${IMAGE:-sidegate/sidegate}
revision=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)
# The same commit gives the same image, whenever it is made.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH

# As in the Dockerfile, which says why, also for the copies of nginx.
readonly capabilities=(--cap /usr/sbin/nginx-hostnetwork=cap_net_bind_service=ep --cap /usr/local/bin/sidegate=cap_net_bind_service=p)

# binary ARCH FILE
binary() {
	if [ -n "${BINARIES:-}" ]; then
		cp "$BINARIES/sidegate-linux-$1" "$2"
		return
	fi
	CGO_ENABLED=0 GOOS=linux GOARCH=$1 nice go build -C "$root" -trimpath -buildvcs=false \
		-ldflags "-s -w -X main.version=$version" -o "$2" ./cmd/sidegate
}

make_image() {
	local arch=$1 out=$dist/sidegate-$version-linux-$1.tar
	"$root/build/base.sh" "$arch"
	with_progress "building sidegate for $arch" binary "$arch" "$tmp/sidegate-$arch"
	"$root/build/layout.sh" "$tmp/sidegate-$arch" "$tmp/files-$arch"
	"$tmp/mkimage" --output "$out" --tag "$image:$version" --arch "$arch" \
		--dockerfile "$root/Dockerfile" --build-arg VERSION="$version" --build-arg REVISION="$revision" \
		--root "$CACHE/image-base-$arch/root" "${capabilities[@]}" "/=$tmp/files-$arch" \
		"/usr/sbin/nginx-hostnetwork=$CACHE/image-base-$arch/root/usr/sbin/nginx" \
		"/usr/sbin/nginx-test=$CACHE/image-base-$arch/root/usr/sbin/nginx:711"
	say "$image:$version for $arch is $out ($(du -h "$out" | cut -f1))"
}

need_go
mkdir -p "$dist"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
CGO_ENABLED=0 go build -C "$root/build" -trimpath -o "$tmp/mkimage" ./cmd/mkimage
if [ $# = 0 ]; then set -- "$(go env GOHOSTARCH)"; fi
for arch; do make_image "$arch"; done
