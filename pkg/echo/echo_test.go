package echo_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/sidegate/sidegate/pkg/echo"
)

func start(t *testing.T, s *echo.Server) (base string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(cancel)
	return "http://" + l.Addr().String(), func() error { cancel(); return <-done }
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestEchoAnswersWithTheRequest(t *testing.T) {
	base, _ := start(t, &echo.Server{Pod: "echo-1", Namespace: "default"})
	req, err := http.NewRequest("POST", base+"/a%2Fb/c?x=1&set-cookie=k%3Dv&header=Server:%20me&status=201", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "foo.bar.com"
	req.Header.Set("X-Test", "yes")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Errorf("status %d, want 201", resp.StatusCode)
	}
	if got := resp.Header.Get("Set-Cookie"); got != "k=v" {
		t.Errorf("Set-Cookie %q, want k=v", got)
	}
	if got := resp.Header.Get("Server"); got != "me" {
		t.Errorf("Server %q, want me", got)
	}
	var got echo.Response
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Pod != "echo-1" || got.Namespace != "default" || got.Method != "POST" || got.Host != "foo.bar.com" ||
		got.Path != "/a%2Fb/c" || got.Header("x-test") != "yes" || got.Body != "hello" || got.IP != "127.0.0.1" || got.Port == 0 {
		t.Errorf("the echo is not the request: %+v", got)
	}
}

func TestBadKnobsAreRefused(t *testing.T) {
	base, _ := start(t, &echo.Server{})
	for _, query := range []string{"status=99", "status=x", "delay=soon", "delay=1h"} {
		if resp, body := get(t, base+"/?"+query); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d (%s), want 400", query, resp.StatusCode, body)
		}
	}
}

func TestDefaultBackend(t *testing.T) {
	base, _ := start(t, &echo.Server{Mode: echo.DefaultBackend})
	if resp, body := get(t, base+"/some/where"); resp.StatusCode != http.StatusNotFound || body != echo.DefaultBackendBody {
		t.Errorf("got %d %q, want 404 and the page", resp.StatusCode, body)
	}
	if resp, _ := get(t, base+"/healthz"); resp.StatusCode != http.StatusOK {
		t.Errorf("/healthz: got %d, want 200", resp.StatusCode)
	}
}

// A server that is told to end fails its readiness, still answers during the
// delay, and finishes what it has begun.
func TestGracefulEnd(t *testing.T) {
	base, stop := start(t, &echo.Server{ShutdownDelay: 3 * time.Second})
	sent, slow := make(chan struct{}), make(chan int, 1)
	go func() {
		defer close(slow)
		trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) }}
		req, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), "GET", base+"/?delay=3500ms", nil)
		if err != nil {
			return
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return
		}
		resp.Body.Close()
		slow <- resp.StatusCode
	}()
	<-sent
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	deadline := time.Now().Add(2 * time.Second)
	for {
		resp, _ := get(t, base+"/healthz")
		if resp.StatusCode == http.StatusServiceUnavailable {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("readiness did not fail")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if resp, _ := get(t, base+"/"); resp.StatusCode != http.StatusOK || !resp.Close {
		t.Errorf("during the delay: status %d, close %v, want 200 and the connection closed", resp.StatusCode, resp.Close)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if got := <-slow; got != http.StatusOK {
		t.Errorf("the request that was under way got %d, want 200", got)
	}
}
