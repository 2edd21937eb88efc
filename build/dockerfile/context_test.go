package dockerfile

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// An engine that builds the image has what COPY brings, and nothing else: it
// must be there, not ignored, and all that the build takes.
func TestContext(t *testing.T) {
	root, err := filepath.Abs("../..")
	must(t, err)
	sources := copied(t, root)
	for _, source := range sources {
		if _, err := os.Stat(filepath.Join(root, source)); err != nil {
			t.Errorf("COPY %s: %v", source, err)
		}
	}
	f, err := os.Open(filepath.Join(root, ".dockerignore"))
	must(t, err)
	defer f.Close()
	patterns, err := ignorefile.ReadAll(f)
	must(t, err)
	ignore, err := patternmatcher.New(patterns)
	must(t, err)
	for _, file := range append(packages(t, root), used(t, root)...) {
		covered := false
		for _, source := range sources {
			if rel, err := filepath.Rel(source, file); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
				covered = true
			}
		}
		if !covered {
			t.Errorf("the build takes %s, and no COPY brings it; there are %v", file, sources)
		}
		if ignored, err := ignore.MatchesOrParentMatches(file); err != nil || ignored {
			t.Errorf("the build takes %s, and .dockerignore leaves it out (%v)", file, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// copied are the sources of COPY that are no other stage's.
func copied(t *testing.T, root string) (out []string) {
	f, err := os.Open(filepath.Join(root, "Dockerfile"))
	must(t, err)
	defer f.Close()
	ast, err := parser.Parse(f)
	must(t, err)
	stages, _, err := instructions.Parse(ast.AST, nil)
	must(t, err)
	for _, stage := range stages {
		for _, command := range stage.Commands {
			if c, ok := command.(*instructions.CopyCommand); ok && c.From == "" {
				out = append(out, c.SourcePaths...)
			}
		}
	}
	return out
}

// packages are the folders of this project's packages that the controller is
// linked from.
func packages(t *testing.T, root string) (out []string) {
	c := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.Dir}}{{end}}{{end}}", "./cmd/sidegate")
	c.Dir = root
	list, err := c.Output()
	must(t, err)
	for dir := range strings.FieldsSeq(string(list)) {
		rel, err := filepath.Rel(root, dir)
		must(t, err)
		out = append(out, filepath.Join(rel, "any.go"))
	}
	if len(out) < 5 {
		t.Fatalf("the controller is linked from %v, want some packages", out)
	}
	return out
}

var fromRoot = regexp.MustCompile(`\$root"?/([\w./-]+)`)

// used are the files that layout.sh takes.
func used(t *testing.T, root string) []string {
	script, err := os.ReadFile(filepath.Join(root, "build/layout.sh"))
	must(t, err)
	out := []string{"build/layout.sh", "go.mod", "go.sum"}
	for _, m := range fromRoot.FindAllStringSubmatch(string(script), -1) {
		out = append(out, m[1])
	}
	if len(out) < 6 {
		t.Fatalf("layout.sh takes %v, want the script, the licence and the templates", out)
	}
	return out
}
