package pkg_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sidegate/sidegate/"

// mayImport says which of our packages a package may import: data flows one
// way. What is not listed may import all.
var mayImport = map[string][]string{
	"pkg/model":       {},
	"pkg/snapshot":    {},
	"pkg/nginx":       {},
	"pkg/echo":        {},
	"pkg/standin":     {"pkg/echo", "pkg/snapshot"},
	"pkg/discovery":   {"pkg/model"},
	"pkg/annotations": {"pkg/model"},
	"pkg/settings":    {"pkg/model"},
	"pkg/layout":      {"pkg/model"},
	"pkg/render":      {"pkg/layout", "pkg/model", "templates"},
	"pkg/translate":   {"pkg/annotations", "pkg/model", "pkg/settings", "pkg/snapshot"},
	"pkg/metrics":     {"pkg/model", "pkg/nginx", "pkg/discovery"},
	"pkg/debug":       {"pkg/model", "pkg/nginx", "pkg/discovery", "pkg/explain", "pkg/sidedoor"},
	"pkg/sidedoor":    {},
	"pkg/status":      {},
	"pkg/events":      {"pkg/model"},
	"pkg/held":        {"pkg/model"},
	"pkg/explain":     {"pkg/layout", "pkg/model", "pkg/discovery", "pkg/translate"},
}

// apiReaders are the packages that may import a client of the API.
var apiReaders = []string{"pkg/snapshot", "pkg/status", "pkg/events", "pkg/held", "pkg/controller", "cmd/sidegate"}

// pure are the packages that do no I/O.
var pure = []string{"pkg/model", "pkg/annotations", "pkg/settings", "pkg/translate", "pkg/layout", "pkg/render"}

func TestImports(t *testing.T) {
	packages := imports(t)
	for name, imported := range packages {
		allowed, listed := mayImport[name]
		for _, i := range imported {
			ours, isOurs := strings.CutPrefix(i, module)
			switch {
			case isOurs && strings.HasPrefix(ours, "e2e/"):
				t.Errorf("%s imports %s, which is for tests", name, ours)
			case isOurs && listed && !slices.Contains(allowed, ours):
				t.Errorf("%s imports %s; it may import %v", name, ours, allowed)
			case strings.HasPrefix(i, "k8s.io/client-go") && i != "k8s.io/client-go/kubernetes/scheme" && !slices.Contains(apiReaders, name),
				strings.HasPrefix(i, "sigs.k8s.io/controller-runtime") && !slices.Contains(apiReaders, name):
				t.Errorf("%s imports %s; only %v talk to the API", name, i, apiReaders)
			case slices.Contains(pure, name) && slices.Contains([]string{"os", "net", "net/http", "os/exec"}, i):
				t.Errorf("%s imports %s, and does no I/O", name, i)
			}
		}
	}
	for name := range mayImport {
		if packages[name] == nil {
			t.Errorf("there is no package %s", name)
		}
	}
}

// imports are what each package imports, tests left out. The files are read here
// and not by "go list", so that go knows when this test must run again.
func imports(t *testing.T) map[string][]string {
	out := map[string][]string{}
	for _, root := range []string{"../pkg", "../cmd", "../templates"} {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ImportsOnly)
			if err != nil {
				return err
			}
			name := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
			out[name] = append(out[name], "") // a package without imports is one, too
			for _, i := range file.Imports {
				out[name] = append(out[name], strings.Trim(i.Path.Value, `"`))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}
