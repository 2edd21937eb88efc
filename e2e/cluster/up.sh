#!/bin/bash
# Starts a cluster of two nodes in namespaces of its own: nothing of it reaches
# the network of the machine, and all of it ends with one process. in.sh runs a
# command in it, down.sh ends it.
#
#   this machine
#   └─ mount, net, pid: "the world" (world.sh): etcd, the API server, the
#      controller manager, the scheduler, and clients: the tests
#      ├─ mount, net, uts: node1 (node.sh): containerd, kubelet, kube-proxy
#      └─ mount, net, uts: node2
#
# The world and the nodes are on one bridge, as machines on one network.

# shellcheck source=e2e/cluster/common.sh
. "$(dirname "$0")/common.sh"

[ $# -gt 0 ] || die "usage: up.sh IMAGE.tar..." "The images are imported into both nodes."
if init_pid >/dev/null; then
	die "a cluster is running already, in $STATE." "End it with $CLUSTER/down.sh"
fi
"$CLUSTER/down.sh" # what a killed one left
mkdir -p "$STATE"/{log,images}
for image in "$@"; do ln -s "$(realpath "$image")" "$STATE/images/"; done

start=$SECONDS
say "starting a cluster of $NODES nodes (its state and logs: $STATE)"
setsid unshare --mount --net --pid --fork --kill-child --propagation private -- \
	"$CLUSTER/world.sh" </dev/null >"$STATE/log/world.log" 2>&1 9>&- &
echo $! >"$STATE/unshare.pid"
until [ -e "$STATE/ready" ]; do
	sleep 0.1
	if [ -e "$STATE/failed" ] || ! kill -0 "$(cat "$STATE/unshare.pid")" 2>/dev/null || ((SECONDS - start > 180)); then
		tail -n 5 "$STATE"/log/*.log >&2
		"$CLUSTER/down.sh" keep-state
		die "the cluster did not come up: $(cat "$STATE/failed" 2>/dev/null || echo "not ready after $((SECONDS - start)) s")" "The logs are in $STATE/log"
	fi
done
say "the cluster is ready after $((SECONDS - start)) s: $(tr '\n' ' ' <"$STATE/ready")"
