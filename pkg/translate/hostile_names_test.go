package translate_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/sidegate/sidegate/pkg/annotations"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestFilesCannotMeet: no two Secrets, and no two uses of one, share a file.
func TestFilesCannotMeet(t *testing.T) {
	s := fuzzSnapshot("foo.bar.com", "/", "")
	s.Ingresses = s.Ingresses[1:]
	add := func(secret, kind string, data map[string][]byte) {
		ing := s.Ingresses[0].DeepCopy()
		ing.Name = fmt.Sprintf("i%d", len(s.Ingresses))
		ing.Spec.Rules[0].Host = ing.Name + ".test"
		ing.Annotations = map[string]string{
			annotations.DefaultPrefix + "/auth-type":        "basic",
			annotations.DefaultPrefix + "/auth-secret":      secret,
			annotations.DefaultPrefix + "/auth-secret-type": kind,
		}
		s.Ingresses = append(s.Ingresses, ing)
		s.Secrets[types.NamespacedName{Namespace: "default", Name: secret}] = &corev1.Secret{Data: data}
	}
	long := strings.Repeat("a", 100)
	add("b.map", "auth-file", map[string][]byte{"auth": []byte("boss:$apr1$a$b")})
	add("b", "auth-map", map[string][]byte{"intern": []byte("$apr1$c$d")})
	add(long+".x", "auth-file", map[string][]byte{"auth": []byte("x:$apr1$a$b")})
	add(long+".y", "auth-file", map[string][]byte{"auth": []byte("y:$apr1$a$b")})
	out, _ := renderAll(t, s)
	users := 0
	for _, f := range out.Config.Files {
		if strings.HasSuffix(string(f.Name), ".htpasswd") {
			users++
		}
	}
	if want := len(s.Ingresses) - 1; users != want {
		t.Errorf("%d files of users, want %d: %v", users, want, out.Findings)
	}
}

func tlsSecret(t *testing.T, host string) *corev1.Secret {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotAfter: time.Now().Add(time.Hour)}
	secret := secretOf(t, template, key)
	secret.ObjectMeta = metav1.ObjectMeta{} // as one of a file
	return secret
}

// TestHostCannotBeAWordOfMaps: names of hosts are keys of nginx's map of
// certificates, in which some words are no keys. A test of the changed parts has
// no such map, so nginx refused it at run time alone.
func TestHostCannotBeAWordOfMaps(t *testing.T) {
	s := fuzzSnapshot("foo.bar.com", "/", "")
	for _, host := range []string{"default", "include", "volatile", "hostnames"} {
		s.Secrets[types.NamespacedName{Namespace: "default", Name: host}] = tlsSecret(t, host)
		ing := s.Ingresses[1].DeepCopy()
		ing.Name, ing.Spec.Rules[0].Host = host, host
		ing.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{host}, SecretName: host}}
		s.Ingresses = append(s.Ingresses, ing)
	}
	out, result := renderAll(t, s)
	if n := len(out.Config.Certificates); n != 4 {
		t.Errorf("there are %d certificates: %v", n, out.Findings)
	}
	testByNginx(t, t.TempDir(), result.Text)
}

// TestExpressionsTogetherCannotTakeAWorker: a request may be matched against all
// expressions of a host, so that a bound for each is none.
func TestExpressionsTogetherCannotTakeAWorker(t *testing.T) {
	s := fuzzSnapshot("foo.bar.com", "/", "")
	ing := s.Ingresses[0]
	ing.Annotations = map[string]string{annotations.DefaultPrefix + "/use-regex": "true"}
	rule := &ing.Spec.Rules[0]
	path := rule.HTTP.Paths[0]
	rule.HTTP.Paths = nil
	for i := range 1000 {
		path.Path = fmt.Sprintf("/(a+)+[0-9]x{0,%d}$", i+1)
		rule.HTTP.Paths = append(rule.HTTP.Paths, path)
	}
	path.Path = "/plain(/|$)(.*)"
	rule.HTTP.Paths = append(rule.HTTP.Paths, path)
	other := s.Ingresses[1].DeepCopy()
	other.Namespace, other.Name, other.Spec.Rules[0].Host = "other", "shares", "foo.bar.com"
	other.Spec.Rules[0].HTTP.Paths = other.Spec.Rules[0].HTTP.Paths[:1]
	other.Spec.Rules[0].HTTP.Paths[0].Path = "/.*/.*"
	s.Ingresses = append(s.Ingresses, other)
	_, result := renderAll(t, s)
	for what, want := range map[string]int{
		"~* \"(*LIMIT_MATCH=50)": 1000, "~* \"(*LIMIT_MATCH=20000)(?s)^/plain(/|$)(.*)\"": 1,
		"~* \"(*LIMIT_MATCH=20000)(?s)^/.*/.*\"": 1, "~* \"": 1002,
	} {
		if n := bytes.Count(result.Text, []byte(what)); n != want {
			t.Errorf("%d times %s, want %d", n, what, want)
		}
	}
}

// TestPortOfAnEndpointCannotBeRefused: an API server takes any number as the port
// of an EndpointSlice, and nginx does not.
func TestPortOfAnEndpointCannotBeRefused(t *testing.T) {
	s := fuzzSnapshot("foo.bar.com", "/", "")
	for _, list := range s.EndpointSlices {
		for _, slice := range list {
			for i := range slice.Ports {
				*slice.Ports[i].Port = 70_000
			}
		}
	}
	out, result := renderAll(t, s)
	for _, u := range out.Config.Upstreams {
		for _, server := range u.Servers {
			if server.Port == 70_000 {
				t.Errorf("%s has port %d", u.Name, server.Port)
			}
		}
	}
	testByNginx(t, t.TempDir(), result.Text)
}
