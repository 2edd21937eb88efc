package tenants_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

// expand fills in a file of testdata.
func (w *world) expand(file string) []byte {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		w.t.Fatal(err)
	}
	t, err := template.New(file).Delims("[[", "]]").Funcs(template.FuncMap{
		// repeat is a text N times.
		"repeat": strings.Repeat,
		// labels is a DNS name of N letters, one of CHARACTER.
		"labels": longName,
		// certificate is the data of a Secret of type kubernetes.io/tls.
		"certificate": w.certificate,
		// count is the numbers below N.
		"count": func(n int) []int {
			numbers := make([]int, n)
			for i := range numbers {
				numbers[i] = i
			}
			return numbers
		},
		"list":   func(words ...string) []string { return words },
		"base64": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	}).Parse(string(text))
	if err != nil {
		w.t.Fatal(err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, nil); err != nil {
		w.t.Fatal(err)
	}
	return out.Bytes()
}

// longName is a DNS name of n characters.
func longName(character string, n int) string {
	name := strings.Repeat(strings.Repeat(character, 60)+".", n/61+1)[:n]
	if strings.HasSuffix(name, ".") {
		name = name[:n-1] + character
	}
	return name
}

// keyPair is a certificate and its key in PEM.
type keyPair struct{ certificate, key []byte }

func (w *world) keyPair(host string) keyPair {
	if pair, ok := w.certificates[host]; ok {
		return pair
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	common := host[:min(len(host), 64)]
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: common}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		w.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		w.t.Fatal(err)
	}
	pair := keyPair{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}
	w.certificates[host] = pair
	return pair
}

func (w *world) certificate(host string) string {
	pair := w.keyPair(host)
	return "{tls.crt: " + base64.StdEncoding.EncodeToString(pair.certificate) + ", tls.key: " + base64.StdEncoding.EncodeToString(pair.key) + "}"
}
