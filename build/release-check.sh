#!/bin/bash
# Checks that a release can be made again: it is built twice, from two clones in
# different folders, and every file must have the same bytes. With FULL=1 the
# second one compiles everything anew (several minutes more).
#
#   VERSION=1.0.0 build/release-check.sh

# shellcheck source=e2e/install/lib.sh
. "$(dirname "$0")/../e2e/install/lib.sh"

root=$(dirname "$E2E")
export VERSION=${VERSION:?VERSION is not set}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# release FOLDER
release() {
	git clone -q "$root" "$tmp/$1"
	"$tmp/$1/build/release.sh" "$tmp/$1.release"
}

release first
if [ -n "${FULL:-}" ]; then
	say "compiling everything anew for the second one"
	export GOCACHE=$tmp/gocache
fi
# Also by someone else's habits.
(umask 077 && TZ=Asia/Tokyo release a/second-one)

if ! diff "$tmp/first.release/SHA256SUMS" "$tmp/a/second-one.release/SHA256SUMS" >&2; then
	die "two builds of $VERSION differ, in the files above" \
		"If only images differ, Debian's packages may have changed between the two: run it again."
fi
for file in "$tmp"/first.release/*; do
	cmp "$file" "$tmp/a/second-one.release/${file##*/}"
done
say "two builds of $VERSION gave the same bytes: $(wc -l <"$tmp/first.release/SHA256SUMS") files"
released=$root/dist/$VERSION/SHA256SUMS
if [ -e "$released" ]; then
	diff "$released" "$tmp/first.release/SHA256SUMS" >&2 || die "${released%/*} was made of something else: it differs in the files above"
	say "${released%/*} has the same bytes too"
fi
