package cluster_test

import (
	"bytes"
	"context"
	"fmt"
	"testing/fstest"
	"text/template"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sidegate/sidegate/e2e/kit"
)

// app is an application of real pods behind an Ingress, in a namespace of its own.
type app struct {
	*world
	name, host string
}

var appLabels = client.MatchingLabels{"app": "echo"}

var appManifest = template.Must(template.New("").Parse(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo}
spec:
  replicas: {{.Replicas}}
  selector:
    matchLabels: {app: echo}
  template:
    metadata:
      labels: {app: echo}
    spec:
      containers:
        - name: echo
          image: sidegate.test/echo:1
          ports: [{name: http, containerPort: 8080}]
          readinessProbe:
            httpGet: {path: /healthz, port: http}
            periodSeconds: 1
            # One answer that comes late on a busy machine is no reason to go.
            failureThreshold: 3
          lifecycle:
            preStop: {sleep: {seconds: 2}}
---
apiVersion: v1
kind: Service
metadata: {name: echo}
spec:
  selector: {app: echo}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: echo}
spec:
  minAvailable: 1
  selector:
    matchLabels: {app: echo}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: echo}
spec:
  ingressClassName: {{.Class}}
  rules:
    - host: {{.Host}}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: echo, port: {name: http}}}
`))

// deploy makes an application and waits for its pods. It is removed when the
// test ends.
func (w *world) deploy(name, class string, replicas int) *app {
	w.Helper()
	a := &app{world: w, name: name, host: name + ".example.com"}
	w.namespace(name, nil)
	var text bytes.Buffer
	w.must(appManifest.Execute(&text, map[string]any{"Replicas": replicas, "Class": class, "Host": a.host}))
	files := fstest.MapFS{"app.yaml": {Data: text.Bytes()}}
	w.must(kit.Apply(w.Context(), w.client, files, name, "app.yaml"))
	a.settled(replicas)
	return a
}

func (a *app) patch(patch string) {
	a.Helper()
	d := &appsv1.Deployment{}
	d.Namespace, d.Name = a.name, "echo"
	a.must(a.client.Patch(a.Context(), d, client.RawPatch(types.MergePatchType, []byte(patch))))
}

// settled waits until there are just so many pods of the newest template, all
// of them ready and none that goes.
func (a *app) settled(replicas int) {
	a.Helper()
	took := a.until(fmt.Sprintf("%d pods of %s", replicas, a.name), func(ctx context.Context) error {
		d := &appsv1.Deployment{}
		if err := a.client.Get(ctx, types.NamespacedName{Namespace: a.name, Name: "echo"}, d); err != nil {
			return err
		}
		var pods corev1.PodList
		if err := a.client.List(ctx, &pods, client.InNamespace(a.name), appLabels); err != nil {
			return err
		}
		s := d.Status
		if s.ObservedGeneration < d.Generation || int(s.UpdatedReplicas) != replicas || int(s.AvailableReplicas) != replicas || len(pods.Items) != replicas {
			return fmt.Errorf("%d pods, %d of the newest template, %d available", len(pods.Items), s.UpdatedReplicas, s.AvailableReplicas)
		}
		return nil
	})
	a.Logf("%s has %d pods after %.1f s", a.name, replicas, took.Seconds())
}
