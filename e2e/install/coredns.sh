#!/bin/bash
# Builds CoreDNS, the name server of the cluster of the tests, from its Go
# module; e2e/tools/coredns says what is in it.
#
# Result: $CACHE/bin/coredns.

. "$(dirname "$0")/lib.sh"

readonly module=$E2E/tools/coredns

key() { (cd "$module" && cat go.mod go.sum ./*.go | sha256sum | cut -c1-12); }

build() {
	CGO_ENABLED=0 GOFLAGS='-mod=readonly -buildvcs=false' \
		nice go build -C "$module" -trimpath -ldflags '-s -w' -o "$1" .
}

need_go
lock coredns
final=$CACHE/coredns-$(key)
if [ ! -x "$final" ]; then
	tmp=$CACHE/.coredns.new
	with_progress "building CoreDNS" build "$tmp"
	mv -f "$tmp" "$final"
fi
publish_link "$final" "$CACHE/bin/coredns"
