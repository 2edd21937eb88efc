#!/bin/bash
# netns.sh COMMAND...: runs a command in a network namespace of its own, in
# which all of 198.18.0.0/15 (RFC 2544, for benchmarks) and fd00:5a:6::/64 is
# local: every address of them can be listened on without being configured.
# EndpointSlices refuse loopback addresses, so this is how pods that are
# processes of this machine get addresses that a real API server accepts.
#
# There is no other network in there: no default route, and the name server is
# the one that the test kit starts (198.19.0.10). The process namespace sees to
# it that whatever the command leaves running ends with it.

. "$(dirname "$0")/lib.sh"

have unshare || die "unshare is missing (package util-linux)."
have ip || apt_install "setting addresses in a network namespace" iproute2
[ $# -gt 0 ] || die "usage: netns.sh COMMAND..."

user=()
if [ "$(id -u)" != 0 ]; then
	# Root inside, oneself outside: no privilege is needed where user namespaces
	# are allowed.
	user=(--user --map-root-user)
fi
unshare "${user[@]}" --net true 2>/dev/null ||
	die "this user may not make network namespaces." "Run this as root, or allow unprivileged user namespaces."

# shellcheck disable=SC2016 # the inner shell expands it
exec unshare "${user[@]}" --net --mount --propagation private --pid --fork --kill-child --mount-proc -- bash -c '
	set -e
	ip link set lo up
	ip addr add 198.18.0.1/15 dev lo
	if [ -e /proc/sys/net/ipv6 ]; then
		ip -6 addr add fd00:5a:6::1/128 dev lo nodad
		ip -6 route add local fd00:5a:6::/64 dev lo
		echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind # the route alone suffices for IPv4 only
	fi
	if [ -e /etc/resolv.conf ]; then
		conf=$(mktemp)
		echo "nameserver 198.19.0.10" >"$conf"
		mount --bind "$conf" /etc/resolv.conf
		rm "$conf"
	fi
	# Not the last command, which bash would turn into itself: process 1 must
	# outlive the command, and collects its orphans.
	status=0; "$@" || status=$?
	exit $status
' netns "$@"
