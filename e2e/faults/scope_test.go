package faults_test

import (
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// With one namespace to watch, what flags name is read from others all the
// same, what an Ingress names is not, and no ConfigMap but ours is held.
func TestOneNamespace(t *testing.T) {
	w := newWorld(t, "--watch-namespace=default", "--configmap=ingress-nginx/settings",
		"--default-ssl-certificate=certificates/default", "--publish-service=ingress-nginx/entry")
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "certificates"}})
	w.create(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "ingress-nginx", Name: "entry"}, Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeExternalName, ExternalName: "entry.example.com",
	}})
	w.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "certificates", Name: "default"}, Type: corev1.SecretTypeTLS,
		Data: keyPair(t, "default.example.com", 42),
	})
	w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ingress-nginx", Name: "settings"}, Data: map[string]string{"server-tokens": "true"}})
	w.eventually("the certificate of another namespace is served", func() bool { return serial("first.example.com") == 42 })
	w.eventually("the ConfigMap of another namespace is in use", func() bool {
		request, err := http.NewRequest(http.MethodGet, "http://198.18.0.1/", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "first.example.com"
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.Header.Get("Server") != "nginx"
	})
	foreign := ingress("foreign", "foreign.example.com", "/")
	foreign.Annotations = map[string]string{
		"nginx.ingress.kubernetes.io/auth-type": "basic", "nginx.ingress.kubernetes.io/auth-secret": "ingress-nginx/users",
	}
	w.create(foreign)
	w.eventually("an Ingress that names a foreign Secret is closed", func() bool { return status("foreign.example.com") == http.StatusServiceUnavailable })
	w.create(ingress("after", "after.example.com", "/"))
	w.eventually("others go on", func() bool { return status("after.example.com") == http.StatusOK })
}
