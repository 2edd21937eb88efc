package kit_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/sidegate/sidegate/e2e/kit"
)

// plane is shared by the tests of this package: each works in a namespace of
// its own.
var plane *kit.ControlPlane

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	plane, err = kit.Start(kit.ControlPlaneOptions{Controllers: kit.Controllers})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := plane.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
