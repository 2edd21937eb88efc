package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"github.com/sidegate/sidegate/e2e/kit"
)

// entry is where nginx listens.
var entry = kit.NodeIP.String()

// statusOf asks for the root of a host over a connection of its own: one that
// is kept alive may go on to belong to a worker of an older generation. It
// returns 0 when there was no answer.
func statusOf(host string) int {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(entry, "80"), time.Second)
	if err != nil {
		return 0
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return 0
	}
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host); err != nil {
		return 0
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// generation is a line of /debug/generations.
type generation struct {
	Why     string  `json:"why"`
	Outcome string  `json:"outcome"`
	Seconds float64 `json:"seconds"`
	Steps   []struct {
		Name    string  `json:"name"`
		Seconds float64 `json:"seconds"`
	} `json:"steps"`
}

// step is how long a step took, in seconds; 0 where there was none.
func (g generation) step(names ...string) (sum float64) {
	for _, s := range g.Steps {
		if slices.Contains(names, s.Name) {
			sum += s.Seconds
		}
	}
	return sum
}

// generations are what the controller has done, the newest first.
func (s *suite) generations() ([]generation, error) {
	var out []generation
	body, err := s.gateway.Debug(s.ctx, "/debug/generations")
	if err != nil {
		return nil, err
	}
	return out, json.Unmarshal(body, &out)
}

// confirmedFor waits for the confirmed generation that was made for an object.
func (s *suite) confirmedFor(name string) (found generation, err error) {
	err = until(s.ctx, "a confirmed generation for "+name, 20*time.Millisecond, func() (bool, error) {
		all, err := s.generations()
		for _, g := range all {
			if strings.Contains(g.Why, name) && g.Outcome == "confirmed" {
				found = g
				return true, err
			}
		}
		return false, err
	})
	return found, err
}

// configuration is the live nginx.conf.
func (s *suite) configuration() ([]byte, error) { return s.gateway.Debug(s.ctx, "/debug/config") }

// reloads is how many the controller has counted.
func reloads(g *kit.Gateway) (float64, error) {
	body, err := get(g.HealthURL() + "/metrics")
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for line := range bytes.Lines(body) {
		if rest, ok := strings.CutPrefix(string(line), `sidegate_reloads_total{outcome="confirmed"} `); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				return 0, err
			}
			sum += n
		}
	}
	return sum, nil
}

func get(url string) ([]byte, error) {
	response, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.200s", url, response.Status, body)
	}
	return body, err
}

// processes are those of the gateway.
type processes struct {
	controller procfs.Proc
	// nginx are the master and its workers.
	nginx []procfs.Proc
}

// gatewayProcesses finds the controller, which is a child of this process, and
// the master by its pid file.
func gatewayProcesses(g *kit.Gateway) (p processes, err error) {
	text, err := os.ReadFile(g.PIDFile())
	if err != nil {
		return p, err
	}
	master, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return p, err
	}
	if p.nginx, err = family(master); err != nil {
		return p, err
	}
	own, err := family(os.Getpid())
	if err != nil {
		return p, err
	}
	for _, child := range own {
		if comm, err := child.Comm(); err == nil && comm == "sidegate" {
			p.controller = child
			return p, nil
		}
	}
	return p, errors.New("the controller is not among the children of this process")
}
