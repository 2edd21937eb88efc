package debug

import (
	"time"

	"github.com/sidegate/sidegate/pkg/discovery"
	"github.com/sidegate/sidegate/pkg/explain"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/nginx"
)

// View is what the pages read from. Its methods are called anew for every
// request, by several at once; what they return must never change.
type View interface {
	// State is what was last published.
	State() State
	// Endpoints are the names that nginx looks up, sorted.
	Endpoints() []discovery.State
	// Generation is the text of a generation that is still on disk. The id
	// may be the beginning of one.
	Generation(id string) ([]byte, error)
	// Rejected is the last configuration that nginx refused, and its words.
	Rejected() (text, message []byte, err error)
}

// State is the outcome of the newest run of the pipeline.
type State struct {
	// ID, Text and Config are the published generation; nil before the first.
	ID     string
	Text   []byte
	Config *model.Config
	// Confirmed says that nginx serves it.
	Confirmed bool
	Findings  []model.Finding
	// Generations begin with the newest.
	Generations []Generation
}

// Generation is one run of the pipeline that made something new.
type Generation struct {
	ID      string
	Time    time.Time
	Why     string
	Steps   []nginx.Step
	Outcome string
	// Error is why it is not served.
	Error string
}

// endpointsOf is the table as an explanation needs it.
func endpointsOf(states []discovery.State) explain.Endpoints {
	out := make(explain.Endpoints, len(states))
	for _, s := range states {
		out[s.Name] = s.Addresses
	}
	return out
}
