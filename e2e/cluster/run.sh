#!/bin/bash
# What `make e2e-cluster` does: brings everything, starts the cluster, runs the
# tests in it, and ends it, unless KEEP is set.

# shellcheck source=e2e/cluster/common.sh
. "$(dirname "$0")/common.sh"

status=0
"$CLUSTER/check.sh" || status=$?
[ "$status" != 77 ] || exit 0 # it has said why
[ "$status" = 0 ] || exit "$status"

for script in containers kubernetes "kubernetes node" "kubernetes kubectl" coredns helm; do
	read -ra words <<<"$script"
	"$INSTALL/${words[0]}.sh" "${words[@]:1}"
done
"$CLUSTER/images.sh" "$ROOT/bin/images"

if [ -z "${KEEP:-}" ]; then trap '"$CLUSTER/down.sh"' EXIT; fi
"$CLUSTER/up.sh" "$ROOT"/bin/images/*.tar
cd "$ROOT"
# There is no network in there, so what the tests import must be there before.
go mod download
"$CLUSTER/in.sh" env GOPROXY=off go test -count=1 -timeout 30m -v ./e2e/cluster/ "$@" || status=$?
# What pages are shared by is counted once. A process may end while it is read.
# shellcheck disable=SC2016 # the inner shell and awk expand it
"$CLUSTER/in.sh" bash -c 'cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk "/^Pss:/ { sum += \$2 } END { print int(sum / 1024) }"' |
	{ read -r memory && say "the cluster takes $memory MB of memory, without the tests' pods"; }
if [ -n "${KEEP:-}" ]; then
	cat <<-END

		The cluster goes on in the background.
		  $CLUSTER/in.sh kubectl get pods -A -o wide
		  $CLUSTER/in.sh bash             a shell with kubectl and helm, beside the nodes
		  $CLUSTER/in.sh -n node1 bash    a shell on a node
		  $CLUSTER/in.sh go test ./e2e/cluster -run NAME
		  $CLUSTER/down.sh                ends it
		Its state and its logs are in $STATE
	END
fi
exit "$status"
