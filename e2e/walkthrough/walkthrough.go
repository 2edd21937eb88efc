package walkthrough

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sidegate/sidegate/e2e/kit"
)

// Env is where the walkthrough is played.
type Env struct {
	// Client may do everything in the cluster. Without a cluster it is nil, and
	// Directory is where the manifests are.
	Client    client.Client
	Directory Directory
	// Manifests are those of examples/walkthrough.
	Manifests fs.FS
	// HTTP and HTTPS are where the entry point answers, as HOST:PORT.
	HTTP, HTTPS string
	// Install installs what 01-install.yaml has and the controller, with these
	// settings, or changes the settings of what is installed. It returns when
	// the controller is ready, and what was done in the words of a user.
	Install func(context.Context, Settings) (did string, err error)
	// Health is where the controller that runs now answers (healthz, readyz,
	// metrics), as HOST:PORT.
	Health func(context.Context) (string, error)
	// Debug fetches a page of its debug endpoint: /debug/config.
	Debug func(ctx context.Context, page string) ([]byte, error)
	// Ask runs a subcommand of sidegate that asks the running one, and returns
	// what it prints. It is used instead of Health and Debug where it is there.
	Ask func(ctx context.Context, args ...string) ([]byte, error)
}

// Apply applies one of Manifests.
func (e *Env) Apply(ctx context.Context, file string) error {
	_, err := e.apply(ctx, file)
	return err
}

func (e *Env) apply(ctx context.Context, file string) (did string, err error) {
	if !e.onCluster() {
		return e.Directory.apply(e.Manifests, file)
	}
	return "kubectl apply -f examples/walkthrough/" + file, kit.Apply(ctx, e.Client, e.Manifests, namespace, file)
}

// onCluster is false where there is a directory only.
func (e *Env) onCluster() bool { return e.Client != nil }

// Settings are those of an installation that the story changes.
type Settings struct {
	// DefaultBackend is a Service as NAMESPACE/NAME; nginx answers without one.
	DefaultBackend string
}

// Flags are the settings as flags of the controller.
func (s Settings) Flags() []string {
	if s.DefaultBackend == "" {
		return nil
	}
	return []string{"--default-backend-service=" + s.DefaultBackend}
}

// At is a Health that stays where it is.
func At(address string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return address, nil }
}

// Check is one thing that was tried.
type Check struct {
	Sent, Got, Want string
	OK              bool
}

// Reporter is told how it goes.
type Reporter interface {
	Step(number int, title string)
	// Did is told of something that was done to the cluster.
	Did(what string)
	// Left is told of something that cannot be shown without a cluster.
	Left(what string)
	Check(Check)
}

// step is one step of the walkthrough.
type step struct {
	title string
	play  func(*run) error
}

// steps are in the order of the story, counted from 1. A later one finds what
// the earlier ones have left.
var steps = []step{
	{"Install: nothing is configured", install},
	{"A default backend of one's own", defaultBackend},
	{"Route by host and path", route},
	{"TLS and redirects to it", secure},
	{"Rewrite: an old path is kept alive", rewrite},
	{"Sticky sessions", sticky},
	{"The old annotation prefix", legacy},
	{"The client's address", clientAddress},
	{"Services of every type", services},
	{"Status: the Ingress shows the entry point's address", status},
	{"Look inside", inside},
	{"Scale and change", change},
}

// ErrWrong is what Play returns when the story went on to its end and something
// was not as it should be.
var ErrWrong = errors.New("not everything was as it should be")

// Play plays all steps. A check that fails does not stop it; an error of the
// cluster does.
func Play(ctx context.Context, env *Env, reporter Reporter) error {
	r := &run{Env: env, ctx: ctx, reporter: reporter}
	for i, s := range steps {
		reporter.Step(i+1, s.title)
		if err := s.play(r); err != nil {
			return fmt.Errorf("step %d (%s) could not go on: %w", i+1, s.title, err)
		}
	}
	if r.failed {
		return ErrWrong
	}
	return nil
}
