#!/bin/bash
# Tests the images that image.sh made: what is in them, and by running the one
# that this machine can run.
#
#   build/test.sh ARCHIVE...

# shellcheck source=e2e/install/lib.sh
. "$(dirname "$0")/../e2e/install/lib.sh"

[ $# -gt 0 ] || die "usage: build/test.sh ARCHIVE..."
if [ "$(id -u)" = 0 ] && ! have runc; then apt_install "running the image" runc; fi
for archive; do
	archive=$(realpath "$archive")
	say "testing ${archive##*/}"
	# -v, so that what was skipped is seen.
	CGO_ENABLED=0 go test -C "$(dirname "$0")" -count=1 -v ./imagetest -archive "$archive"
done
