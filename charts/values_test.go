package charts_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// podSpec is that of the controller's pod.
func podSpec(t *testing.T, r *release) map[string]any {
	t.Helper()
	for _, o := range r.objects(t) {
		if (o.GetKind() == "Deployment" || o.GetKind() == "DaemonSet") && strings.HasSuffix(o.GetName(), "-controller") {
			spec, _, err := unstructured.NestedMap(o.Object, "spec", "template", "spec")
			if err != nil {
				t.Fatal(err)
			}
			return spec
		}
	}
	t.Fatal("there is no workload")
	return nil
}

// container is one of the pod, whichever list it is in.
func container(t *testing.T, r *release, name string) map[string]any {
	t.Helper()
	spec := podSpec(t, r)
	for _, list := range []string{"initContainers", "containers"} {
		for _, c := range spec[list].([]any) {
			if c := c.(map[string]any); c["name"] == name {
				return c
			}
		}
	}
	t.Fatalf("there is no container %s", name)
	return nil
}

// The socket of the debug endpoint shows every tenant's configuration: nginx,
// which has the same user, must not have it in its file system.
func TestOnlyTheControllerHasTheDebugSocket(t *testing.T) {
	r := mustInstall(t, "")
	for name, want := range map[string]bool{"controller": true, "nginx": false} {
		mounts, _, err := unstructured.NestedSlice(container(t, r, name), "volumeMounts")
		if err != nil {
			t.Fatal(err)
		}
		has := slices.ContainsFunc(mounts, func(m any) bool {
			mount := m.(map[string]any)
			return mount["name"] == "private" && mount["mountPath"] == "/run/sidegate"
		})
		if has != want {
			t.Errorf("the container %s has the volume: %t", name, has)
		}
	}
}

// An image of ingress-nginx is never pulled; a mirror's address stays.
func TestImage(t *testing.T) {
	for values, want := range map[string]string{
		"":                                       "sidegate/sidegate:0.1.0",
		"global: {image: {registry: localhost}}": "localhost/sidegate/sidegate:0.1.0",
		"global: {image: {registry: registry.k8s.io}}":                                                                        "sidegate/sidegate:0.1.0",
		"{global: {image: {registry: a.example}}, controller: {image: {registry: b.example, tag: x}}}":                        "b.example/sidegate/sidegate:x",
		"controller: {image: {tag: 1.2, digest: 'sha256:00'}}":                                                                "sidegate/sidegate:1.2@sha256:00",
		"controller: {image: {image: ingress-nginx/controller, tag: v1.15.1, digest: 'sha256:00'}}":                           "sidegate/sidegate:0.1.0",
		"controller: {image: {registry: registry.k8s.io, image: ingress-nginx/controller-chroot}}":                            "sidegate/sidegate:0.1.0",
		"controller: {image: {tag: v1.11.3, digest: 'sha256:00'}}":                                                            "sidegate/sidegate:0.1.0",
		"{global: {image: {registry: mirror.example}}, controller: {image: {image: ingress-nginx/controller}}}":               "mirror.example/sidegate/sidegate:0.1.0",
		"controller: {image: {repository: 'mirror.example:5000/ingress-nginx/controller', tag: v1.9.4}}":                      "mirror.example:5000/sidegate/sidegate:0.1.0",
		"controller: {image: {repository: registry.k8s.io/ingress-nginx/controller}}":                                         "sidegate/sidegate:0.1.0",
		"controller: {image: {repository: quay.io/kubernetes-ingress-controller/nginx-ingress-controller, tag: 0.30.0}}":      "sidegate/sidegate:0.1.0",
		"controller: {image: {repository: ghcr.example/own/sidegate, tag: v9}}":                                               "ghcr.example/own/sidegate:v9",
		"{global: {image: {registry: a.example}}, controller: {image: {repository: ghcr.example/own/sidegate, tag: v1.9.0}}}": "ghcr.example/own/sidegate:v1.9.0",
	} {
		r := mustInstall(t, values)
		for _, name := range []string{"controller", "nginx"} {
			if got := container(t, r, name)["image"]; got != want {
				t.Errorf("%s: container %s has %v, want %s", values, name, got, want)
			}
		}
		if told := strings.Contains(r.Info.Notes, "image"); told != (strings.Contains(values, "nginx") || strings.Contains(values, "registry.k8s.io") || strings.Contains(values, "v1.11")) {
			t.Errorf("%s: told %v in\n%s", values, told, r.Info.Notes)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, tt := range []struct{ values, with, without string }{
		{"controller: {extraArgs: {update-status: false}}", "--update-status=false", ""},
		{"controller: {extraArgs: {disable-catch-all: ''}}", "--disable-catch-all", "--disable-catch-all="},
		{"controller: {extraArgs: {disable-catch-all: }}", "--disable-catch-all ", "--disable-catch-all="},
		{"controller: {extraArgs: {election-ttl: 45s, post-shutdown-grace-period: 12}}", "--post-shutdown-grace-period=12", ""},
		{"controller: {extraArgs: {http-port: 8080}}", "--http-port=8080", "--http-port=80 "},
		{"controller: {extraArgs: {publish-status-address: 192.0.2.1}}", "--publish-status-address=192.0.2.1", "--publish-service"},
		{"controller: {publishService: {enabled: false}}", "", "--publish-service"},
		{"controller: {publishService: {pathOverride: a/b}}", "--publish-service=a/b", ""},
		{"controller: {service: {external: {enabled: false}, internal: {enabled: true, annotations: {a: b}}}}", "--publish-service=ingress-nginx/sidegate-controller-internal", ""},
		{"controller: {service: {enabled: false}}", "", "--publish-service"},
		{"controller: {scope: {enabled: true}}", "--watch-namespace=ingress-nginx", "--disable-ingress-classes"},
		{"controller: {scope: {enabled: true, namespace: a}}", "--watch-namespace=a", ""},
		{"controller: {scope: {namespaceSelector: 'team=a'}, reportNodeInternalIp: true}", "--watch-namespace-selector=team=a", "--watch-namespace="},
		{"controller: {electionID: lock, disableLeaderElection: true}", "--disable-leader-election=true", "--election-id=sidegate"},
		{"controller: {healthCheckHost: 10.0.0.1, healthCheckPath: /ok}", "--health-check-path=/ok", ""},
		{"sidegate: {nginxImage: 'nginx:1.30.6'}", "--nginx-script=none", ""},
		{"controller: {customTemplate: {configMapName: a}}", "--template-dir=/etc/sidegate/custom", ""},
		{"controller: {customTemplate: {configMapName: a, configMapKey: nginx.tmpl}}", "", "--template-dir"},
		{"controller: {extraArgs: {post-shutdown-grace-period: 1073741824}}", "--post-shutdown-grace-period=1073741824 ", ""},
		{"defaultBackend: {enabled: true, image: {image: a/b, tag: c}}", "--default-backend-service=ingress-nginx/sidegate-defaultbackend", ""},
		{"defaultBackend: {enabled: true, image: {image: defaultbackend-amd64}}", "", "--default-backend-service"},
		{"{fullnameOverride: edge, namespaceOverride: other}", "--configmap=other/edge-controller", ""},
	} {
		args := strings.Join(flags(t, mustInstall(t, tt.values)), " ") + " "
		if !strings.Contains(args, tt.with) || tt.without != "" && strings.Contains(args, tt.without) {
			t.Errorf("%s: want %q and not %q in %s", tt.values, tt.with, tt.without, args)
		}
	}
}

// What the pod is in spite of values that say otherwise.
func TestPod(t *testing.T) {
	for _, values := range []string{
		"",
		"controller: {containerSecurityContext: {capabilities: {drop: [ALL], add: [CHOWN]}, readOnlyRootFilesystem: false}}",
		"controller: {image: {runAsUser: 33, allowPrivilegeEscalation: true}, shareProcessNamespace: false, podSecurityContext: {fsGroup: 5}}",
		"serviceAccount: {automountServiceAccountToken: true}",
	} {
		r := mustInstall(t, values)
		spec := podSpec(t, r)
		if spec["shareProcessNamespace"] != true || spec["automountServiceAccountToken"] != false {
			t.Errorf("%s: no shared processes, or a token for all: %v", values, spec)
		}
		for _, name := range []string{"controller", "nginx"} {
			c := container(t, r, name)
			add, _, _ := unstructured.NestedStringSlice(c, "securityContext", "capabilities", "add")
			if !slices.Contains(add, "NET_BIND_SERVICE") {
				t.Errorf("%s: %s cannot start nginx with %v", values, name, add)
			}
			if token := strings.Contains(fmt.Sprint(c["volumeMounts"]), "serviceaccount"); token != (name == "controller") {
				t.Errorf("%s: container %s has a token: %v", values, name, token)
			}
		}
	}
	for values, want := range map[string]string{
		"": "map[preStop:map[sleep:map[seconds:10]]]",
		"controller: {lifecycle: {preStop: {exec: {command: [/wait-shutdown]}}}}":                                                      "map[preStop:map[sleep:map[seconds:10]]]",
		"{controller: {lifecycle: {preStop: {exec: {command: [sh, -c, 'sleep 9; /wait-shutdown']}}}}, sidegate: {preStopSeconds: 20}}": "map[preStop:map[sleep:map[seconds:20]]]",
		"controller: {extraArgs: {shutdown-grace-period: 40}}":                                                                         "map[preStop:map[sleep:map[seconds:40]]]",
		"controller: {lifecycle: {preStop: {exec: {command: [own]}}}}":                                                                 "map[preStop:map[exec:map[command:[own]]]]",
		"sidegate: {preStopSeconds: 0}":                                                                                                "<nil>",
	} {
		if got := fmt.Sprint(container(t, mustInstall(t, values), "nginx")["lifecycle"]); got != want {
			t.Errorf("%s: got %s, want %s", values, got, want)
		}
	}
}

// Which objects there are.
func TestObjects(t *testing.T) {
	for _, tt := range []struct {
		values, kind, name string
		want               bool
	}{
		{"", "PodDisruptionBudget", "sidegate-controller", false},
		{"controller: {replicaCount: 2}", "PodDisruptionBudget", "sidegate-controller", true},
		{"controller: {replicaCount: 2, kind: DaemonSet}", "PodDisruptionBudget", "sidegate-controller", false},
		{"controller: {replicaCount: 5, autoscaling: {enabled: true}}", "PodDisruptionBudget", "sidegate-controller", false},
		{"controller: {autoscaling: {enabled: true, minReplicas: 2}}", "PodDisruptionBudget", "sidegate-controller", true},
		{"controller: {autoscaling: {enabled: true}}", "HorizontalPodAutoscaler", "sidegate-controller", true},
		{"controller: {kind: DaemonSet, autoscaling: {enabled: true}}", "HorizontalPodAutoscaler", "sidegate-controller", false},
		{"controller: {service: {internal: {enabled: true}}}", "Service", "sidegate-controller-internal", false},
		{"controller: {service: {external: {enabled: false}}}", "Service", "sidegate-controller", false},
		{"controller: {metrics: {enabled: true}}", "Service", "sidegate-controller-metrics", true},
		{"controller: {metrics: {serviceMonitor: {enabled: true}}}", "ServiceMonitor", "sidegate-controller", false},
		{"controller: {metrics: {enabled: true, prometheusRule: {enabled: true}}}", "PrometheusRule", "sidegate-controller", true},
		{"{controller: {metrics: {enabled: true, prometheusRule: {enabled: true}}}, sidegate: {defaultRules: false}}", "PrometheusRule", "sidegate-controller", false},
		{"rbac: {create: false}", "ClusterRole", "sidegate", false},
		{"rbac: {create: false}", "Role", "sidegate", false},
		{"serviceAccount: {create: false, name: other}", "ServiceAccount", "sidegate", false},
		{"controller: {ingressClassResource: {enabled: false}}", "IngressClass", "nginx", false},
		// With the name of the old release, the Service is the same object.
		{"nameOverride: ingress-nginx", "Service", "sidegate-ingress-nginx-controller", true},
		{"fullnameOverride: ingress-nginx", "Service", "ingress-nginx-controller", true},
	} {
		if got := mustInstall(t, tt.values).object(t, tt.kind, tt.name) != nil; got != tt.want {
			t.Errorf("%s: %s %s is there: %v", tt.values, tt.kind, tt.name, got)
		}
	}
}

// What cannot work is refused, with the name of what is wrong.
func TestRefused(t *testing.T) {
	for values, want := range map[string]string{
		"controller: {replicaCuont: 2}":                          "replicaCuont",
		"controler: {}":                                          "controler",
		"controller: {service: {externalTrafficPolcy: a}}":       "externalTrafficPolcy",
		"controller: {service: {externalTrafficPolicy: local}}":  "/controller/service/externalTrafficPolicy",
		"controller: {replicaCount: two}":                        "/controller/replicaCount",
		"controller: {kind: Both}":                               "/controller/kind",
		"controller: {autoscaling: {enabled: 'yes'}}":            "/controller/autoscaling/enabled",
		"controller: {metrics: {serviceMonitor: {interval: 1}}}": "interval",
		"sidegate: {nginximage: a}":                              "nginximage",
		"rbac: {scope: true}":                                    "controller.scope.enabled",
		"controller: {keda: {enabled: true}}":                    "controller.keda.triggers",
	} {
		if _, err := install(t, valuesFile(t, values)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want an error with %s, not %v", values, want, err)
		}
	}
}
