# shellcheck shell=bash
# Shared by the scripts of this folder: where the state of the cluster is, and
# the addresses. To be sourced.

# shellcheck source=e2e/install/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../install/lib.sh"

# The folder of everything that runs: configuration, logs, images, volumes.
STATE=${SIDEGATE_CLUSTER_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/sidegate-cluster}
CLUSTER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # used by the scripts that source this
ROOT=$(cd "$CLUSTER/../.." && pwd)

# All of it is of 198.18.0.0/15 (RFC 2544, for benchmarks), which nothing else
# uses; e2e/kit has the same. Pods are in 198.18.N.0/24 of node N.
# shellcheck disable=SC2034 # used by the scripts that source this
readonly HOST_IP=198.18.255.1 NODES=2 NODE_NET=198.18.255 POD_RANGE=198.18.0.0/17 \
	SERVICE_RANGE=198.19.0.0/17 DNS_IP=198.19.0.10 BALANCER_RANGE=198.19.128.0/17

# node_ip N, node_pods N: the address of a node, and those of its pods.
node_ip() { echo "$NODE_NET.1$1"; }
node_pods() { echo "198.18.$1.0/24"; }

# init_pid: the first process of the cluster's namespaces, as this machine counts.
init_pid() {
	local outer inner
	outer=$(cat "$STATE/unshare.pid" 2>/dev/null) || return 1
	inner=$(cat "/proc/$outer/task/$outer/children" 2>/dev/null) || return 1
	inner=${inner%% *}
	# A number is used again once its process has ended: look whether it is ours.
	[ -n "$inner" ] && grep -qzF "$CLUSTER/world.sh" "/proc/$inner/cmdline" 2>/dev/null && echo "$inner"
}

# cgroup_roots: where control groups are made: one place (version 2), or one for
# each hierarchy (version 1, with one of version 2 beside them as a rule).
cgroup_roots() { awk '$3 ~ /^cgroup2?$/ && $2 ~ /^\/sys\/fs\/cgroup/ { print $2 }' /proc/mounts; }
