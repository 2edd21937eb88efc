#!/bin/bash
# Brings helm: built from its Go module, at the version below.
#
# Result: $CACHE/bin/helm.

. "$(dirname "$0")/lib.sh"

readonly version=v4.3.1

need_go
lock helm
final=$CACHE/helm-$version
if [ ! -x "$final" ]; then
	tmp=$CACHE/.helm.new
	rm -rf "$tmp"
	GOBIN=$tmp GOFLAGS=-trimpath CGO_ENABLED=0 with_progress "building helm $version (from cold this takes some minutes)" \
		nice go install -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=$version" "helm.sh/helm/v4/cmd/helm@$version"
	mv -f "$tmp/helm" "$final"
	rmdir "$tmp"
fi
publish_link "$final" "$CACHE/bin/helm"
