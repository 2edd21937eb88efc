package nginx

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// UnconfirmedError says that nginx was told of a generation and does not
// serve it.
type UnconfirmedError struct {
	ID string
	// Why is what was seen last.
	Why string
}

func (e *UnconfirmedError) Error() string {
	return fmt.Sprintf("nginx does not serve generation %.12s: %s", e.ID, e.Why)
}

// pollInterval is the pause between looks at the workers.
const pollInterval = 5 * time.Millisecond

// prober asks nginx which generation it serves.
type prober struct{ client *http.Client }

func newProber(socket string) *prober {
	return &prober{&http.Client{
		Timeout: 2 * time.Second,
		Transport: &http.Transport{
			// Each question has a connection of its own: it is the accepting
			// worker that is asked.
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", socket)
			},
		},
	}}
}

func (p *prober) get(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://nginx"+path, nil)
	if err != nil {
		return "", err
	}
	response, err := p.client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }() // it was read
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s", path, response.Status)
	}
	return string(body), nil
}

// generation returns what one worker answers: its generation and its pid.
func (p *prober) generation(ctx context.Context) (id string, pid int, err error) {
	body, err := p.get(ctx, "/generation")
	if err != nil {
		return "", 0, err
	}
	fields := strings.Fields(body)
	if len(fields) != 2 {
		return "", 0, fmt.Errorf("/generation answers %.100q", body)
	}
	pid, err = strconv.Atoi(fields[1])
	return fields[0], pid, err
}

// burst asks n times at once, so that workers that sleep are woken side by
// side, and puts what they answer into seen.
func (p *prober) burst(ctx context.Context, n int, seen map[int]string) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if id, pid, err := p.generation(ctx); err == nil {
				mu.Lock()
				seen[pid] = id
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// confirm waits until all workers that accept connections answer with the id
// and none of before is among them.
func (p *prober) confirm(ctx context.Context, m *master, id string, before []Worker) error {
	seen := map[int]string{}
	var why string
	for round := 1; ; round++ {
		workers, err := m.workers()
		if err != nil {
			return err
		}
		if why = missing(workers, before, id, seen); why == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return &UnconfirmedError{ID: id, Why: why}
		case <-time.After(pollInterval):
		}
		// A worker that never happens to get a connection is given more.
		p.burst(ctx, min(len(workers)+1+round/10, 64), seen)
	}
}

// missing says what keeps the generation from being confirmed, or "".
func missing(workers, before []Worker, id string, seen map[int]string) string {
	accepting := 0
	for _, w := range workers {
		if w.Draining {
			continue
		}
		accepting++
		if slices.ContainsFunc(before, func(b Worker) bool { return b.PID == w.PID }) {
			return fmt.Sprintf("worker %d from before still accepts connections", w.PID)
		}
		switch answer, ok := seen[w.PID]; {
		case !ok:
			return fmt.Sprintf("worker %d has not answered", w.PID)
		case answer != id:
			return fmt.Sprintf("worker %d serves generation %.12s", w.PID, answer)
		}
	}
	if accepting == 0 {
		return "no worker accepts connections"
	}
	return ""
}
