package walkthrough

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/sidegate/sidegate/e2e/kit"
)

// Local is where the story is played without a cluster: a directory of
// manifests, and a `sidegate serve --echo` that watches it.
type Local struct {
	// Options say what is started; Manifests is made where it is not there.
	Options kit.ServeOptions
	// Started is called, if it is there, each time that the controller has.
	Started func(*kit.Serve) error

	serve *kit.Serve
	env   Env
}

// Env is where to play. Its addresses are known once the controller has been
// installed, which is the first step.
func (l *Local) Env(manifests fs.FS) *Env {
	l.env = Env{Manifests: manifests, Directory: Directory(l.Options.Manifests), Ask: l.Ask, Install: l.install}
	return &l.env
}

func (l *Local) install(ctx context.Context, settings Settings) (did string, err error) {
	did = strings.Join(append([]string{"sidegate serve -f", l.Options.Manifests, "--echo"}, settings.Flags()...), " ")
	if l.serve != nil {
		did = "ended it, and " + did
		err = l.serve.Restart(ctx, settings.Flags()...)
	} else {
		if err := os.MkdirAll(l.Options.Manifests, 0o755); err != nil {
			return "", err
		}
		copied, applyErr := l.env.Directory.apply(l.env.Manifests, "01-install.yaml")
		if applyErr != nil {
			return "", applyErr
		}
		did = copied + "; " + did
		l.Options.Flags = settings.Flags()
		l.serve, err = kit.StartServe(ctx, l.Options)
	}
	if err != nil {
		return "", err
	}
	l.env.HTTP, l.env.HTTPS = l.serve.HTTP(), l.serve.HTTPS()
	if l.Started != nil {
		err = l.Started(l.serve)
	}
	return fmt.Sprintf("%s (http at %s, https at %s)", did, l.env.HTTP, l.env.HTTPS), err
}

// Ask asks the running controller.
func (l *Local) Ask(ctx context.Context, args ...string) ([]byte, error) {
	if l.serve == nil {
		return nil, errors.New("the controller has not been started")
	}
	return l.serve.Ask(ctx, args...)
}

// Stop ends what was started.
func (l *Local) Stop() error {
	if l.serve == nil {
		return nil
	}
	serve := l.serve
	l.serve = nil
	return serve.Stop()
}
