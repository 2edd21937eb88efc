package walkthrough

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	secureHost = "secure.bar.com"
	plainHost  = "plain.bar.com"
	forcedHost = "forced.bar.com"
)

func secure(r *run) error {
	first, err := r.certificate(secureHost, plainHost)
	if err != nil {
		return err
	}
	if err := r.apply("04-tls.yaml"); err != nil {
		return err
	}
	onTLS := request{https: true, host: secureHost, path: "/app"}
	r.expect(onTLS, "200 by HTTP/2, the certificate of the Secret, HSTS", func(a answer) bool {
		return isOK(a) && a.echo != nil && a.proto == "HTTP/2.0" && bytes.Equal(a.cert.Raw, first) &&
			strings.HasPrefix(a.header.Get("Strict-Transport-Security"), "max-age=")
	})
	r.expect(request{host: secureHost, path: "/app?x=1"}, "308 to https", redirect("https://"+secureHost+"/app?x=1"))
	r.expect(request{host: plainHost, path: "/app"}, "200: ssl-redirect is off", isOK)
	r.expect(request{host: plainHost, path: "/app", https: true}, "200, the certificate of the Secret", func(a answer) bool {
		return isOK(a) && bytes.Equal(a.cert.Raw, first)
	})
	r.expect(request{host: forcedHost, path: "/app"}, "308 to https, without a certificate", redirect("https://"+forcedHost+"/app"))
	r.expect(request{host: anyHost, path: "/", https: true}, "not the certificate of another host", func(a answer) bool {
		return !bytes.Equal(a.cert.Raw, first)
	})

	// nginx serves a generation a moment before it is confirmed and counted.
	r.look(page{"config", ""}, "the live nginx.conf, with the three hosts", func(page []byte) verdict {
		n := 0
		for _, host := range []string{secureHost, plainHost, forcedHost} {
			if bytes.Contains(page, []byte(host)) {
				n++
			}
		}
		return verdict{fmt.Sprintf("%d bytes with %d of them", len(page), n), n == 3}
	})
	before, err := r.reloads()
	if err != nil {
		return err
	}
	second, err := r.certificate(secureHost, plainHost)
	if err != nil {
		return err
	}
	r.expect(onTLS, "200, the new certificate of the Secret", func(a answer) bool {
		return isOK(a) && bytes.Equal(a.cert.Raw, second)
	})
	return r.checkReloads("renewing the certificate", before)
}

// redirect is right about an answer 308 to a place.
func redirect(to string) func(answer) bool {
	return func(a answer) bool {
		return a.status == http.StatusPermanentRedirect && a.header.Get("Location") == to
	}
}

// certificate makes a certificate for some hosts, puts it in the Secret that
// the manifests name, and returns it in DER.
func (r *run) certificate(hosts ...string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: hosts[0]},
		DNSNames:     hosts,
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(0, 0, 30),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "bar-com"}}
	data := map[string][]byte{
		corev1.TLSCertKey:       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		corev1.TLSPrivateKeyKey: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}
	if !r.onCluster() {
		again := r.Directory.has(secret)
		secret.Type, secret.Data = corev1.SecretTypeTLS, data
		if err := r.Directory.put(secret); err != nil {
			return nil, err
		}
		if again {
			r.did("a new key and certificate are in the Secret bar-com")
		} else {
			r.did("kubectl create secret tls bar-com … --dry-run=client -o yaml > %s/%s (for %s)", r.Directory, secretFile(secret), strings.Join(hosts, " and "))
		}
		return der, nil
	}
	switch err := r.Client.Get(r.ctx, client.ObjectKeyFromObject(secret), secret); {
	case err == nil:
		secret.Data = data
		if err := r.Client.Update(r.ctx, secret); err != nil {
			return nil, err
		}
		r.did("a new key and certificate are in the Secret bar-com")
	case client.IgnoreNotFound(err) == nil:
		secret.Type, secret.Data = corev1.SecretTypeTLS, data
		if err := r.Client.Create(r.ctx, secret); err != nil {
			return nil, err
		}
		r.did("kubectl create secret tls bar-com … (for %s)", strings.Join(hosts, " and "))
	default:
		return nil, err
	}
	return der, nil
}
