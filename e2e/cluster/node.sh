#!/bin/bash
# A node of the cluster: see up.sh. It runs in namespaces of its own, gets a
# network from world.sh, and ends when one of its parts has ended.

# shellcheck source=e2e/cluster/common.sh
. "$(dirname "$0")/common.sh"

readonly n=$1 name=node$1
own=$STATE/$name
ip=$(node_ip "$n")
export PATH=$CACHE/bin:$PATH:/usr/sbin:/sbin

mkdir -p "$own"
# sysfs is of the network namespace, and hides the control groups that are
# mounted below the old one.
mkdir "$own/cgroups"
mount --rbind /sys/fs/cgroup "$own/cgroups"
mount -t sysfs sysfs /sys
mount --rbind "$own/cgroups" /sys/fs/cgroup
umount -l "$own/cgroups"
mount --make-rshared /
hostname "$name"

# Places that the parts insist on, of which each node needs its own.
for path in /var/lib/kubelet /var/lib/cni /run/containerd /run/netns /etc/cni /var/log/pods /var/log/containers; do
	mkdir -p "$path" "$own/fs$path"
	mount --bind "$own/fs$path" "$path"
done
mount -t tmpfs tmpfs /run/netns
mount --make-shared /run/netns

# A kubelet sets these for the whole machine, unless it finds them set.
mkdir -p "$own/sysctl"
while read -r path value; do
	file=$own/sysctl/${path//\//.}
	echo "$value" >"$file"
	mount --bind "$file" "/proc/sys/$path"
done <<'END'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
END

ip link set lo up
echo $$ >"$STATE/$name.pid.new"
mv "$STATE/$name.pid.new" "$STATE/$name.pid"
until ip link show eth0 >/dev/null 2>&1; do sleep 0.02; done
ip addr add "$ip/24" dev eth0
ip link set eth0 up
ip route add default via "$HOST_IP"
for other in $(seq "$NODES"); do
	[ "$other" = "$n" ] || ip route add "$(node_pods "$other")" via "$(node_ip "$other")"
done
echo 1 >/proc/sys/net/ipv4/ip_forward

run() {
	local part=$1
	shift
	{
		"$@" >"$STATE/log/$name-$part.log" 2>&1 || true
		echo "$part has ended" >>"$STATE/log/$name.ended"
		kill -TERM $$
	} &
}
trap 'cat "$STATE/log/$name.ended"; exit 1' TERM

# Layers cannot lie on layers: where this machine is itself a container.
snapshotter=overlayfs
[ "$(stat -f -c %T "$own")" != overlayfs ] || snapshotter=native
cat >"$own/containerd.toml" <<END
version = 2
root = "$own/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/sidegate-e2e/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$own/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "$snapshotter"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
END
# ptp, not bridge: what passes between the pods of a node is then routed, and
# kube-proxy sees it without br_netfilter.
mkdir "$own/cni"
cat >"$own/cni/10-pods.conflist" <<END
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "ptp", "ipam": {"type": "host-local", "ranges": [[{"subnet": "$(node_pods "$n")"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
END
run containerd containerd --config "$own/containerd.toml"
until ctr version >/dev/null 2>&1; do sleep 0.05; done
for image in "$STATE"/images/*; do
	ctr -n k8s.io images import --snapshotter "$snapshotter" "$image" || { echo "importing $(realpath "$image") failed" >&2; exit 1; }
done

: >"$own/resolv.conf" # there is no name server outside
cat >"$own/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
failSwapOn: false
cgroupDriver: cgroupfs
cgroupRoot: /$(cat "$STATE/cgroup")/$name
enforceNodeAllocatable: [pods]
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
clusterDomain: cluster.local
clusterDNS: [$DNS_IP]
resolvConf: $own/resolv.conf
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
END
until [ -e "$STATE/api.ready" ]; do sleep 0.05; done
run kubelet kubelet --config "$own/kubelet.yaml" --kubeconfig "$STATE/$name.kubeconfig" \
	--hostname-override "$name" --node-ip "$ip"
# The settings of conntrack are the machine's.
run kube-proxy kube-proxy --kubeconfig "$STATE/proxy.kubeconfig" --hostname-override "$name" \
	--proxy-mode nftables --cluster-cidr "$POD_RANGE" --conntrack-max-per-core 0 \
	--conntrack-tcp-timeout-established 0s --conntrack-tcp-timeout-close-wait 0s \
	--healthz-bind-address 127.0.0.1:10256 --metrics-bind-address 127.0.0.1:10249
while :; do
	sleep infinity &
	wait $!
done
