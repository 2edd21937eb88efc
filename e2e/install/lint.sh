#!/bin/bash
# Brings what `make lint` and `make unit` need beyond Go: staticcheck (built
# into the cache, at the version below), shellcheck and a C compiler for the
# race detector.

. "$(dirname "$0")/lib.sh"

readonly staticcheck=v0.8.2

lock lint
need_go
# Built anew with every Go: a linter cannot read code of a newer Go than its own.
final=$CACHE/staticcheck-$staticcheck-$(go env GOVERSION)
if [ ! -x "$final" ]; then
	tmp=$CACHE/.staticcheck.new
	rm -rf "$tmp"
	GOBIN=$tmp GOFLAGS='' CGO_ENABLED=0 with_progress "building staticcheck" \
		go install "honnef.co/go/tools/cmd/staticcheck@$staticcheck"
	mv -f "$tmp/staticcheck" "$final"
	rmdir "$tmp"
fi
publish_link "$final" "$CACHE/bin/staticcheck"

have shellcheck || apt_install "make lint" shellcheck
have "$(go env CC)" || apt_install "the race detector" gcc libc6-dev
