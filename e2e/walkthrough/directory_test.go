package walkthrough_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	manifests "github.com/sidegate/sidegate/examples/walkthrough"

	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/e2e/walkthrough"
)

// TestWalkthroughWithoutCluster plays the story that `make demo` shows: on a
// directory of manifests, with the built-in echo instead of pods.
func TestWalkthroughWithoutCluster(t *testing.T) {
	// A short path: the sockets of nginx are below it.
	dir, err := os.MkdirTemp("", "sg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	world := &walkthrough.Local{Options: kit.ServeOptions{
		Dir: dir, Manifests: filepath.Join(dir, "manifests"), Sidegate: kit.Binary(t, "sidegate"), Nginx: kit.Nginx(t),
	}}
	t.Cleanup(func() {
		if err := world.Stop(); err != nil {
			t.Error(err)
		}
	})
	r := &counting{reporter: reporter{t}}
	if err := walkthrough.Play(t.Context(), world.Env(manifests.Files), r); err != nil {
		t.Fatal(err)
	}
	if r.checks < 40 {
		t.Errorf("%d checks: want those of all steps that need no API server", r.checks)
	}
	if _, err := world.Ask(context.Background(), "dump", "findings"); err != nil {
		t.Error(err)
	}
}

// counting counts the checks.
type counting struct {
	reporter
	checks int
}

func (c *counting) Check(check walkthrough.Check) {
	c.checks++
	c.reporter.Check(check)
}
