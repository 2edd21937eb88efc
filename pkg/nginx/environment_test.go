package nginx

import (
	"slices"
	"testing"

	"github.com/sidegate/sidegate/e2e/kit"
)

// What is measured is what runs, and a user's own setting stays.
func TestEnvironment(t *testing.T) {
	if kit.Tunables != tunables {
		t.Errorf("the test kit starts nginx with %s, want %s", kit.Tunables, tunables)
	}
	t.Setenv("GLIBC_TUNABLES", "mine")
	if env := Environment(); !slices.Contains(env, "GLIBC_TUNABLES=mine") || slices.Contains(env, tunables) {
		t.Errorf("the user's GLIBC_TUNABLES are replaced: %v", env)
	}
}
