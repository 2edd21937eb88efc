package translate_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/sidegate/sidegate/pkg/layout"
	"github.com/sidegate/sidegate/pkg/render"
	"github.com/sidegate/sidegate/pkg/snapshot"
	"github.com/sidegate/sidegate/pkg/translate"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/types"
)

// Go hands out maps in another order each time. Whatever the cases hold, no
// rendered text and no finding depends on it.
func TestNothingDependsOnMapOrder(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if f.Name == "manifests.yaml" {
				if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)+".yaml"), f.Data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	source := snapshot.Dir{Path: dir, Classes: snapshot.Classes{Class: "nginx"}, ConfigMap: types.NamespacedName{Namespace: "default", Name: "settings"}}
	var first string
	for range 30 {
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
		text := string(result.Text) + fmt.Sprint(out.Findings)
		if first == "" {
			first = text
		}
		if text != first {
			t.Fatal("the same manifests gave another text")
		}
	}
}
