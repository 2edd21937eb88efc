package controller

import (
	"time"

	"github.com/sidegate/sidegate/pkg/layout"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/nginx"
	"github.com/sidegate/sidegate/pkg/render"
)

// State is what the pipeline has done. It is never changed once published.
type State struct {
	// Live is the generation that nginx serves, or that is published for an
	// nginx that starts; nil before the first one. Only a generation that was
	// confirmed or published takes its place.
	Live *Generation
	// Confirmed says that nginx has proved that it serves Live.
	Confirmed bool
	// Attempt is what the newest run came to.
	Attempt Attempt
	// Findings are about the last snapshot.
	Findings []model.Finding
	// History is the newest first.
	History []Record
}

// Generation is a finished configuration, and what it was made from.
type Generation struct {
	ID     string
	Text   []byte
	Config *model.Config

	// layout, result and renderer tell what has changed in the next one.
	layout   *layout.Config
	result   *render.Result
	renderer *render.Renderer
}

// Attempt is the outcome of one run.
type Attempt struct {
	Record
	// Generation is what nginx was told of and does not serve for certain; nil
	// where it serves it, or was told of nothing. Its endpoints are kept as
	// those of the live one.
	Generation *Generation
}

// Record is a run of the pipeline.
type Record struct {
	ID      string       `json:"id"`
	Time    time.Time    `json:"time"`
	Why     string       `json:"why"`
	Steps   []nginx.Step `json:"steps"`
	Outcome string       `json:"outcome"`
	// Error is why it is not served.
	Error string `json:"error,omitempty"`
}

// The outcomes of runs that nginx was told nothing of, or does not serve;
// those of others are nginx.Outcome.
const (
	outcomeFailed      = "failed"
	outcomeUnconfirmed = "unconfirmed"
)

// maxHistory bounds State.History.
const maxHistory = 50

// Config is the model of the live generation; nil before the first one.
func (s *State) Config() *model.Config {
	if s.Live == nil {
		return nil
	}
	return s.Live.Config
}

// configs are those whose endpoints nginx may ask for.
func (s *State) configs() (out []*model.Config) {
	for _, g := range []*Generation{s.Live, s.Attempt.Generation} {
		if g != nil {
			out = append(out, g.Config)
		}
	}
	return out
}
