package debug_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/debug"
	"github.com/sidegate/sidegate/pkg/discovery"
	"github.com/sidegate/sidegate/pkg/layout"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/sidegate/sidegate/pkg/render"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/translate"
)

// view is what a controller has made of testdata.
type view struct {
	state    debug.State
	table    *discovery.Table
	rejected bool
}

func (v *view) State() debug.State           { return v.state }
func (v *view) Endpoints() []discovery.State { return v.table.States() }

func (v *view) Generation(id string) ([]byte, error) {
	if id == "" || !strings.HasPrefix(v.state.ID, id) {
		return nil, errors.New("0 generations on disk begin with " + id)
	}
	return v.state.Text, nil
}

func (v *view) Rejected() (text, message []byte, err error) {
	if !v.rejected {
		return nil, nil, os.ErrNotExist
	}
	return v.state.Text, []byte("unknown directive \"x\"\nin nginx.conf:1\n"), nil
}

// password is the hash that the manifests' users have.
const password = "$apr1$ZjTqBB3f$IF9gdYAGlMrs2fuINjHsz."

// newView translates and renders testdata, with a real key.
func newView(t *testing.T) (v *view, chain, key []byte) {
	t.Helper()
	chain, key = certificate(t, "secure.example.com")
	text, err := os.ReadFile("testdata/manifests.yaml")
	if err != nil {
		t.Fatal(err)
	}
	indent := func(pem []byte) string { return strings.ReplaceAll(strings.TrimSpace(string(pem)), "\n", "\n    ") }
	manifests := strings.NewReplacer("CHAIN", indent(chain), "KEY", indent(key), "PASSWORD", password).Replace(string(text))
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/manifests.yaml", []byte(manifests), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Dir{Path: dir, Classes: snapshot.Classes{Controller: "k8s.io/ingress-nginx", Class: "nginx"}}.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := translate.New(translate.Options{
		AnnotationPrefixes: []string{annotations.DefaultPrefix}, SelfSigned: append(chain[:len(chain):len(chain)], key...),
		HTTPPort: 80, HTTPSPort: 443, Directory: "/run/nginx", SecretsDirectory: "/run/secrets", LogDirectory: "/var/log/nginx",
		PIDFile: "/run/nginx/nginx.pid", Resolvers: []string{"127.0.0.1:10530"},
	}).Translate(translate.Input{Snapshot: s})
	renderer, err := render.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	result, err := renderer.Render(layout.Of(out.Config))
	if err != nil {
		t.Fatal(err)
	}
	v = &view{table: discovery.NewTable(nil)}
	v.table.MarkSynced()
	v.table.Set(map[string]discovery.Record{
		"8080.app.default.sg": {Addrs: []netip.Addr{netip.MustParseAddr("198.51.100.7")}},
		"8081.old.default.sg": {Marker: true},
	})
	v.state = debug.State{
		ID: result.ID, Text: result.Text, Config: out.Config, Confirmed: true, Findings: out.Findings,
		Generations: []debug.Generation{
			{ID: "ffff", Time: time.Unix(3, 0).UTC(), Why: "Ingress default/worse", Outcome: "refused", Error: "unknown directive"},
			{ID: result.ID, Time: time.Unix(2, 0).UTC(), Why: "start", Outcome: "confirmed", Steps: []nginx.Step{
				{Name: "translate", Duration: 1500 * time.Microsecond}, {Name: "reload", Duration: 2 * time.Second},
			}},
			{ID: result.ID, Time: time.Unix(1, 0).UTC(), Why: "start", Outcome: "published"},
		},
	}
	return v, chain, key
}

func certificate(t *testing.T, host string) (chain, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// holds tells whether the model has the bytes that no page may show.
func holds(c *model.Config, secret string) bool {
	for _, f := range c.Files {
		if strings.Contains(string([]byte(f.Data)), secret) {
			return true
		}
	}
	return false
}
