package translate_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/translate"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The tests here give a translation what would take minutes, for which all
// others would wait. The bound is generous, for slow machines and the race
// detector; what is tried took 30 s and more each.
const tooLong = 15 * time.Second

func takesNotTooLong(t *testing.T, what string, s *snapshot.Snapshot) translate.Output {
	t.Helper()
	start := time.Now()
	out := translate.New(testOptions()).Translate(translate.Input{Snapshot: s})
	if d := time.Since(start); d > tooLong {
		t.Errorf("%s takes %v", what, d)
	}
	if other := server(t, out.Config, "other.bar.com"); other.Locations[0].Pass() == nil {
		t.Errorf("%s: the other Ingress is not served", what)
	}
	return out
}

// TestExpressionCannotHoldUpOthers: what is looked at in an expression must not
// take long, nor that of many together.
func TestExpressionCannotHoldUpOthers(t *testing.T) {
	many := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("/%d", i)+strings.Repeat("a?", 400))
		}
		return list
	}
	for what, paths := range map[string][]string{
		"repetitions": {"/" + strings.Repeat(`(a?){1000}`, 340)},
		"classes":     {"/" + strings.Repeat(`\pL?\PL?`, 340)},
		"long":        {"/" + strings.Repeat(`(a{1000})`, 380)},
		"nested":      {"/" + strings.Repeat(`(`, 900) + "b" + strings.Repeat(`)*`, 900)},
		"many":        many(1000),
	} {
		s := fuzzSnapshot("foo.bar.com", "/", "")
		ing := s.Ingresses[0]
		ing.Annotations = map[string]string{annotations.DefaultPrefix + "/use-regex": "true"}
		rule := &ing.Spec.Rules[0]
		path := rule.HTTP.Paths[0]
		rule.HTTP.Paths = nil
		for _, p := range paths {
			path.Path = p
			rule.HTTP.Paths = append(rule.HTTP.Paths, path)
		}
		// Others that share the host ask whether "/" is the path's.
		for i := range 100 {
			evil := s.Ingresses[1].DeepCopy()
			evil.Namespace, evil.Name, evil.Spec.Rules[0].Host = "evil", fmt.Sprintf("root%d", i), "foo.bar.com"
			evil.Annotations = map[string]string{annotations.DefaultPrefix + "/app-root": "/x"}
			s.Ingresses = append(s.Ingresses, evil)
		}
		takesNotTooLong(t, what, s)
	}
}

// TestSharedPathsCannotHoldUpOthers: long paths of a host that namespaces share
// are compared with each other.
func TestSharedPathsCannotHoldUpOthers(t *testing.T) {
	s := fuzzSnapshot("foo.bar.com", "/", "")
	for i := range 20 {
		evil := s.Ingresses[1].DeepCopy()
		evil.Namespace, evil.Name, evil.Spec.Rules[0].Host = "evil", fmt.Sprintf("long%d", i), "foo.bar.com"
		path := evil.Spec.Rules[0].HTTP.Paths[0]
		evil.Spec.Rules[0].HTTP.Paths = nil
		for j := range 400 {
			path.Path = "/" + strings.Repeat("a/", 1700) + fmt.Sprintf("%d-%d", i, j)
			evil.Spec.Rules[0].HTTP.Paths = append(evil.Spec.Rules[0].HTTP.Paths, path)
		}
		s.Ingresses = append(s.Ingresses, evil)
	}
	takesNotTooLong(t, "8,000 long paths", s)
}

// TestCertificateCannotHoldUpOthers: a certificate with many names, and an
// Ingress that has it in many sections for many hosts.
func TestCertificateCannotHoldUpOthers(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range 10_000 {
		names = append(names, fmt.Sprintf("n%d.elsewhere.test", i))
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names, NotAfter: time.Now().Add(time.Hour)}
	s := fuzzSnapshot("foo.bar.com", "/", "")
	ing := s.Ingresses[0]
	s.Secrets[types.NamespacedName{Namespace: "default", Name: "many"}] = secretOf(t, template, key)
	rule := ing.Spec.Rules[0]
	ing.Spec.Rules = nil
	for i := range 3000 {
		r := *rule.DeepCopy()
		r.Host = fmt.Sprintf("h%d.test", i)
		ing.Spec.Rules = append(ing.Spec.Rules, r)
		ing.Spec.TLS = append(ing.Spec.TLS, networkingv1.IngressTLS{SecretName: "many"}, networkingv1.IngressTLS{SecretName: fmt.Sprintf("no%d", i)})
	}
	takesNotTooLong(t, "6,000 sections for 3,000 hosts", s)
}

// TestKeyCannotHoldUpOthers: a key so large that to read it takes half a minute,
// or to sign with it a quarter of a second for each handshake.
func TestKeyCannotHoldUpOthers(t *testing.T) {
	small, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"foo.bar.com"}, NotAfter: time.Now().Add(time.Hour)}
	for _, bits := range []int{16_384, 1_000_000} {
		s := fuzzSnapshot("foo.bar.com", "/", "")
		secret := secretOf(t, template, small)
		secret.Data[corev1.TLSPrivateKeyKey] = largeKey(t, bits)
		s.Secrets[types.NamespacedName{Namespace: "default", Name: "large"}] = secret
		s.Ingresses[0].Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"foo.bar.com"}, SecretName: "large"}}
		out := takesNotTooLong(t, fmt.Sprintf("a key of %d bits", bits), s)
		if found := findings(out, model.ReasonCertificateInvalid); len(found) != 1 || !strings.Contains(found[0].Message, "at most 8192 bits") {
			t.Errorf("%d bits: %v", bits, found)
		}
	}
}

func secretOf(t *testing.T, template *x509.Certificate, key *ecdsa.PrivateKey) *corev1.Secret {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "cost", ResourceVersion: "1"}, Type: corev1.SecretTypeTLS, Data: map[string][]byte{
		corev1.TLSCertKey:       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		corev1.TLSPrivateKeyKey: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}}
}

// largeKey looks like an RSA key: what would tell that it is none costs the time.
func largeKey(t *testing.T, bits int) []byte {
	t.Helper()
	number := func(n int) *big.Int {
		return new(big.Int).SetBytes(append(bytes.Repeat([]byte{0xc5}, n/8-1), 0xc7))
	}
	half := number(bits / 2)
	der, err := asn1.Marshal(struct {
		Version             int
		N                   *big.Int
		E                   int
		D, P, Q, Dp, Dq, Qi *big.Int
	}{0, number(bits), 65537, number(bits), half, half, half, half, half})
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der})
}
