package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// selfSignedFile begins with a dot, so that it is not taken for a live file,
// which is removed when no configuration names it.
const selfSignedFile = ".self-signed.pem"

// selfSignedLeft is how long a certificate must be valid still to be kept.
const selfSignedLeft = 30 * 24 * time.Hour

// selfSigned returns the certificate for hosts without one. It is made once
// and kept, so that a restart changes nothing; one that is broken or about to
// expire is replaced.
func selfSigned(dir string, now time.Time) ([]byte, error) {
	file := filepath.Join(dir, selfSignedFile)
	if data, err := os.ReadFile(file); err == nil && usable(data, now) {
		return data, nil
	}
	data, err := newSelfSigned(now)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	temp, err := os.CreateTemp(dir, ".new-") // mode 0600; what a crash leaves is pruned
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone after the rename
	_, err = temp.Write(data)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		return nil, fmt.Errorf("the certificate for hosts without one cannot be kept in %s: %w", file, err)
	}
	return data, nil
}

// usable tells whether the file holds a certificate with its key that is valid
// for some time to come.
func usable(data []byte, now time.Time) bool {
	pair, err := tls.X509KeyPair(data, data)
	return err == nil && pair.Leaf != nil && now.After(pair.Leaf.NotBefore) && now.Add(selfSignedLeft).Before(pair.Leaf.NotAfter)
}

func newSelfSigned(now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"Sidegate"}, CommonName: "Sidegate Default Certificate"},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"ingress.local"}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), nil
}
