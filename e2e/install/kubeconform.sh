#!/bin/bash
# Brings kubeconform, and JSON schemas for it: of all objects of the Kubernetes
# that the tests run (e2e/tools), and of what the chart makes for the Prometheus
# Operator and for KEDA, from the CustomResourceDefinitions in their Go modules.
#
# Result: $CACHE/bin/kubeconform, $CACHE/kube-schemas.

. "$(dirname "$0")/lib.sh"

readonly kubeconform=v0.8.0
readonly prometheus=github.com/prometheus-operator/prometheus-operator@v0.85.0
readonly keda=github.com/kedacore/keda/v2@v2.21.0
readonly program=$E2E/../charts/kubeschemas

# module_dir MODULE@VERSION: where Go keeps the module's files, once fetched.
module_dir() { (cd / && GOFLAGS='' go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'); }

write_schemas() {
	local k8s p k
	k8s=$(cd "$E2E/tools" && go mod download k8s.io/kubernetes && go list -m -f '{{.Dir}}' k8s.io/kubernetes)
	p=$(module_dir "$prometheus")/example/prometheus-operator-crd
	k=$(module_dir "$keda")/config/crd/bases
	(cd "$program" && go run . -openapi "$k8s/api/openapi-spec/swagger.json" -output "$1" \
		"$p"/monitoring.coreos.com_{servicemonitors,prometheusrules}.yaml "$k/keda.sh_scaledobjects.yaml")
}

lock kubeconform
need_go

final=$CACHE/kubeconform-$kubeconform
if [ ! -x "$final" ]; then
	tmp=$CACHE/.kubeconform.new
	rm -rf "$tmp"
	GOBIN=$tmp GOFLAGS=-trimpath CGO_ENABLED=0 with_progress "building kubeconform $kubeconform" \
		nice go install -ldflags '-s -w' "github.com/yannh/kubeconform/cmd/kubeconform@$kubeconform"
	mv -f "$tmp/kubeconform" "$final"
	rmdir "$tmp"
fi
publish_link "$final" "$CACHE/bin/kubeconform"

key=$({ cat "$E2E/tools/go.mod" "$program"/*.go && echo "$prometheus $keda"; } | sha256sum | cut -c1-12)
final=$CACHE/kube-schemas-$key
if [ ! -d "$final" ]; then
	tmp=$CACHE/.kube-schemas.new
	rm -rf "$tmp"
	with_progress "writing schemas of Kubernetes's objects" write_schemas "$tmp"
	mv -T "$tmp" "$final"
fi
publish_link "$final" "$CACHE/kube-schemas"
