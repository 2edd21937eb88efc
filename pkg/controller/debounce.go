package controller

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Coalescing of changes: the first one after a pause waits for others that
// come with it, and under steady change there is one run an interval.
const (
	quietTime   = 15 * time.Millisecond
	runInterval = time.Second
)

// debouncer turns many changes into few runs.
type debouncer struct {
	mu      sync.Mutex
	reasons []string
	more    int
	wake    chan struct{}
}

func newDebouncer() *debouncer { return &debouncer{wake: make(chan struct{}, 1)} }

// maxReasons bounds the names that a record shows.
const maxReasons = 5

// trigger asks for a run and says why.
func (d *debouncer) trigger(reason string) {
	d.mu.Lock()
	if len(d.reasons) < maxReasons {
		d.reasons = append(d.reasons, reason)
	} else {
		d.more++
	}
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// take returns why the next run is due.
func (d *debouncer) take() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	why := strings.Join(d.reasons, ", ")
	if d.more > 0 {
		why += ", and " + strconv.Itoa(d.more) + " more"
	}
	d.reasons, d.more = nil, 0
	return why
}

// loop runs until ctx ends. There is one run at a time.
func (d *debouncer) loop(ctx context.Context, run func(why string)) {
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
		}
		pause := max(quietTime, runInterval-time.Since(last))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		select {
		case <-d.wake: // it belongs to this run
		default:
		}
		last = time.Now()
		run(d.take())
	}
}
