#!/bin/bash
# Brings what runs containers on the nodes of the tests' cluster, and their
# network: Debian's packages.

. "$(dirname "$0")/lib.sh"

lock containers
missing=()
# need PACKAGE PROGRAM
need() { have "$2" || [ -x "$2" ] || missing+=("$1"); }
PATH=$PATH:/usr/sbin:/sbin
need containerd containerd
need runc runc
need containernetworking-plugins /usr/lib/cni/ptp
need iptables iptables
need nftables nft
need conntrack conntrack
need iproute2 ip
need ethtool ethtool
need util-linux nsenter
need openssl openssl
[ ${#missing[@]} = 0 ] || apt_install "the nodes of the cluster" "${missing[@]}"
