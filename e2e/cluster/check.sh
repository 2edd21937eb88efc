#!/bin/bash
# Says whether this machine can run the cluster: status 0 when it can, 77 (and
# why) when it cannot. What is only missing is not looked at: it gets installed.

# shellcheck source=e2e/cluster/common.sh
. "$(dirname "$0")/common.sh"

cannot() {
	printf 'SKIPPED: make e2e-cluster: %s\n' "$*" >&2
	exit 77
}

[ "$(uname -s)" = Linux ] || cannot "the nodes are namespaces of Linux, and this is $(uname -s)."
[ "$(id -u)" = 0 ] || cannot "a kubelet must be root, and this is user $(id -un)."
have apt-get || have containerd || cannot "containerd is missing, and there is no apt-get to install it."
have unshare || cannot "unshare is missing (package util-linux)."
message=$(unshare --mount --net --pid --uts --fork --kill-child --propagation private -- mount -t sysfs sysfs /sys 2>&1) ||
	cannot "no namespaces can be made here: $message"
[ -n "$(cgroup_roots)" ] || cannot "no control groups are mounted below /sys/fs/cgroup."
for root in $(cgroup_roots); do
	probe=$root/sidegate-probe.$$
	message=$(mkdir "$probe" 2>&1) || cannot "no control group can be made: $message"
	rmdir "$probe"
done
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
	for controller in cpu memory pids; do
		grep -qw "$controller" /sys/fs/cgroup/cgroup.subtree_control && continue
		(echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control) 2>/dev/null ||
			cannot "the control group controller $controller cannot be handed on; it is the machine's, or a container's that may not."
	done
fi
