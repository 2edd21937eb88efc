package translate

import (
	"bytes"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/sidegate/sidegate/pkg/model"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
)

// defaultCertificate is the live file for hosts without a certificate.
const defaultCertificate model.Ident = "default.pem"

// maxRSA is the size of the largest RSA key, in bits. nginx signs with it in the
// worker that serves others too, for each handshake: 4 ms with 4096 bits, 40 ms
// with 8192, 240 ms with 16384 (OpenSSL 3.5 on a slow core), and eight times as
// much with each doubling.
const maxRSA = 8192

// maxKey is the size of the largest private key, in bytes. An RSA key is written
// as numbers of four and a half times its own size together.
const maxKey = maxRSA / 8 * 5

var tooLarge = fmt.Sprintf("must hold a private key that costs no handshake too much: an RSA key may have at most %d bits", maxRSA)

// keyFits tells whether the first private key is not too large to be read.
func keyFits(text []byte) bool {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return true // what is no key is refused by who reads it
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return len(block.Bytes) <= maxKey
		}
		text = rest
	}
}

// parsedCertificate is a Secret's key and chain, or what is wrong with it.
type parsedCertificate struct {
	pem  model.Redacted
	leaf *x509.Certificate
	told *model.Leaf
	// listed are its DNS names, in small letters.
	listed map[string]bool
	fault  string
}

// chooseCertificates finds the certificate of every host.
func chooseCertificates(b *build) {
	b.fillDefaultCertificate()
	for _, name := range slices.Sorted(maps.Keys(b.hosts)) {
		if h := b.hosts[name]; name != model.CatchAll {
			b.certify(h)
		}
	}
	slices.SortFunc(b.config.Certificates, func(x, y model.Certificate) int { return strings.Compare(x.Host, y.Host) })
	b.config.HTTP.TLS.CertificateCache = certificateCache(len(b.config.Certificates))
}

// certificateCache is the size of a worker's cache for n certificates. It
// grows by doubling, so that one more certificate does not change what is
// common to all servers.
func certificateCache(n int) int {
	size := 1024
	for size < 2*n {
		size *= 2
	}
	return size
}

// certified tells whether a certificate of an Ingress can answer for the host:
// its own, or that of a wildcard host above it.
func (b *build) certified(host string) bool {
	if host == model.CatchAll {
		return len(b.config.Certificates) > 0
	}
	for name, found := host, true; found; _, name, found = strings.Cut(strings.TrimPrefix(name, "*."), ".") {
		if name != host {
			name = "*." + name
		}
		if _, ok := slices.BinarySearchFunc(b.config.Certificates, name, func(c model.Certificate, want string) int {
			return strings.Compare(c.Host, want)
		}); ok {
			return true
		}
	}
	return false
}

func (b *build) fillDefaultCertificate() {
	b.config.HTTP.TLS.Default = defaultCertificate
	b.files[defaultCertificate] = b.options.SelfSigned
	ref := b.options.DefaultCertificate
	if ref.Name == "" {
		return
	}
	object := model.Object{Kind: "Secret", Namespace: ref.Namespace, Name: ref.Name}
	cert := b.certificate(ref)
	if cert.fault != "" {
		b.report(object, model.Error, model.ReasonCertificateInvalid, "", "",
			"the Secret of --default-ssl-certificate %s; the self-signed certificate is used", cert.fault)
		return
	}
	b.files[defaultCertificate] = cert.pem
	b.config.HTTP.TLS.DefaultLeaf = cert.told
	b.judge(object, "", "", cert)
}

// certify gives the host the certificate of the first of its Ingresses that
// has a usable one.
func (b *build) certify(h *host) {
	for _, ing := range h.ingresses {
		section, field := b.tlsSection(ing, h.name)
		if section == nil {
			continue
		}
		if section.SecretName == "" {
			// The user asks for TLS with the default certificate.
			h.certificate = true
			return
		}
		ref := ing.local(section.SecretName)
		cert := b.certificate(ref)
		if cert.fault != "" {
			reason := model.ReasonCertificateInvalid
			if _, ok := b.Snapshot.Secrets[ref]; !ok {
				reason = model.ReasonCertificateMissing
			}
			b.report(ing.object, model.Error, reason, field+".secretName", section.SecretName,
				"the Secret %s; host %s answers with the default certificate", cert.fault, h.name)
			continue
		}
		b.judge(ing.object, field+".secretName", h.name, cert)
		file := secretFile(ref, certificateFile)
		b.files[file] = cert.pem
		b.config.Certificates = append(b.config.Certificates, model.Certificate{Host: h.name, File: file, Leaf: cert.told})
		h.certificate = true
		return
	}
}

// tlsSections are those of an Ingress by what they are looked up for: there may
// be as many of them as hosts.
type tlsSections struct {
	// byHost has the first section that names the host, usable the first one of
	// each Secret that holds a certificate.
	byHost map[string]int
	usable []int
}

func (b *build) tlsSections(ing *ingress) *tlsSections {
	if ing.tls != nil {
		return ing.tls
	}
	ing.tls = &tlsSections{byHost: map[string]int{}}
	secrets := map[string]bool{"": true}
	for i, section := range ing.Spec.TLS {
		for _, host := range section.Hosts {
			if _, ok := ing.tls.byHost[host]; !ok {
				ing.tls.byHost[host] = i
			}
		}
		if secrets[section.SecretName] {
			continue
		}
		secrets[section.SecretName] = true
		if b.certificate(ing.local(section.SecretName)).fault == "" {
			ing.tls.usable = append(ing.tls.usable, i)
		}
	}
	return ing.tls
}

// tlsSection finds the section of the Ingress that is for the host: the one
// that names it, or else one whose certificate does.
func (b *build) tlsSection(ing *ingress, host string) (*networkingv1.IngressTLS, string) {
	sections := b.tlsSections(ing)
	i, ok := sections.byHost[host]
	if !ok {
		n := slices.IndexFunc(sections.usable, func(i int) bool {
			return b.certificate(ing.local(ing.Spec.TLS[i].SecretName)).names(host)
		})
		if n < 0 {
			return nil, ""
		}
		i = sections.usable[n]
	}
	return &ing.Spec.TLS[i], fmt.Sprintf("spec.tls[%d]", i)
}

// names tells whether the certificate is for the host. A wildcard host is not a
// name that can be verified, but can be listed.
func (c parsedCertificate) names(host string) bool {
	if c.listed[host] {
		return true
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return c.leaf.VerifyHostname(host) == nil
	}
	_, parent, ok := strings.Cut(host, ".")
	return ok && !strings.HasPrefix(host, "*.") && c.listed["*."+parent]
}

// judge reports what is wrong with a certificate that is served all the same.
func (b *build) judge(object model.Object, field, host string, cert parsedCertificate) {
	now := b.Snapshot.Time
	switch {
	case now.After(cert.leaf.NotAfter):
		b.report(object, model.Warning, model.ReasonCertificateExpired, field, "",
			"the certificate expired on %s; it is served all the same", cert.leaf.NotAfter.UTC().Format("2006-01-02 15:04:05 MST"))
	case now.Before(cert.leaf.NotBefore):
		b.report(object, model.Warning, model.ReasonCertificateExpired, field, "",
			"the certificate is not valid before %s; it is served all the same", cert.leaf.NotBefore.UTC().Format("2006-01-02 15:04:05 MST"))
	}
	if host != "" && !cert.names(host) {
		b.report(object, model.Warning, model.ReasonCertificateHost, field, "",
			"the certificate does not name the host %s (it names %s); it is served all the same", host, model.Clip(strings.Join(cert.leaf.DNSNames[:min(10, len(cert.leaf.DNSNames))], ", ")))
	}
}

// certificate reads a Secret.
func (b *build) certificate(ref types.NamespacedName) parsedCertificate {
	secret, fault := b.Snapshot.Secret(ref)
	if secret == nil {
		return parsedCertificate{fault: ref.String() + " " + fault}
	}
	return recall(b.memo.certificates, b.memo.oldCertificates, secret, func() parsedCertificate {
		parsed := parseCertificate(secret)
		if parsed.fault != "" {
			parsed.fault = ref.String() + " " + parsed.fault
		}
		return parsed
	})
}

// parseCertificate reads the key and the chain, and writes them anew, so that
// nothing else that the Secret holds gets into a file that nginx reads.
func parseCertificate(secret *corev1.Secret) parsedCertificate {
	chain, key := secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey]
	switch {
	case secret.Type != corev1.SecretTypeTLS:
		return parsedCertificate{fault: "must be of type kubernetes.io/tls, not " + model.Clip(string(secret.Type))}
	case len(chain) == 0:
		return parsedCertificate{fault: "must hold a certificate under the key tls.crt"}
	case len(key) == 0:
		return parsedCertificate{fault: "must hold a private key under the key tls.key"}
	}
	// Looked at before the key is read, which takes time that grows with the square
	// of its size.
	if !keyFits(key) {
		return parsedCertificate{fault: tooLarge}
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return parsedCertificate{fault: "must hold a certificate and the private key that belongs to it: " + strings.TrimPrefix(err.Error(), "tls: ")}
	}
	if key, ok := pair.Leaf.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > maxRSA {
		return parsedCertificate{fault: tooLarge}
	}
	var out bytes.Buffer
	for _, der := range pair.Certificate {
		if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			return parsedCertificate{fault: "cannot be written: " + err.Error()}
		}
	}
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return parsedCertificate{fault: "must hold a private key that can be written as PKCS #8: " + err.Error()}
	}
	if err := pem.Encode(&out, &pem.Block{Type: "PRIVATE KEY", Bytes: der}); err != nil {
		return parsedCertificate{fault: "cannot be written: " + err.Error()}
	}
	listed := make(map[string]bool, len(pair.Leaf.DNSNames))
	for _, name := range pair.Leaf.DNSNames {
		listed[strings.ToLower(name)] = true
	}
	return parsedCertificate{pem: out.Bytes(), leaf: pair.Leaf, told: describe(pair.Leaf, secret), listed: listed}
}

func describe(leaf *x509.Certificate, secret *corev1.Secret) *model.Leaf {
	organization := ""
	if len(leaf.Issuer.Organization) > 0 {
		organization = leaf.Issuer.Organization[0]
	}
	return &model.Leaf{
		Namespace: secret.Namespace, Secret: secret.Name, NotAfter: leaf.NotAfter, SerialNumber: leaf.SerialNumber.String(),
		IssuerOrganization: organization, IssuerCommonName: leaf.Issuer.CommonName, PublicKeyAlgorithm: leaf.PublicKeyAlgorithm.String(),
	}
}
