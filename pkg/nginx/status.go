package nginx

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// askTimeout bounds questions to the status server: a worker that does not
// answer for so long is counted as one that does not answer.
const askTimeout = 2 * time.Second

// status asks the server on the status socket. Each question has a connection
// of its own: it is the worker that accepts it which is asked.
type status struct{ socket string }

func (s status) dial(ctx context.Context) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: askTimeout}).DialContext(ctx, "unix", s.socket)
	if err != nil {
		return nil, fmt.Errorf("ask nginx's status server: %w", err)
	}
	deadline := time.Now().Add(askTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	return c, c.SetDeadline(deadline)
}

func send(c net.Conn, path string) error {
	_, err := fmt.Fprintf(c, "GET %s HTTP/1.0\r\n\r\n", path)
	return err
}

func receive(c net.Conn) (string, error) {
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "", fmt.Errorf("ask nginx's status server: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it was read
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return "", fmt.Errorf("ask nginx's status server: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("nginx's status server answers %s", response.Status)
	}
	return string(body), nil
}

// answer is what one worker says of itself.
type answer struct {
	id  string
	pid int
	// version is "" where the configuration does not tell it.
	version string
}

func parseAnswer(body string) (answer, error) {
	fields := append(strings.Fields(body), "", "")
	pid, err := strconv.Atoi(fields[1])
	if err != nil {
		return answer{}, fmt.Errorf("nginx's status server answers /generation with %.100q; an id and a pid are expected", body)
	}
	return answer{fields[0], pid, fields[2]}, nil
}

// burst asks count times and returns the answers that came, and the last error
// of those that did not. It connects count times before it asks anything: a
// connection wakes a worker that sleeps, and the next one another, as long as
// the first has not gone back to sleep.
func (s status) burst(ctx context.Context, count int) (out []answer, err error) {
	var connections []net.Conn
	for range count {
		c, dialErr := s.dial(ctx)
		if dialErr != nil {
			err = dialErr
			break
		}
		defer func() { _ = c.Close() }() // all is read
		connections = append(connections, c)
	}
	for _, c := range connections {
		err = errors.Join(err, send(c, "/generation"))
	}
	for _, c := range connections {
		body, receiveErr := receive(c)
		if receiveErr != nil {
			err = receiveErr
			continue
		}
		a, parseErr := parseAnswer(body)
		if parseErr != nil {
			err = parseErr
			continue
		}
		out = append(out, a)
	}
	return out, err
}

// ask asks whichever worker accepts the connection.
func (s status) ask(ctx context.Context) (answer, error) {
	answers, err := s.burst(ctx, 1)
	if err != nil {
		return answer{}, err
	}
	return answers[0], nil
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
	c, err := n.status.dial(ctx)
	if err != nil {
		return Connections{}, err
	}
	defer func() { _ = c.Close() }() // all is read
	if err := send(c, "/nginx_status"); err != nil {
		return Connections{}, fmt.Errorf("ask nginx's status server: %w", err)
	}
	body, err := receive(c)
	if err != nil {
		return Connections{}, err
	}
	var counters Connections
	_, err = fmt.Sscanf(body, "Active connections: %d\nserver accepts handled requests\n%d %d %d\nReading: %d Writing: %d Waiting: %d",
		&counters.Active, &counters.Accepted, &counters.Handled, &counters.Requests, &counters.Reading, &counters.Writing, &counters.Waiting)
	if err != nil {
		return Connections{}, fmt.Errorf("nginx's stub_status is %.200q: %w", body, err)
	}
	return counters, nil
}

// Version returns the version of the nginx that runs, which can be another
// than that of Options.Binary: it can be in a container of its own. A version
// below MinimumVersion is an error as well.
func (n *Nginx) Version(ctx context.Context) (Version, error) {
	a, err := n.status.ask(ctx)
	if err != nil {
		return Version{}, err
	}
	return parseVersion("the nginx that runs", a.version)
}
