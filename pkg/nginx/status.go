package nginx

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// askTimeout bounds one question to the status server: a worker that does not
// answer for so long is counted as one that does not answer.
const askTimeout = 2 * time.Second

// status asks the server on the status socket.
type status struct{ client *http.Client }

func newStatus(socket string) status {
	return status{&http.Client{
		Timeout: askTimeout,
		Transport: &http.Transport{
			// Each question has a connection of its own: it is the worker
			// that accepts it which is asked.
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", socket)
			},
		},
	}}
}

func (s status) get(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://nginx"+path, nil)
	if err != nil {
		return "", err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return "", fmt.Errorf("ask nginx's status server: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it was read
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return "", fmt.Errorf("ask nginx's status server for %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("nginx's status server answers %s with %s", path, response.Status)
	}
	return string(body), nil
}

// answer is what one worker says of itself.
type answer struct {
	id  string
	pid int
}

// ask asks whichever worker accepts the connection.
func (s status) ask(ctx context.Context) (answer, error) {
	body, err := s.get(ctx, "/generation")
	if err != nil {
		return answer{}, err
	}
	id, pid, ok := strings.Cut(strings.TrimSpace(body), " ")
	n, err := strconv.Atoi(pid)
	if !ok || err != nil {
		return answer{}, fmt.Errorf("nginx's status server answers /generation with %.100q; an id and a pid are expected", body)
	}
	return answer{id, n}, nil
}

// burst asks n times at once, so that workers that sleep are woken side by
// side, and returns the answers that came.
func (s status) burst(ctx context.Context, n int) []answer {
	var (
		mu  sync.Mutex
		wg  sync.WaitGroup
		out []answer
	)
	for range n {
		wg.Go(func() {
			if a, err := s.ask(ctx); err == nil {
				mu.Lock()
				out = append(out, a)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return out
}

// Connections is what nginx's stub_status counts, over all workers that share
// its memory: a reload keeps the counters, a restart does not.
type Connections struct {
	// Accepted and Handled connections, and Requests, since nginx started.
	Accepted, Handled, Requests uint64
	// Active connections now, and what they do.
	Active, Reading, Writing, Waiting uint64
}

// Connections asks nginx for its counters. It fails when nginx does not run.
func (n *Nginx) Connections(ctx context.Context) (Connections, error) {
	body, err := n.status.get(ctx, "/nginx_status")
	if err != nil {
		return Connections{}, err
	}
	var c Connections
	_, err = fmt.Sscanf(body, "Active connections: %d\nserver accepts handled requests\n%d %d %d\nReading: %d Writing: %d Waiting: %d",
		&c.Active, &c.Accepted, &c.Handled, &c.Requests, &c.Reading, &c.Writing, &c.Waiting)
	if err != nil {
		return Connections{}, fmt.Errorf("nginx's stub_status is %.200q: %w", body, err)
	}
	return c, nil
}
