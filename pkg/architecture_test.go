package pkg_test

import (
	"encoding/json"
	"os/exec"
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
	"pkg/discovery":   {"pkg/model"},
	"pkg/annotations": {"pkg/model"},
	"pkg/settings":    {"pkg/model"},
	"pkg/render":      {"pkg/model", "templates"},
	"pkg/translate":   {"pkg/annotations", "pkg/model", "pkg/settings", "pkg/snapshot"},
	"pkg/metrics":     {"pkg/model", "pkg/nginx", "pkg/discovery"},
	"pkg/explain":     {"pkg/model", "pkg/discovery", "pkg/translate"},
}

// apiReaders are the packages that may import a client of the API.
var apiReaders = []string{"pkg/snapshot", "pkg/controller", "cmd/sidegate", "pkg/debug"}

// pure are the packages that do no I/O.
var pure = []string{"pkg/model", "pkg/annotations", "pkg/settings", "pkg/translate", "pkg/render"}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...", "../cmd/...", "../templates/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, module)
		seen[name] = true
		allowed, listed := mayImport[name]
		for _, i := range p.Imports {
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
		if !seen[name] && name != "pkg/explain" {
			t.Errorf("there is no package %s", name)
		}
	}
}
