package kit

import (
	"fmt"
	"os"
	"testing"
)

// RunWithControlPlane runs the tests of a package with one control plane for all
// of them, which is in *plane meanwhile. It returns the code to exit with.
func RunWithControlPlane(m *testing.M, options ControlPlaneOptions, plane **ControlPlane) int {
	var err error
	if *plane, err = Start(options); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := (*plane).Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
