#!/bin/bash
# Makes the images of the cluster in DIR: there is no registry. Sidegate's is the
# one that `make image` makes; the application has the names that
# examples/walkthrough has.

# shellcheck source=e2e/cluster/common.sh
. "$(dirname "$0")/common.sh"

[ $# = 1 ] || die "usage: images.sh DIR"
dir=$1
rm -rf "$dir"
mkdir -p "$dir"
cd "$ROOT"
export CGO_ENABLED=0 GOFLAGS=-trimpath # as the Makefile has them: there is no C library in the images
go build -o bin/ ./e2e/cmd/echo ./e2e/cmd/pause
go build -C build -o "$ROOT/bin/" ./cmd/mkimage
bin/mkimage -o "$dir/pause.tar" -t localhost/sidegate-e2e/pause:1 --entrypoint /pause /pause=bin/pause
bin/mkimage -o "$dir/echo.tar" -t sidegate.test/echo:1 -t sidegate.test/default-backend:1 --user 65534 --entrypoint /echo /echo=bin/echo
bin/mkimage -o "$dir/coredns.tar" -t localhost/sidegate-e2e/coredns:1 --entrypoint /coredns "/coredns=$(realpath "$CACHE/bin/coredns")"
VERSION=e2e IMAGE=localhost/sidegate/sidegate DIST=$(realpath "$dir") build/image.sh
