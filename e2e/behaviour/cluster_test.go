package behaviour

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/pkg/echo"
)

// cluster is what all fixtures share: pods, a name server, and Secrets.
type cluster struct {
	pods    map[string]netip.Addr
	dead    netip.Addr
	secrets string
	self    []byte
	replace *strings.Replacer
}

// startCluster starts the pods, which answer at ports 8080 and 9090, IPv4 and
// IPv6, and "page", a default backend.
func startCluster(t *testing.T) *cluster {
	kit.RequireNetns(t)
	block, err := kit.ReserveBlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = block.Close() })
	c := &cluster{pods: map[string]netip.Addr{}}
	var replacements []string
	for _, name := range []string{"pod1", "pod2", "pod3", "page"} {
		server := &echo.Server{Pod: name, Namespace: "default"}
		if name == "page" {
			server.Mode = echo.DefaultBackend
		}
		ip := take(t, block)
		c.pods[name] = ip
		serve(t, server, ip)
		replacements = append(replacements, "${"+name+"}", ip.String(), "${"+name+"v6}", kit.IPv6(ip).String())
	}
	c.dead = take(t, block)
	// nginx's cookie for an endpoint is the md5 of its address.
	deadCookie := fmt.Sprintf("%x", md5.Sum([]byte(c.dead.String()+":8080")))
	c.replace = strings.NewReplacer(append(replacements, "${dead}", c.dead.String(), "${dead-md5}", deadCookie)...)
	kit.ServeNames(t, map[string]netip.Addr{
		"pod1.outside.test.": c.pods["pod1"], "loopback.outside.test.": netip.MustParseAddr("127.0.0.1"),
		"metadata.outside.test.": netip.MustParseAddr("169.254.169.254"), "shop.com.sg.": c.pods["pod2"],
		// All of this network is this machine's, so nginx listens there too.
		"nginx.outside.test.": netip.MustParseAddr("198.19.7.7"),
	})
	c.makeSecrets(t)
	return c
}

func take(t *testing.T, block *kit.Block) netip.Addr {
	ip, err := block.Take()
	if err != nil {
		t.Fatal(err)
	}
	return ip
}

func serve(t *testing.T, server *echo.Server, ip netip.Addr) {
	var listeners []net.Listener
	for _, address := range []netip.Addr{ip, kit.IPv6(ip)} {
		for _, port := range []uint16{8080, 9090} {
			l, err := net.Listen("tcp", netip.AddrPortFrom(address, port).String())
			if err != nil {
				t.Fatal(err)
			}
			listeners = append(listeners, l)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, listeners...) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// makeSecrets makes the certificates that fixtures name.
func (c *cluster) makeSecrets(t *testing.T) {
	now := time.Now()
	day := 24 * time.Hour
	key := newKey(t)
	self, private := certificate(t, "self-signed", nil, key, now.Add(-day), now.Add(day))
	c.self = append(self, private...)
	secret := func(name, kind string, cert, key []byte) {
		c.secrets += fmt.Sprintf("---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s}\ntype: %s\ndata: {tls.crt: %s, tls.key: %s}\n", name, kind,
			base64.StdEncoding.EncodeToString(cert), base64.StdEncoding.EncodeToString(key))
	}
	for _, s := range []struct {
		name       string
		hosts      []string
		begin, end time.Time
	}{
		{"secure", []string{"secure.example.com", "also.example.com"}, now.Add(-day), now.Add(60 * day)},
		{"wildcard", []string{"*.wild.example.com"}, now.Add(-day), now.Add(60 * day)},
		{"expired", []string{"expired.example.com"}, now.Add(-2 * day), now.Add(-day)},
		{"early", []string{"early.example.com"}, now.Add(day), now.Add(2 * day)},
	} {
		cert, private := certificate(t, s.name, s.hosts, newKey(t), s.begin, s.end)
		secret(s.name, "kubernetes.io/tls", cert, private)
		if s.name == "secure" {
			_, other := certificate(t, "other", nil, newKey(t), s.begin, s.end)
			secret("mismatch", "kubernetes.io/tls", cert, other)
			secret("opaque", "Opaque", cert, private)
		}
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func certificate(t *testing.T, name string, hosts []string, key *ecdsa.PrivateKey, begin, end time.Time) (cert, private []byte) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: hosts,
		NotBefore: begin, NotAfter: end, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}
