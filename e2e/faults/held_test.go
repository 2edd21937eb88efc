package faults_test

import (
	"net/http"
	"os"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The last good version of what is refused outlives its process and its pod.
func TestLastGoodVersionsSurvive(t *testing.T) {
	w := newWorld(t)
	const host = "held.example.com"
	secret := &corev1.Secret{ObjectMeta: meta("held"), Type: corev1.SecretTypeTLS, Data: keyPair(t, host, 1)}
	w.create(secret)
	i := ingress("held", host, "/")
	i.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{host}, SecretName: "held"}}
	i.Annotations = map[string]string{"nginx.ingress.kubernetes.io/ssl-redirect": "false"}
	w.create(i)
	w.eventually("the good version is served", func() bool { return status(host) == http.StatusOK && serial(host) == 1 })

	// The newer version neither is good nor names the Secret.
	i.Annotations["nginx.ingress.kubernetes.io/use-regex"] = "true"
	i.Spec.Rules[0].HTTP.Paths[0].Path = "/(?<=a+)b"
	i.Spec.TLS = nil
	if err := w.plane.Client.Update(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	w.eventually("the Event of the refusal", func() bool { return len(w.events("held")) > 0 })
	var kept corev1.ConfigMap
	w.eventually("the good version is kept in the API", func() bool {
		key := client.ObjectKey{Namespace: "ingress-nginx", Name: "ingress-controller-leader-held"}
		return w.plane.Client.Get(t.Context(), key, &kept) == nil
	})
	served := func(what string, n int64) {
		t.Helper()
		w.eventually(what, func() bool { return status(host) == http.StatusOK && serial(host) == n })
	}
	served("the good version stays", 1)

	secret.Data = keyPair(t, host, 2)
	if err := w.plane.Client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	served("its certificate is rotated", 2)

	w.create(ingress("later", "later.example.com", "/"))
	w.eventually("others are served", func() bool { return status("later.example.com") == http.StatusOK })

	if err := w.gateway.StopController(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := w.gateway.StartController(); err != nil {
		t.Fatal(err)
	}
	if err := w.gateway.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	served("after a restart of the controller", 2)

	// A new pod has nothing but the API.
	w.newPod()
	served("in a new pod", 2)
	if code := status("later.example.com"); code != http.StatusOK {
		t.Errorf("another Ingress answers %d in a new pod", code)
	}

	// A new good version frees it.
	if err := w.plane.Client.Get(t.Context(), client.ObjectKeyFromObject(i), i); err != nil {
		t.Fatal(err)
	}
	i.Spec.Rules[0].HTTP.Paths[0].Path = "/b+"
	if err := w.plane.Client.Update(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	w.eventually("the new version is served", func() bool { return status(host) == http.StatusNotFound })
}

// newPod replaces both processes and everything on their volumes.
func (w *world) newPod() {
	w.t.Helper()
	if err := w.gateway.StopNginx(syscall.SIGTERM); err != nil {
		w.t.Fatal(err)
	}
	if err := w.gateway.StopController(syscall.SIGKILL); err != nil {
		w.t.Fatal(err)
	}
	for _, dir := range w.gateway.Volumes() {
		if err := os.RemoveAll(dir); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.gateway.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}
