package kit

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// LoadOptions say what a Load sends.
type LoadOptions struct {
	URL string
	// Transport sends. A connection that it keeps alive may be closed by the
	// server just when a request goes out; net/http then sends a GET again, as
	// browsers do, and that is no failure here either.
	Transport http.RoundTripper
	// Interval is the time between two requests, whether or not the former has
	// been answered.
	Interval time.Duration
	// SlowEvery makes one in so many take half a second (by the query that
	// package echo understands); none when it is 0.
	SlowEvery int
	// Timeout is how long an answer may take.
	Timeout time.Duration
}

// Load sends GET requests at a steady pace until it is stopped.
type Load struct {
	options  LoadOptions
	cancel   context.CancelFunc
	loop     chan struct{}
	requests sync.WaitGroup

	mu       sync.Mutex
	sent     int
	failures []string
}

// StartLoad starts a Load. One that ctx ends loses what is under way.
func StartLoad(ctx context.Context, options LoadOptions) *Load {
	going, cancel := context.WithCancel(ctx)
	l := &Load{options: options, cancel: cancel, loop: make(chan struct{})}
	go l.run(ctx, going)
	return l
}

func (l *Load) run(ctx, going context.Context) {
	defer close(l.loop)
	tick := time.NewTicker(l.options.Interval)
	defer tick.Stop()
	for {
		select {
		case <-going.Done():
			return
		case <-tick.C:
		}
		url := l.options.URL
		l.mu.Lock()
		if l.options.SlowEvery > 0 && l.sent%l.options.SlowEvery == 0 {
			url += "?delay=500ms"
		}
		l.sent++
		l.mu.Unlock()
		// Not going: a request that has begun when the load ends is to end well, too.
		l.requests.Go(func() { l.one(ctx, url) })
	}
}

func (l *Load) one(ctx context.Context, url string) {
	start := time.Now()
	if err := l.get(ctx, url); err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.failures = append(l.failures, fmt.Sprintf("%s, sent at %s, after %.3f s", err, start.Format("15:04:05.000"), time.Since(start).Seconds()))
	}
}

func (l *Load) get(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, l.options.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := l.options.Transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", resp.Status)
	}
	return nil
}

// Stop ends the load, waits for the last answer and returns how many requests
// there were and what failed.
func (l *Load) Stop() (sent int, failures []string) {
	l.cancel()
	<-l.loop
	l.requests.Wait()
	return l.sent, l.failures
}
