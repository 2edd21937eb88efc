package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/settings"
)

// The reference is what the code says.
func TestReferenceIsUpToDate(t *testing.T) {
	want, err := reference(newCommand())
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	old, next := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(old), len(next)) {
		if i >= len(old) || i >= len(next) || old[i] != next[i] {
			t.Fatalf("docs/configuration.md is not up to date from line %d on: run `make docs`", i+1)
		}
	}
}

// Nothing of the tables is left out.
func TestReferenceIsWhole(t *testing.T) {
	text, err := reference(newCommand())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range annotations.Table() {
		if !bytes.Contains(text, []byte("| `"+r.Name+"` | ")) {
			t.Errorf("the annotation %s is missing", r.Name)
		}
	}
	for _, r := range settings.Table() {
		if !bytes.Contains(text, []byte("| `"+r.Name+"` | ")) {
			t.Errorf("the key %s is missing", r.Name)
		}
	}
	for _, f := range acceptedFlags {
		if !bytes.Contains(text, []byte("| `--"+f.name+"` | ")) {
			t.Errorf("the flag %s is missing", f.name)
		}
	}
	for _, metric := range []string{"| `nginx_ingress_controller_success` | counter |", "| `sidegate_endpoints` | gauge |", "| `sidegate_step_duration_seconds` | histogram | step |"} {
		if !bytes.Contains(text, []byte(metric)) {
			t.Errorf("there is no %s", metric)
		}
	}
	// What keeps requests out is not just ignored.
	if !bytes.Contains(text, []byte("| ipallowlist | `allowlist-source-range` | CIDR list | location | Medium | closed")) {
		t.Error("an allow list that does not work is not said to close the location")
	}
}

// A reason is explained if, and only if, something gives it.
func TestReasonsAreExplained(t *testing.T) {
	values := reasonConstants(t)
	given := map[string]bool{}
	for _, file := range goFiles(t, "../../pkg") {
		for name := range values {
			if bytes.Contains(file, []byte("model."+name)) {
				given[values[name]] = true
			}
		}
	}
	if got, want := slices.Sorted(maps.Keys(reasonDocs)), slices.Sorted(maps.Keys(given)); !slices.Equal(got, want) {
		t.Errorf("explained are %v, given are %v", got, want)
	}
}

// reasonConstants are those of package model, by name.
func reasonConstants(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../pkg/model/finding.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		out[spec.Names[0].Name] = strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`)
		return true
	})
	if len(out) < 10 {
		t.Fatalf("only %d reasons were found", len(out))
	}
	return out
}

// goFiles are the sources below a directory, without tests.
func goFiles(t *testing.T, root string) (out [][]byte) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		out = append(out, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
