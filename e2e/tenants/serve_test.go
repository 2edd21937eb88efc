package tenants_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sidegate/sidegate/e2e/kit"
)

// names are none that an API server would let in; a directory holds anything.
var names = []string{"a$b", "${tls_certificate}", "a\nb", `a"b`, `a\`, "a;b", "a{b}", "ä", "a b", "../../a", "", "\x01", "a#b"}

// manifest is an Ingress with a Service, its Secret and names that are quoted as
// YAML has it.
func manifest(namespace, name, other, host string) string {
	quoted := func(s string) string {
		text, err := json.Marshal(s)
		if err != nil {
			panic(err) // no string fails
		}
		return string(text)
	}
	return fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: %[3]s, namespace: %[1]s}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: %[3]s, namespace: %[1]s}
stringData: {auth: "a:{PLAIN}b"}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %[2]s, namespace: %[1]s, annotations: {nginx.ingress.kubernetes.io/auth-type: basic, nginx.ingress.kubernetes.io/auth-secret: %[3]s}}
spec:
  ingressClassName: nginx
  tls: [{hosts: [%[4]s], secretName: %[3]s}]
  rules:
  - host: %[4]s
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: %[3]s, port: {number: 80}}}}]}
`, quoted(namespace), quoted(name), quoted(other), host)
}

const goodManifest = `
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: victim}
spec: {ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: victim}
spec:
  ingressClassName: nginx
  rules:
  - host: shop.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
`

// Objects of a directory have names that no API server has looked at.
func TestNamesInManifestsCannotStopOthers(t *testing.T) {
	dir, err := os.MkdirTemp("", "sg") // sockets need a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	manifests := filepath.Join(dir, "manifests")
	if err := os.Mkdir(manifests, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(manifests, name+".yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("shop", goodManifest)
	for i, name := range names {
		write(fmt.Sprintf("name%d", i), manifest("victim", name, "shop", fmt.Sprintf("name%d.test", i)))
		write(fmt.Sprintf("namespace%d", i), manifest(name+"x", "shop", "shop", fmt.Sprintf("namespace%d.test", i)))
		write(fmt.Sprintf("other%d", i), manifest("victim", fmt.Sprintf("other%d", i), name, fmt.Sprintf("other%d.test", i)))
	}
	s, err := kit.StartServe(t.Context(), kit.ServeOptions{
		Dir: dir, Manifests: manifests, Sidegate: kit.Binary(t, "sidegate"), Nginx: kit.Nginx(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t, nil}
	w.within(soon, "the good one is served", func() error {
		request, err := http.NewRequest(http.MethodGet, "http://"+s.HTTP()+"/", nil)
		if err != nil {
			return err
		}
		request.Host = "shop.test"
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("it answers %s", response.Status)
		}
		return nil
	})
	text, err := s.Ask(t.Context(), "dump", "findings")
	if err != nil {
		t.Fatal(err)
	}
	var list []finding
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if i == 0 { // the one that is known to have done harm
			if !slices.ContainsFunc(list, func(f finding) bool { return f.Reason == "InvalidName" && f.Object.Name == name }) {
				t.Errorf("nothing is said of the name %q", name)
			}
		}
		if !slices.ContainsFunc(list, func(f finding) bool { return f.Object.Name == fmt.Sprintf("other%d", i) }) {
			t.Errorf("nothing is said of an Ingress that names %q", name)
		}
	}
	count := 0
	for _, f := range list {
		if f.Reason == "InvalidName" {
			count++
		}
	}
	if count < len(names) {
		t.Errorf("%d findings about names, for %d", count, len(names))
	}
}
