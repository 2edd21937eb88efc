package kit_test

import (
	"errors"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/testr"

	"github.com/sidegate/sidegate/e2e/kit"
)

// plane is shared by the tests of this package: each works in a namespace of
// its own.
var plane *kit.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(kit.RunWithControlPlane(m, kit.ControlPlaneOptions{Controllers: kit.Controllers}, &plane))
}

var errNotYet = errors.New("not yet")

// newLog is a log for what may go on for a moment after the test has ended,
// when it must not write to it any more.
func newLog(t *testing.T) logr.Logger {
	return testr.NewWithInterface(quietAfter{t}, testr.Options{})
}

type quietAfter struct{ *testing.T }

func (q quietAfter) Log(args ...any) {
	if q.Context().Err() == nil {
		q.T.Log(args...)
	}
}
