package cluster_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/sidegate/sidegate/e2e/kit"
	"github.com/sidegate/sidegate/pkg/echo"
)

// timeout is how long one answer may take.
const timeout = 10 * time.Second

// transport connects to an address whatever the URL's host is.
func transport(address string) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
		MaxIdleConnsPerHost: 100,
	}
}

// get sends one request on a connection of its own.
func get(ctx context.Context, address, host, path string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+path, nil)
	if err != nil {
		return 0, "", err
	}
	t := transport(address)
	defer t.CloseIdleConnections()
	resp, err := t.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// answers looks whether a host is served by a pod of echo.
func answers(address, host string) func(context.Context) error {
	return func(ctx context.Context) error {
		status, body, err := get(ctx, address, host, "/")
		if err != nil {
			return err
		}
		var seen echo.Response
		if err := json.Unmarshal([]byte(body), &seen); err != nil || status != http.StatusOK || seen.Pod == "" {
			return fmt.Errorf("http://%s/: status %d, %.80q", host, status, body)
		}
		return nil
	}
}

// steady waits until a host is served by the node ports of both nodes without
// a fault for some time. One right answer does not make the next one right:
// workers of before a change take requests for a moment beside the new ones.
func (r *release) steady(host string) {
	r.Helper()
	const span = 2 * time.Second
	since := time.Now()
	r.until(host+" is served without a fault", func(ctx context.Context) error {
		for node := range r.nodes {
			if err := answers(r.entry(node, "http"), host)(ctx); err != nil {
				since = time.Now()
				return err
			}
		}
		if time.Since(since) < span {
			return fmt.Errorf("for %s only", time.Since(since))
		}
		return nil
	})
}

// load sends requests to a host by the node ports of both nodes.
func (r *release) load(host string) (stop func()) {
	r.Helper()
	addresses := map[string]string{}
	for node := range r.nodes {
		addresses[node] = r.entry(node, "http")
	}
	return r.loadBy(host, addresses)
}

// loadBy sends requests to a host by some addresses, to each over connections
// that are kept alive and over new ones. stop ends it and fails the test where a
// request has failed.
func (w *world) loadBy(host string, addresses map[string]string) (stop func()) {
	w.Helper()
	const interval = 10 * time.Millisecond // of each
	var loads []*kit.Load
	var names []string
	for name, address := range addresses {
		for _, alive := range []bool{true, false} {
			t := transport(address)
			t.DisableKeepAlives = !alive
			names = append(names, fmt.Sprintf("by %s, kept alive: %t", name, alive))
			loads = append(loads, kit.StartLoad(w.Context(), kit.LoadOptions{
				URL: "http://" + host + "/", Transport: t, Interval: interval, SlowEvery: 10, Timeout: timeout,
			}))
		}
	}
	start := time.Now()
	return func() {
		w.Helper()
		total := 0
		for i, l := range loads {
			sent, failures := l.Stop()
			total += sent
			if len(failures) > 0 {
				w.Errorf("%d of %d requests failed (%s): %s", len(failures), sent, names[i], join(failures[:min(5, len(failures))], func(s string) string { return s }))
			}
		}
		w.Logf("%d requests in %.1f s, every tenth taking 0.5 s", total, time.Since(start).Seconds())
	}
}
