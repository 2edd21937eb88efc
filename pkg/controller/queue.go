package controller

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
)

// Pace of the runs: the first change after a pause waits for others that come
// with it; under steady change there is one run an interval, and where a run
// takes long there is as much time again in between as half of it took, so
// that nginx is not always reading a configuration.
const (
	quietTime   = 15 * time.Millisecond
	runInterval = time.Second
)

// Back-off of failed runs.
const (
	firstBackOff = time.Second
	lastBackOff  = time.Minute
)

// runs is the queue of the one reconciler that makes configurations: all
// changes are the same key.
type runs struct {
	queue workqueue.TypedRateLimitingInterface[string]

	mu sync.Mutex
	// reasons are why the next run is due, each once; more counts those that
	// are too many to name.
	reasons []string
	more    int
	// notBefore is when the next run may begin.
	notBefore time.Time
}

// theRun is the queue's only key.
const theRun = "configuration"

func newRuns() *runs {
	return &runs{queue: workqueue.NewTypedRateLimitingQueueWithConfig(
		workqueue.NewTypedItemExponentialFailureRateLimiter[string](firstBackOff, lastBackOff),
		workqueue.TypedRateLimitingQueueConfig[string]{Name: theRun},
	)}
}

// maxReasons bounds the names that a record shows.
const maxReasons = 5

// trigger asks for a run and says why.
func (r *runs) trigger(reason string) {
	r.note(reason)
	r.queue.AddAfter(theRun, quietTime)
}

func (r *runs) note(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case slices.Contains(r.reasons, reason):
	case len(r.reasons) < maxReasons:
		r.reasons = append(r.reasons, reason)
	default:
		r.more++
	}
}

// take returns why the run is due.
func (r *runs) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	why := strings.Join(r.reasons, ", ")
	if r.more > 0 {
		why += ", and " + strconv.Itoa(r.more) + " more"
	}
	r.reasons, r.more = nil, 0
	return why
}

// wait is how long the next run has to wait.
func (r *runs) wait() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Until(r.notBefore)
}

// done sets the pace after a run that began at the time.
func (r *runs) done(began time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	took := time.Since(began)
	r.notBefore = began.Add(max(runInterval, took+took/2))
}

// loop runs until ctx ends. There is one run at a time. It returns when the
// next one is due although nothing has changed; zero is never. One that fails
// is tried again with back-off.
func (r *runs) loop(ctx context.Context, run func(why string) (next time.Time, err error)) {
	stop := context.AfterFunc(ctx, r.queue.ShutDown)
	defer stop()
	for {
		key, ended := r.queue.Get()
		if ended {
			return
		}
		if wait := r.wait(); wait > 0 {
			r.queue.AddAfter(key, wait)
			r.queue.Done(key)
			continue
		}
		began := time.Now()
		next, err := run(r.take())
		r.done(began)
		switch {
		case err != nil:
			r.note("try again")
			r.queue.AddRateLimited(key)
		default:
			r.queue.Forget(key)
			if !next.IsZero() {
				r.note("what was refused is tried again")
				r.queue.AddAfter(key, max(quietTime, time.Until(next)))
			}
		}
		r.queue.Done(key)
	}
}
