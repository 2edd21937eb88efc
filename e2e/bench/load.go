package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"
)

// load sends requests at a constant rate, whether or not those before have been
// answered, so that a stall shows as what it is.
type load struct {
	cancel context.CancelFunc
	done   chan struct{}
	wait   sync.WaitGroup

	mu     sync.Mutex
	counts loadCounts
}

type loadCounts struct {
	sent, failed int
	// reasons are the failures by what was answered.
	reasons map[string]int
}

// startLoad sends requests until stop is called; url is told the number of
// each. Connections are kept alive. All requests are GET.
func startLoad(ctx context.Context, rate int, url func(i int) string, host string) *load {
	ctx, cancel := context.WithCancel(ctx)
	l := &load{cancel: cancel, done: make(chan struct{}), counts: loadCounts{reasons: map[string]int{}}}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: rate}}
	go func() {
		defer close(l.done)
		defer client.CloseIdleConnections()
		start := time.Now()
		for i := 0; ; i++ {
			// By the clock: a ticker drops what it is late for.
			if err := sleep(ctx, time.Until(start.Add(time.Duration(i)*time.Second/time.Duration(rate)))); err != nil {
				break
			}
			l.wait.Go(func() { l.send(client, url(i), host) })
		}
		l.wait.Wait()
	}()
	return l
}

func (l *load) send(client *http.Client, url, host string) {
	reason := ""
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		reason = err.Error()
	} else {
		request.Host = host
		reason = failure(client.Do(request))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.sent++
	if reason != "" {
		l.counts.failed++
		l.counts.reasons[reason]++
	}
}

// failure says what is wrong with an answer; "" is nothing.
func failure(response *http.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return "body: " + err.Error()
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Sprint("status ", response.StatusCode)
	}
	return ""
}

// total is what has been counted so far.
func (l *load) total() loadCounts {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.counts
	out.reasons = maps.Clone(out.reasons)
	return out
}

// stop waits for the answers that are under way, and returns the counts.
func (l *load) stop() loadCounts {
	l.cancel()
	<-l.done
	return l.total()
}
