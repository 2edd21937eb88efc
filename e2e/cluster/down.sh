#!/bin/bash
# Ends the cluster and removes what it left: its control groups and its state.

# shellcheck source=e2e/cluster/common.sh
. "$(dirname "$0")/common.sh"

if pid=$(init_pid); then
	outer=$(cat "$STATE/unshare.pid")
	# The first process of a process namespace heeds no other signal from itself
	# or its kin; every other process of it ends with it.
	kill -KILL "$pid"
	while kill -0 "$outer" 2>/dev/null; do sleep 0.05; done
fi
if [ -e "$STATE/cgroup" ]; then
	group=$(cat "$STATE/cgroup")
	for root in $(cgroup_roots); do
		# What has just been killed is in its group for a moment.
		for _ in $(seq 50); do
			[ -d "$root/$group" ] || break
			find "$root/$group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
		done
		[ ! -d "$root/$group" ] || say "the control group $root/$group cannot be removed: a process is still in it"
	done
fi
[ "${1:-}" = keep-state ] || rm -rf "$STATE"
