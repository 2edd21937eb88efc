package translate_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/layout"
	"github.com/sidegate/sidegate/pkg/render"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/translate"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/types"
)

var update = flag.Bool("update", false, "write the golden parts of testdata anew")

// A golden case is one file: manifests, and what they make: findings and the
// parts of nginx.conf that are theirs. What all have in common is in one case
// only. nginx itself tests the whole of it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	source := snapshot.Dir{
		Path:      filepath.Join(dir, "manifests"),
		Classes:   snapshot.Classes{Controller: "k8s.io/ingress-nginx", Class: "nginx"},
		ConfigMap: types.NamespacedName{Namespace: "default", Name: "settings"},
	}
	if err := os.Mkdir(source.Path, 0o755); err != nil {
		t.Fatal(err)
	}
	whole := false
	for _, f := range archive.Files {
		switch {
		case f.Name == "whole.conf":
			whole = true
		case strings.HasSuffix(f.Name, ".yaml"):
			if err := os.WriteFile(filepath.Join(source.Path, f.Name), f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	snap, err := source.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out := newTranslator().Translate(translate.Input{Snapshot: snap})
	renderer, err := render.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	result, err := renderer.Render(layout.Of(out.Config))
	if err != nil {
		t.Fatal(err)
	}
	testByNginx(t, dir, result.Text)

	var findings strings.Builder
	for _, f := range out.Findings {
		fmt.Fprintf(&findings, "%s: %s\n", f.Severity, f)
	}
	got := map[string]string{"findings": findings.String()}
	if whole {
		got["whole.conf"] = string(result.Text)
	} else {
		got["nginx.conf"] = ownParts(result, strings.HasSuffix(file, "catch-all.txtar"))
	}
	compare(t, file, archive, got)
}

// newTranslator has the options of every case.
func newTranslator() *translate.Translator {
	return translate.New(testOptions())
}

func testOptions() translate.Options {
	return translate.Options{
		AnnotationPrefixes: []string{annotations.DefaultPrefix, annotations.LegacyPrefix},
		SelfSigned:         []byte("self-signed"),
		HTTPPort:           80, HTTPSPort: 443, IPv6: true,
		Directory: "/etc/nginx/sidegate", SecretsDirectory: "/etc/nginx/sidegate/secrets", LogDirectory: "/var/log/nginx",
		PIDFile: "/run/nginx.pid", Resolvers: []string{"127.0.0.1:10530"}, ClusterResolvers: []string{"10.96.0.10"},
	}
}

// ownParts are the upstreams and servers but for the catch-all, unless that
// is what the case is about.
func ownParts(r *render.Result, catchAll bool) string {
	var b strings.Builder
	for _, p := range r.Parts {
		if p.Name != "_" || catchAll {
			b.WriteString(r.PartText(p))
		}
	}
	return b.String()
}

func compare(t *testing.T, file string, archive *txtar.Archive, got map[string]string) {
	t.Helper()
	changed := false
	for _, name := range []string{"findings", "nginx.conf", "whole.conf"} {
		text, ok := got[name]
		if !ok {
			continue
		}
		found := false
		for i := range archive.Files {
			f := &archive.Files[i]
			if f.Name != name {
				continue
			}
			found = true
			if diff := cmp.Diff(string(f.Data), text); diff != "" && !*update {
				t.Errorf("%s differs (-want +got):\n%s", name, diff)
			}
			changed = changed || string(f.Data) != text
			f.Data = []byte(text)
		}
		if !found {
			if !*update {
				t.Errorf("the case has no part %s; -update writes it", name)
			}
			archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(text)})
			changed = true
		}
	}
	if *update && changed {
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// testByNginx has the real nginx read the configuration, with the paths of
// the case's own directory and ports that need no privilege.
func testByNginx(t *testing.T, dir string, text []byte) {
	t.Helper()
	run, err := os.MkdirTemp("", "sg") // sockets need a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(run) })
	for old, replacement := range map[string]string{
		"/etc/nginx/sidegate/run": run, "/var/log/nginx": run, "/run/nginx.pid": run + "/pid",
		"[::]:80": "[::1]:18080", "[::]:443": "[::1]:18443", "listen 80": "listen 127.0.0.1:18080", "listen 443": "listen 127.0.0.1:18443",
	} {
		text = bytes.ReplaceAll(text, []byte(old), []byte(replacement))
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(kit.Nginx(t), "-t", "-c", file).CombinedOutput(); err != nil {
		t.Errorf("nginx refuses it: %s", out)
	}
}
