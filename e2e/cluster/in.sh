#!/bin/bash
# in.sh COMMAND...: runs a command where the clients of the cluster are, with
# kubectl and helm on PATH; in.sh -n NODE COMMAND... runs it on a node.

# shellcheck source=e2e/cluster/common.sh
. "$(dirname "$0")/common.sh"

pid=$(init_pid) || die "no cluster is running." "Start one: make e2e-cluster KEEP=1"
if [ "${1:-}" = -n ]; then
	[ -e "$STATE/$2.pid" ] || die "no node $2: want node1 to node$NODES"
	# The file has the number that the cluster counts.
	node=$(cat "$STATE/$2.pid")
	shift 2
	exec nsenter -t "$pid" -m -p -- nsenter -t "$node" -m -n -u -- "$@"
fi
[ $# -gt 0 ] || die "usage: in.sh [-n NODE] COMMAND..."
exec nsenter -t "$pid" -m -n -p -w"$PWD" -- \
	env KUBECONFIG="$STATE/kubeconfig" SIDEGATE_CLUSTER_DIR="$STATE" PATH="$CACHE/bin:$PATH" "$@"
