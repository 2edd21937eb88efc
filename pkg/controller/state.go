package controller

import (
	"time"

	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/nginx"
)

// State is what the pipeline last did. It is never changed once published.
type State struct {
	// ID, Text and Config are the generation that nginx was last told of
	// and did not refuse; nil before the first one.
	ID     string
	Text   []byte
	Config *model.Config
	// Findings are about the last snapshot.
	Findings []model.Finding
	// Confirmed says that nginx serves ID.
	Confirmed bool
	// History is the newest first.
	History []Record
}

// Record is one generation that the pipeline made.
type Record struct {
	ID      string       `json:"id"`
	Time    time.Time    `json:"time"`
	Why     string       `json:"why"`
	Steps   []nginx.Step `json:"steps"`
	Outcome string       `json:"outcome"`
	// Error is why it is not served.
	Error string `json:"error,omitempty"`
}

// maxHistory bounds State.History.
const maxHistory = 50
