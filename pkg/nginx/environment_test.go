package nginx

import (
	"slices"
	"testing"
)

func TestTestEnvironment(t *testing.T) {
	t.Setenv("GLIBC_TUNABLES", "mine")
	if env := testEnvironment(); !slices.Contains(env, "GLIBC_TUNABLES=mine") || slices.Contains(env, tunables) {
		t.Errorf("the user's GLIBC_TUNABLES are replaced: %v", env)
	}
}
