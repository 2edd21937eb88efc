#!/bin/bash
# The first process of the cluster: see up.sh, which starts it. It starts the
# network, the control plane and the nodes, and ends when a part has ended.

# shellcheck source=e2e/cluster/common.sh
. "$(dirname "$0")/common.sh"

readonly api=https://$HOST_IP:6443
export KUBECONFIG=$STATE/kubeconfig PATH=$CACHE/bin:$PATH
started=$(date +%s.%N)
elapsed() { awk -v a="$(date +%s.%N)" -v b="$started" 'BEGIN { printf "%.1f s", a - b }'; }

mount -t proc proc /proc
ip link set lo up
ip link add nodes type bridge
ip addr add "$HOST_IP/24" dev nodes
ip link set nodes up
# A load balancer's addresses lead to a node, where kube-proxy takes them.
ip route add "$BALANCER_RANGE" via "$(node_ip 1)"

# A control group of this cluster, in which each node has one: a kubelet removes
# from its own whatever it does not know.
group=sidegate-cluster.$(date +%s)
echo "$group" >"$STATE/cgroup"
for root in $(cgroup_roots); do
	for path in "$group" $(seq -f "$group/node%g" "$NODES"); do
		mkdir "$root/$path"
		if [ -e "$root/cgroup.controllers" ]; then
			read -ra controllers <"$root/$path/cgroup.controllers" || true # empty where version 1 has them
			for controller in "${controllers[@]}"; do
				echo "+$controller" >"$root/$path/cgroup.subtree_control" || true
			done
		elif [ -e "$root/$path/cpuset.cpus" ]; then
			cat "$root/cpuset.cpus" >"$root/$path/cpuset.cpus"
			cat "$root/cpuset.mems" >"$root/$path/cpuset.mems"
		fi
	done
done

# user NAME GROUP FILE: who a part is for the API server.
user() {
	local token
	token=$(openssl rand -hex 16)
	echo "$token,$1,$1${2:+,$2}" >>"$STATE/tokens.csv"
	cat >"$3" <<-END
		apiVersion: v1
		kind: Config
		current-context: cluster
		contexts: [{name: cluster, context: {cluster: cluster, user: user}}]
		clusters: [{name: cluster, cluster: {server: "$api", certificate-authority: "$STATE/api/apiserver.crt"}}]
		users: [{name: user, user: {token: "$token"}}]
	END
}
(umask 077 && openssl genrsa -out "$STATE/service-accounts.key" 2048 2>/dev/null)
user admin system:masters "$KUBECONFIG"
user system:kube-controller-manager '' "$STATE/manager.kubeconfig"
user system:kube-scheduler '' "$STATE/scheduler.kubeconfig"
user system:kube-proxy '' "$STATE/proxy.kubeconfig"
for n in $(seq "$NODES"); do user "system:node:node$n" system:nodes "$STATE/node$n.kubeconfig"; done

# run NAME COMMAND...: a part of the cluster, without which it is none.
run() {
	local name=$1
	shift
	{
		"$@" >"$STATE/log/$name.log" 2>&1 || true
		echo "$name has ended" >"$STATE/failed"
		kill -TERM $$
	} &
}
trap 'cat "$STATE/failed"; exit 1' TERM

for n in $(seq "$NODES"); do
	# Its number is that of unshare, which becomes node.sh.
	run "node$n" unshare --net --mount --uts --propagation private -- "$CLUSTER/node.sh" "$n"
done
run etcd etcd --data-dir "$STATE/etcd" --unsafe-no-fsync --log-level error \
	--listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
	--listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
	--initial-cluster default=http://127.0.0.1:2380
# The certificate it makes for itself serves as its authority as well. There is
# no kube-proxy beside it, so it asks Services by their endpoints.
run kube-apiserver kube-apiserver --etcd-servers http://127.0.0.1:2379 \
	--bind-address "$HOST_IP" --advertise-address "$HOST_IP" --secure-port 6443 \
	--cert-dir "$STATE/api" --token-auth-file "$STATE/tokens.csv" \
	--authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
	--service-account-issuer https://kubernetes.default.svc \
	--service-account-key-file "$STATE/service-accounts.key" --service-account-signing-key-file "$STATE/service-accounts.key" \
	--service-cluster-ip-range "$SERVICE_RANGE" --allow-privileged --enable-aggregator-routing \
	--kubelet-preferred-address-types InternalIP

for n in $(seq "$NODES"); do
	until [ -e "$STATE/node$n.pid" ]; do sleep 0.02; done
	ip link add "node$n" type veth peer name eth0 netns "$(cat "$STATE/node$n.pid")"
	ip link set "node$n" master nodes up
	ip route add "$(node_pods "$n")" via "$(node_ip "$n")"
done

until kubectl get --raw /readyz >/dev/null 2>&1; do sleep 0.2; done
echo "API server after $(elapsed)" >>"$STATE/log/times"
touch "$STATE/api.ready"
run kube-controller-manager kube-controller-manager --kubeconfig "$STATE/manager.kubeconfig" \
	--service-account-private-key-file "$STATE/service-accounts.key" --root-ca-file "$STATE/api/apiserver.crt" \
	--use-service-account-credentials --leader-elect=false --bind-address 127.0.0.1
run kube-scheduler kube-scheduler --kubeconfig "$STATE/scheduler.kubeconfig" \
	--leader-elect=false --bind-address 127.0.0.1
sed "s/DNS_IP/$DNS_IP/" "$CLUSTER/coredns.yaml" | kubectl apply --server-side -f - >/dev/null
for n in $(seq "$NODES"); do
	until kubectl wait --for=condition=Ready "node/node$n" --timeout=60s >/dev/null 2>&1; do sleep 0.1; done
done
echo "nodes after $(elapsed)" >>"$STATE/log/times"
kubectl -n kube-system rollout status deployment coredns --timeout=60s >/dev/null
echo "DNS after $(elapsed)" >>"$STATE/log/times"
ln -s log/times "$STATE/ready"
while :; do
	sleep infinity &
	wait $!
done
