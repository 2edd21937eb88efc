package controller

import (
	"context"
	"errors"
	"testing"

	"github.com/go-logr/logr/testr"
	"github.com/sidegate/sidegate/pkg/held"
	"github.com/sidegate/sidegate/pkg/model"
)

// shaky is a store that fails some times before it answers.
type shaky struct {
	failures int
	list     []held.Held
}

func (s *shaky) Load(context.Context) ([]held.Held, error) {
	if s.failures--; s.failures >= 0 {
		return nil, errors.New("no answer")
	}
	return s.list, nil
}

func (s *shaky) Save(context.Context, []held.Held) error { return nil }

// A moment without the API does not lose the good versions of others.
func TestGoodVersionsAreAskedForAgain(t *testing.T) {
	k := newKeeper(testr.New(t), nil)
	k.shared = &shaky{failures: 3, list: []held.Held{{Object: model.IngressObject("default", "a")}}}
	if got := k.load(t.Context()); len(got) != 1 {
		t.Errorf("loaded: %v", got)
	}
	k.shared = &shaky{failures: 100}
	if got := k.load(t.Context()); len(got) != 0 {
		t.Errorf("loaded: %v", got)
	}
}
